"""Videos: who is in one and when, in the background."""

from __future__ import annotations

from typing import Annotated

from fastapi import File, Response, UploadFile

from knownface.errors import BusyError, TooLargeError, UnreadableError, UnsupportedError
from knownface.server.access import guarded_router, needs
from knownface.server.error_responses import errors
from knownface.server.routes.background import job_schema
from knownface.server.routes.common import CallerDep, ServiceDep
from knownface.server.schemas.service import JobSchema
from knownface.server.uploads import label_of
from knownface.server.video_jobs import start_video_job

router = guarded_router("faces")


@router.post(
    "/videos",
    dependencies=needs("operator"),
    status_code=202,
    responses=errors(UnreadableError, UnsupportedError, TooLargeError, BusyError),
    summary="Name the people of a video",
)
def identify_video(
    service: ServiceDep,
    caller: CallerDep,
    video: Annotated[list[UploadFile], File(min_length=1, max_length=1, description="One video file.")],
    response: Response,
) -> JobSchema:
    """Follows the faces of a video in the background and tells who is in it from when to when.

    Ask `GET /v1/jobs/{job_id}`: `done` of `total` frames; then `result` holds `seconds`, `frames` and `people`, whoever
    is seen longest first, each with `name` and `person_id` (null: Unknown), `seconds` and `stretches` with `from` and
    `to` in seconds, `best_distance` and `frames`; and `doubts`, stretches whose pictures are exactly equal (`kind`
    `still`) or of one colour (`blank`), since a video that cannot be read right looks like an empty scene.
    `DELETE /v1/jobs/{job_id}` ends it. Nothing of the video is kept.
    """
    job = start_video_job(service, video[0], label_of(video[0]) or "video")
    service.audit.note(caller.actor, "video.identify")
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return job_schema(job)
