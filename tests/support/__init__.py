"""What several test packages arrange with; nothing here asserts."""
