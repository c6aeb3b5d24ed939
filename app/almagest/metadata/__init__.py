"""What the archive publishes: schemas, tables and columns, their rights and origin, and who may read them."""
