"""Calibration, and the jobs that run in the background."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from fastapi import File, Response, UploadFile

from knownface.errors import BusyError, ForbiddenError, GalleryEmptyError, NotFoundError, TooLargeError
from knownface.server import uploads
from knownface.server.access import guarded_router, needs
from knownface.server.enrolment_jobs import KIND as ENROLMENT
from knownface.server.error_responses import errors, problem_of
from knownface.server.jobs import Job
from knownface.server.keys import allows
from knownface.server.looking import LookingDep
from knownface.server.routes.common import CallerDep, ServiceDep
from knownface.server.routes.faces import check_count
from knownface.server.schemas.service import (
    AddedStrangers,
    CalibrationRequest,
    CalibrationSchema,
    CalibrationState,
    JobSchema,
    RuleSchema,
    StrangerSchema,
    StrangersSchema,
)
from knownface.server.video_jobs import KIND as VIDEO

router = guarded_router("calibration and jobs")


@router.get("/calibration", dependencies=needs("viewer"), responses=errors(), summary="Read the calibration")
def read_calibration(service: ServiceDep) -> CalibrationState:
    """The parameters in force, where they come from, and whether they still guarantee what they did."""
    kept = service.gallery.calibration
    return CalibrationState(
        rule=RuleSchema.model_validate(service.recognizer.rule),
        threshold_source=service.recognizer.parameters.source,
        fpir=service.recognizer.settings.fpir,
        notes=list(service.recognizer.notes),
        calibration=None if kept is None else CalibrationSchema.model_validate(kept),
    )


@router.post(
    "/calibration",
    dependencies=needs("admin"),
    status_code=202,
    responses=errors(GalleryEmptyError, BusyError),
    summary="Calibrate",
)
def calibrate(service: ServiceDep, caller: CallerDep, wanted: CalibrationRequest, response: Response) -> JobSchema:
    """Chooses the parameters for the false alarms that you accept, in the background.

    Each person of the gallery is left out in turn and should be Unknown to the others; the strangers that were sent to
    `/v1/calibration/strangers` should be Unknown too. Ask `GET /v1/jobs/{job_id}` for what came of it; it is used from
    then on. Few strangers cannot guarantee a low rate: the job then fails with the code `too-few-strangers`, and how
    many would do, and what was in force stays.
    """
    from knownface.evaluation.gallery_calibration import calibrate_gallery

    service.gallery.index.check_not_empty()

    def work() -> Mapping[str, Any]:
        network = service.recognizer.follow().contract.fingerprint
        strangers = service.strangers.faces(network) if wanted.strangers else None
        missed = service.strangers.count(network).without_face if wanted.strangers else 0
        result = calibrate_gallery(
            service.gallery,
            strangers,
            fpir=wanted.fpir,
            confidence=wanted.confidence,
            scoring=service.recognizer.settings.scoring,
            undetected_strangers=missed,
        )
        service.strangers.clear()
        service.audit.note(caller.actor, "calibration.run", fpir=wanted.fpir, threshold=result.rule.threshold)
        return {
            "sentence": result.sentence,
            "rule": RuleSchema.model_validate(result.rule).model_dump(),
            "strangers": result.strangers,
            "left_out": result.left_out,
        }

    job = service.jobs.start("calibration", work)
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return job_schema(job)


@router.get(
    "/calibration/strangers", dependencies=needs("admin"), responses=errors(), summary="Count the strangers sent"
)
def count_strangers(service: ServiceDep) -> StrangersSchema:
    """How many strangers the next calibration is measured with, besides the gallery's own people."""
    return _counted(service)


@router.post(
    "/calibration/strangers",
    dependencies=needs("admin"),
    responses=errors(TooLargeError, BusyError),
    summary="Send pictures of strangers",
)
async def add_strangers(
    service: ServiceDep,
    looking: LookingDep,
    pictures: Annotated[list[UploadFile], File(description="Of people who are not enrolled, each of another one.")],
) -> AddedStrangers:
    """Takes pictures of people who are not enrolled along for the next calibration; send as often as needed.

    The largest face of each counts. Embeddings only are held, in memory: until a calibration has succeeded, for an
    hour after the last picture, or until the service ends.
    """
    check_count(service, pictures)
    done = await looking.at_each(partial(uploads.stranger, service), pictures)
    outcomes = [
        StrangerSchema(
            file=uploads.label_of(picture),
            status=found.status,
            problem=problem_of(found.error) if found.error else None,
        )
        for picture, found in zip(pictures, done, strict=True)
    ]
    return AddedStrangers(pictures=outcomes, strangers=_counted(service))


@router.delete(
    "/calibration/strangers",
    dependencies=needs("admin"),
    status_code=204,
    responses=errors(),
    summary="Forget the strangers sent",
)
def forget_strangers(service: ServiceDep) -> None:
    """Forgets them now."""
    service.strangers.clear()


@router.delete(
    "/calibration", dependencies=needs("admin"), status_code=204, responses=errors(), summary="Forget the calibration"
)
def forget_calibration(service: ServiceDep, caller: CallerDep) -> None:
    """Takes the calibration away; the threshold is estimated again from the people enrolled."""
    service.gallery.set_calibration(None)
    service.audit.note(caller.actor, "calibration.forget")


@router.get("/jobs", dependencies=needs("viewer"), responses=errors(), summary="List jobs")
async def list_jobs(service: ServiceDep) -> list[JobSchema]:
    """What runs or ran in the background since the service started, oldest first."""
    return [job_schema(job) for job in service.jobs.all()]


@router.get("/jobs/{job_id}", dependencies=needs("viewer"), responses=errors(NotFoundError), summary="Read a job")
async def read_job(service: ServiceDep, job_id: str) -> JobSchema:
    """How far a job is, and what came of it."""
    return job_schema(service.jobs.get(job_id))


@router.delete("/jobs/{job_id}", dependencies=needs("operator"), responses=errors(NotFoundError), summary="Stop a job")
async def stop_job(service: ServiceDep, caller: CallerDep, job_id: str) -> JobSchema:
    """Asks a job that tells how far it is to end soon; others are done all the same.

    A video's and an archive's may be ended by whoever may begin one, others by administrators.
    """
    if service.jobs.get(job_id).kind not in {VIDEO, ENROLMENT} and not allows(caller.role, "admin"):
        raise ForbiddenError("This job may be stopped by administrators only.")
    return job_schema(service.jobs.stop(job_id))


def _counted(service: ServiceDep) -> StrangersSchema:
    network = service.recognizer.embedder.contract.fingerprint
    return StrangersSchema.model_validate(service.strangers.count(network))


def job_schema(job: Job) -> JobSchema:
    """A job as it is answered."""
    return JobSchema(
        id=job.id,
        kind=job.kind,
        state=job.state,
        created=job.created,
        finished=job.finished,
        result=dict(job.result) if job.result is not None else None,
        problem=problem_of(job.error) if job.error else None,
        done=job.done,
        total=job.total,
        resumed=job.resumed,
    )
