"""The TAP benchmark that the archive is held to: `make bench`."""
