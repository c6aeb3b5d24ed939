"""Settings from typed environment variables, the URL map and the processes of the application."""
