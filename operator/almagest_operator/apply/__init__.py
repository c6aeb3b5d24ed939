"""Writing to the cluster: the API client, the application of a step, and the values of generated Secrets."""
