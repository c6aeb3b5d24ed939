"""PURE. What an archive publishes, as queries, encoders and documents see it: schemas, tables, columns and names."""

from almagest.catalogue.catalogue import Catalogue, Column, Datatype, ForeignKey, Names, Schema, Table
from almagest.catalogue.names import RESERVED, written

__all__ = ["RESERVED", "Catalogue", "Column", "Datatype", "ForeignKey", "Names", "Schema", "Table", "written"]
