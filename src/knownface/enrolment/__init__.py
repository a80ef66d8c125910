"""Folders of photos and videos into a gallery: who is in them, and what becomes of each file."""

from knownface.enrolment.kept_faces import renew_kept_faces
from knownface.enrolment.migration import MigratedFace, Migration, MigrationOptions
from knownface.enrolment.part_weights import learn_join
from knownface.enrolment.run import EnrolmentOptions, EnrolmentReport, enrol_people
from knownface.enrolment.scan import FileReview, PeopleScan, PersonFolder, scan_files, scan_people
from knownface.enrolment.sync import SyncPlan, apply_sync, plan_sync

__all__ = [
    "EnrolmentOptions",
    "EnrolmentReport",
    "FileReview",
    "MigratedFace",
    "Migration",
    "MigrationOptions",
    "PeopleScan",
    "PersonFolder",
    "SyncPlan",
    "apply_sync",
    "enrol_people",
    "learn_join",
    "plan_sync",
    "renew_kept_faces",
    "scan_files",
    "scan_people",
]
