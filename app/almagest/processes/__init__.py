"""The processes that `almagest-app` starts, and what they are put together from: the top of the application."""
