"""ADQL 2.1 to PostgreSQL and pgSphere. Pure: no framework, no database, no clock."""
