"""Whether this process lives, and whether everything that it needs answers."""
