"""The Table Access Protocol 1.1: `/tap/…`, a thin face over `almagest.query` and `almagest.metadata`."""
