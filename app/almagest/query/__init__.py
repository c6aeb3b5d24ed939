"""Queries: what one may ask, how it runs, and the jobs that outlive a request."""
