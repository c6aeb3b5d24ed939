"""One module for each file format; each gives a `almagest.ingest.block.Source`."""
