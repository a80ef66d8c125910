"""The network that the gallery is of, and changing it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import Response

from knownface.embedding import check_known, networks_at_hand
from knownface.enrolment import Migration
from knownface.errors import BusyError, GalleryEmptyError, UnknownModelError
from knownface.server.access import guarded_router, needs
from knownface.server.context import Service
from knownface.server.error_responses import errors
from knownface.server.routes.background import job_schema
from knownface.server.routes.common import CallerDep, ServiceDep
from knownface.server.schemas.service import JobSchema, KeptNetwork, NetworkRequest, NetworkSchema

router = guarded_router("network")

JOB = "network"
_LISTED = 1000
"""Faces that were not found again, at most, in an answer."""


@router.get("/network", dependencies=needs("viewer"), responses=errors(), summary="Read the network")
def read_network(service: ServiceDep) -> NetworkSchema:
    """Which network faces are compared by, and what it can be changed to."""
    return network_of(service)


@router.post(
    "/network",
    dependencies=needs("admin"),
    status_code=202,
    responses=errors(GalleryEmptyError, UnknownModelError, BusyError),
    summary="Change the network",
)
def change_network(service: ServiceDep, caller: CallerDep, wanted: NetworkRequest, response: Response) -> JobSchema:
    """Brings the gallery over to another network, in the background, without enrolling again.

    Every template is embedded anew, from the file that it came from or from the picture that was kept of its face; the
    service answers as before until all of it is there, then goes on with the new network. Faces that are not found
    again are listed in the result of the job (`GET /v1/jobs/{job_id}`), and nothing is changed, unless `leave_out` is
    true: then they are set aside. Stopped, by `DELETE /v1/jobs/{job_id}` or with the service, it loses nothing: asked
    for again, it goes on where it was.
    """
    check_known(wanted.embedder, service.models)
    service.gallery.index.check_not_empty()

    def work() -> Mapping[str, Any]:
        before = service.recognizer.follow().contract.name
        # One thread: the service has pictures to look at.
        migration = service.recognizer.migrate(
            wanted.embedder, leave_out=wanted.leave_out, threads=1, on_progress=service.jobs.report
        )
        now, change = migration.embedder.contract.name, migration.change
        if change is not None:
            counts = {"templates": change.templates, "set_aside": change.set_aside}
            service.audit.note(caller.actor, "network.change", before=before, now=now, **counts)
        return _result(service, migration)

    job = service.jobs.start(JOB, work)
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return job_schema(job)


def network_of(service: Service) -> NetworkSchema:
    """The network in use, and what it can be changed to."""
    gallery = service.gallery
    return NetworkSchema(
        embedder=service.recognizer.embedder.contract.name,
        at_hand=networks_at_hand(service.models),
        kept=[KeptNetwork(name=other.name, vectors=other.templates) for other in gallery.migration.others()],
        set_aside=len(gallery.template_store.set_aside()),
    )


def _result(service: Service, migration: Migration) -> dict[str, Any]:
    change, name = migration.change, migration.embedder.contract.name
    wished = service.recognizer.settings.embedder
    told = change is not None and wished not in {"auto", name}
    lost = [migration.lost[template_id] for template_id in sorted(migration.lost)]
    return {
        "embedder": name,
        "changed": change is not None,
        "templates": len(service.gallery) if change is None else change.templates,
        "restored": 0 if change is None else change.restored,
        "set_aside": 0 if change is None else change.set_aside,
        "thresholds": 0 if change is None else change.thresholds,
        "lost": [
            {"template": each.face.id, "person": each.face.person, "source": each.face.source, "reason": each.reason}
            for each in lost[:_LISTED]
        ],
        "lost_count": len(lost),
        "note": f"The settings name the embedder {wished}: set it to {name}, or to auto, before the next start."
        if told
        else "",
    }
