"""The people known and their templates."""

from knownface.gallery.calibration import GalleryCalibration
from knownface.gallery.enrolled import EnrolledFaces
from knownface.gallery.gallery import Gallery
from knownface.gallery.names import clean_name, name_key
from knownface.gallery.values import (
    KEEP,
    Enrolled,
    GalleryInfo,
    GalleryVectors,
    Keep,
    NewTemplate,
    PeopleImport,
    Person,
    PersonKey,
    Refusal,
    Template,
)

__all__ = [
    "KEEP",
    "Enrolled",
    "EnrolledFaces",
    "Gallery",
    "GalleryCalibration",
    "GalleryInfo",
    "GalleryVectors",
    "Keep",
    "NewTemplate",
    "PeopleImport",
    "Person",
    "PersonKey",
    "Refusal",
    "Template",
    "clean_name",
    "name_key",
]
