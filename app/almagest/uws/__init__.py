"""The resources of UWS 1.1, for every service that has jobs: a thin face over `almagest.query.uws`."""
