"""The input contract as data: what a batch, its files and their columns look like."""

from settlement.contract.manifest import BATCH_ID, DeliveredFile, Manifest, parse_manifest
from settlement.contract.tables import TABLES, Column, Table, tables_of

__all__ = ["BATCH_ID", "TABLES", "Column", "DeliveredFile", "Manifest", "Table", "parse_manifest", "tables_of"]
