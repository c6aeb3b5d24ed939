"""`/auth/…`: a thin face over `almagest.accounts`."""
