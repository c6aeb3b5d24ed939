"""The REST API of the archive, `/api/v1/…`: a thin face over `almagest.query` and `almagest.metadata`."""
