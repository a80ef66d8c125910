"""Calibration, and the jobs that run in the background."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import Response

from knownface.errors import BusyError, GalleryEmptyError, NotFoundError
from knownface.server.access import guarded_router, needs
from knownface.server.jobs import Job
from knownface.server.problems import answers, problem_of
from knownface.server.routes.common import Here, WhoAsks
from knownface.server.shapes.service import (
    CalibrationRequest,
    CalibrationShape,
    CalibrationState,
    JobShape,
    RuleShape,
)

router = guarded_router("calibration and jobs")


@router.get("/calibration", dependencies=needs("viewer"), responses=answers(), summary="Read the calibration")
def read_calibration(service: Here) -> CalibrationState:
    """The parameters in force, where they come from, and whether they still promise what they did."""
    kept = service.gallery.calibration
    return CalibrationState(
        rule=RuleShape.model_validate(service.recognizer.rule),
        notes=list(service.recognizer.notes),
        calibration=None if kept is None else CalibrationShape.model_validate(kept),
    )


@router.post(
    "/calibration",
    dependencies=needs("admin"),
    status_code=202,
    responses=answers(GalleryEmptyError, BusyError),
    summary="Calibrate",
)
def calibrate(service: Here, caller: WhoAsks, wanted: CalibrationRequest, response: Response) -> JobShape:
    """Chooses the parameters for the false alarms that you accept, in the background; each person is left out in turn.

    Ask `GET /v1/jobs/{job_id}` for what came of it. It is used from then on. Few people cannot promise a low rate: the
    job then fails with the code `too-few-strangers`, and how many would do; the command `knownface calibrate` takes
    pictures of strangers along.
    """
    from knownface.evaluation.gallery_calibration import calibrate_gallery

    service.gallery.check_not_empty()

    def work() -> Mapping[str, Any]:
        result = calibrate_gallery(service.gallery, fpir=wanted.fpir, confidence=wanted.confidence)
        service.recognizer.read_rule()
        service.audit.note(caller.actor, "calibration.run", fpir=wanted.fpir, threshold=result.rule.threshold)
        return {"sentence": result.sentence, "rule": RuleShape.model_validate(result.rule).model_dump()}

    job = service.jobs.start("calibration", work)
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return _told(job)


@router.delete(
    "/calibration", dependencies=needs("admin"), status_code=204, responses=answers(), summary="Forget the calibration"
)
def forget_calibration(service: Here, caller: WhoAsks) -> None:
    """Takes the calibration away; the embedder's own parameters are used again."""
    service.gallery.set_calibration(None)
    service.recognizer.read_rule()
    service.audit.note(caller.actor, "calibration.forget")


@router.get("/jobs", dependencies=needs("viewer"), responses=answers(), summary="List jobs")
async def list_jobs(service: Here) -> list[JobShape]:
    """What runs or ran in the background since the service started, oldest first."""
    return [_told(job) for job in service.jobs.all()]


@router.get("/jobs/{job_id}", dependencies=needs("viewer"), responses=answers(NotFoundError), summary="Read a job")
async def read_job(service: Here, job_id: str) -> JobShape:
    """How far a job is, and what came of it."""
    return _told(service.jobs.get(job_id))


def _told(job: Job) -> JobShape:
    return JobShape(
        id=job.id,
        kind=job.kind,
        state=job.state,
        created=job.created,
        finished=job.finished,
        result=dict(job.result) if job.result is not None else None,
        problem=problem_of(job.error) if job.error else None,
    )
