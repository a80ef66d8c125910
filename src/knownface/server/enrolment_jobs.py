"""Many people at once from an uploaded archive, as a job."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from fastapi import UploadFile

from knownface.enrolment import FileReview, enrol_people
from knownface.enrolment.archive import ArchiveLimits, check_archive, scan_unpacked, unpack_archive
from knownface.errors import KnownFaceError
from knownface.law.audit import Actor
from knownface.review import FacePolicy
from knownface.server.context import Service
from knownface.server.job_spool import KeptJob
from knownface.server.jobs import Job
from knownface.server.pictures import UPLOADED

KIND = "enrolment"
_TOLD = 1000
"""Files with something to say, in the result."""
_UNPACKED = 10
"""How many times what a request may hold an archive may take unpacked; photos hardly shrink."""


def start_enrolment_job(service: Service, upload: UploadFile, label: str, policy: FacePolicy, actor: Actor) -> Job:
    """Have everybody in an archive enrolled, in the background.

    Args:
        service: That runs it.
        upload: The archive.
        label: What it is called.
        policy: Which of several faces is meant.
        actor: Who asks for it, as the audit log takes it.

    Raises:
        InputError: It is no archive that is taken; see :func:`check_archive`.
        BusyError: Too many jobs are waiting.
    """
    facts = {"label": label, "faces": policy, "actor": asdict(actor)}
    with service.jobs.keep(KIND, facts, upload.file) as kept:
        check_archive(kept.upload, _limits(service))
        return go_on_with_enrolment(service, kept)


def go_on_with_enrolment(service: Service, kept: KeptJob) -> Job:
    """Begin with an archive that is kept, or go on with it: what is enrolled already is known by its content.

    Raises:
        BusyError: Too many jobs are waiting.
    """
    return service.jobs.start(KIND, lambda: _enrol(service, kept), kept)


def _enrol(service: Service, kept: KeptJob) -> dict[str, Any]:
    folder = kept.folder / "unpacked"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        refused = unpack_archive(kept.upload, folder, _limits(service))
        scan, listed = scan_unpacked(folder)
        if listed is not None:
            service.gallery.import_people(listed)
    except KnownFaceError as error:
        error.message = error.message.replace(f"{folder}/", "").replace(str(folder), kept.facts["label"])
        raise
    reviews = [*refused, *scan.refused]
    try:
        for review in _reviews(service, kept, folder, scan.people):
            reviews.append(review)
            service.jobs.report(len(reviews) - len(refused) - len(scan.refused), scan.file_count)
    finally:
        counts = Counter(review.status for review in reviews)
        actor = Actor(**kept.facts["actor"])
        service.audit.note(actor, "templates.add-many", enrolled=counts["enrolled"], held=counts["held"])
    service.metrics.enrolled(sum(review.templates for review in reviews))
    return {"file": kept.facts["label"], **_told(reviews, folder)}


def _reviews(service: Service, kept: KeptJob, folder: Path, people: Any) -> Iterator[FileReview]:
    recognizer = service.recognizer
    options = replace(
        recognizer.enrolment_options(kept.facts["faces"]),
        threads=1,  # so that pictures are answered meanwhile
        max_pixels=service.settings.max_upload_pixels,
        source_of=lambda path: f"{UPLOADED}{path.relative_to(folder)}",
        keep_crops=recognizer.settings.keeps_crops,
    )
    yield from enrol_people(people, service.gallery, recognizer.detector, recognizer.follow(), options)


def _told(reviews: list[FileReview], folder: Path) -> dict[str, Any]:
    counts = Counter(review.status for review in reviews)
    to_tell = [review for review in reviews if review.text and review.status != "known"]
    return {
        **{status: counts[status] for status in ("enrolled", "known", "held", "refused")},
        "templates": sum(review.templates for review in reviews),
        "people": len({review.person for review in reviews if review.status == "enrolled"}),
        "files": [
            {
                "file": review.path.relative_to(folder).as_posix(),
                "person": review.person,
                "status": review.status,
                "reason": review.reason,
                "text": review.text.replace(f"{folder}/", ""),
            }
            for review in to_tell[:_TOLD]
        ],
        "more": max(0, len(to_tell) - _TOLD),
    }


def _limits(service: Service) -> ArchiveLimits:
    most = service.settings.max_request_bytes
    return ArchiveLimits(file_bytes=most, bytes=_UNPACKED * most)
