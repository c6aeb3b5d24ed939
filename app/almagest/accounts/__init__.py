"""Who uses the archive."""
