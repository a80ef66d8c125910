"""Folders of photos and videos into a gallery: who is in them, and what becomes of each file."""

from knownface.enrolment.migration import MigratedFace, Migration, MigrationOptions
from knownface.enrolment.part_weights import learn_join
from knownface.enrolment.run import EnrolmentOptions, EnrolmentReport, enrol_people
from knownface.enrolment.scan import FileReview, PeopleScan, PersonFolder, scan_people

__all__ = [
    "EnrolmentOptions",
    "EnrolmentReport",
    "FileReview",
    "MigratedFace",
    "Migration",
    "MigrationOptions",
    "PeopleScan",
    "PersonFolder",
    "enrol_people",
    "learn_join",
    "scan_people",
]
