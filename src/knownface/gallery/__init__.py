"""The people known and their templates."""

from knownface.gallery.gallery import Gallery
from knownface.gallery.names import clean_name, name_key
from knownface.gallery.values import (
    GalleryInfo,
    GalleryVectors,
    NewTemplate,
    PeopleImport,
    Person,
    Refusal,
    Template,
)

__all__ = [
    "Gallery",
    "GalleryInfo",
    "GalleryVectors",
    "NewTemplate",
    "PeopleImport",
    "Person",
    "Refusal",
    "Template",
    "clean_name",
    "name_key",
]
