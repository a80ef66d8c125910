"""The people known and their templates."""

from knownface.gallery.calibration import GalleryCalibration
from knownface.gallery.consents import BASES, PURPOSES, Consent, NewConsent
from knownface.gallery.enrolled import EnrolledFaces
from knownface.gallery.exclusions import Exclusion
from knownface.gallery.gallery import Gallery
from knownface.gallery.history import Edit, History
from knownface.gallery.migration import WaitingFace
from knownface.gallery.names import clean_name, name_key
from knownface.gallery.network_change import NetworkChange
from knownface.gallery.values import (
    UNSET,
    Enrolled,
    GalleryInfo,
    GalleryVectors,
    HeldPicture,
    NewHeld,
    NewTemplate,
    OtherNetwork,
    PeopleImport,
    Person,
    PersonKey,
    Refusal,
    RemovedPerson,
    SetAsideTemplate,
    Template,
    Unset,
)

__all__ = [
    "BASES",
    "PURPOSES",
    "UNSET",
    "Consent",
    "Edit",
    "Enrolled",
    "EnrolledFaces",
    "Exclusion",
    "Gallery",
    "GalleryCalibration",
    "GalleryInfo",
    "GalleryVectors",
    "HeldPicture",
    "History",
    "NetworkChange",
    "NewConsent",
    "NewHeld",
    "NewTemplate",
    "OtherNetwork",
    "PeopleImport",
    "Person",
    "PersonKey",
    "Refusal",
    "RemovedPerson",
    "SetAsideTemplate",
    "Template",
    "Unset",
    "WaitingFace",
    "clean_name",
    "name_key",
]
