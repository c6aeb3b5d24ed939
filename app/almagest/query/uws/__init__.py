"""Jobs (UWS 1.1): made, queued, run, recovered, and cleared away."""
