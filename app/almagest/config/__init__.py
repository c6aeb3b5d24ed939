"""Settings: typed environment variables, and what Django makes of them. The bottom of the application."""
