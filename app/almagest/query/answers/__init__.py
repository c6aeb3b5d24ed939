"""Answers: the rows of a query on their way to whoever asked, as fast as PostgreSQL writes them."""
