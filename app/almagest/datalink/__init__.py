"""DataLink 1.1: `/datalink/links`, what belongs to rows of the published tables."""
