"""The weight files: what is known about them, where they are, and running them."""

from knownface.models.catalog import Catalog, load_catalog, resolve
from knownface.models.entry import ModelEntry
from knownface.models.fetch import how_to_get
from knownface.models.store import ModelStore

__all__ = ["Catalog", "ModelEntry", "ModelStore", "how_to_get", "load_catalog", "resolve"]
