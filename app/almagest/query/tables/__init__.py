"""Tables that are not the archive's own: what users keep, what comes with a query, and results as queries see them."""
