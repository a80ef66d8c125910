"""The database that a gallery is kept in: engine, schema, migrations, backup, and deletion that deletes."""

from knownface.storage.backup import backup, restore
from knownface.storage.database import Database
from knownface.storage.engine import insert_new, insert_one
from knownface.storage.location import Location, parse_location

__all__ = [
    "Database",
    "Location",
    "backup",
    "insert_new",
    "insert_one",
    "parse_location",
    "restore",
]
