"""Catalogue files and demo catalogues → a table of the data database, its metadata, its indexes.

`source` finds the reader; `readers` and `demo` give typed columns and blocks of rows; `layout`
joins them with what people wrote about the table (`description`); `pgcopy` turns blocks into PostgreSQL's binary rows;
`load` puts them in place at once or not at all; `publish` tells the metadata.
"""
