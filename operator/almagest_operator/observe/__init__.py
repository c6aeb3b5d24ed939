"""The cluster as the rest of the operator sees it: small values made from watched objects, never the objects."""
