"""The database that a gallery is kept in: engine, schema, migrations, backup, and deletion that deletes."""

from knownface.storage.backup import Restored, backup, restore
from knownface.storage.database import Database
from knownface.storage.location import Location, parse_location
from knownface.storage.statements import insert_new, insert_one

__all__ = [
    "Database",
    "Location",
    "Restored",
    "backup",
    "insert_new",
    "insert_one",
    "parse_location",
    "restore",
]
