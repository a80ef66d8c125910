"""Many people at once."""

from __future__ import annotations

from typing import Annotated

from fastapi import File, Response, UploadFile

from knownface.errors import BusyError, InputError, TooLargeError, UnreadableError, UnsupportedError
from knownface.server.access import guarded_router, needs
from knownface.server.enrolment_jobs import start_enrolment_job
from knownface.server.error_responses import errors
from knownface.server.routes.background import job_schema
from knownface.server.routes.common import CallerDep, ServiceDep
from knownface.server.routes.faces import FacePolicyForm
from knownface.server.schemas.service import JobSchema
from knownface.server.uploads import label_of

router = guarded_router("people")


@router.post(
    "/enrolments",
    dependencies=needs("operator"),
    status_code=202,
    responses=errors(UnreadableError, UnsupportedError, InputError, TooLargeError, BusyError),
    summary="Learn many people at once",
)
def enrol_archive(
    service: ServiceDep,
    caller: CallerDep,
    archive: Annotated[list[UploadFile], File(min_length=1, max_length=1, description="A ZIP file.")],
    response: Response,
    faces: FacePolicyForm = "dominant",
) -> JobSchema:
    """Learns everybody in a ZIP archive in the background, with the review of each picture.

    The archive holds one folder a person, as `knownface enroll` reads it. A file `people.csv` beside the folders is
    imported first: `name`, `external_id`, `groups` and consents, as `knownface people import` reads it; its column
    `pictures`, where there is one, names files of the archive, separated by semicolons, in the place of folders.

    Ask `GET /v1/jobs/{job_id}`: `done` of `total` files; then `result` counts the files `enrolled`, `known`, `held`
    (waiting for a decision: `/v1/held`) and `refused`, and `files` says why, each with `person`, `reason` and `text`.
    `DELETE /v1/jobs/{job_id}` ends it; what was enrolled stays, and the same archive again goes on from there. A
    restart of the service goes on by itself. Where the gallery demands consent, people without one are refused.
    """
    job = start_enrolment_job(service, archive[0], label_of(archive[0]) or "archive", faces, caller.actor)
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return job_schema(job)
