"""Jobs with uploads that the service ended on: begun again when it starts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final

from knownface.errors import BusyError, KnownFaceError
from knownface.server import enrolment_jobs, video_jobs
from knownface.server.context import Service
from knownface.server.job_spool import MOST_STARTS, KeptJob
from knownface.server.jobs import Job

_log = logging.getLogger(__name__)

_GO_ON: Final[Mapping[str, Callable[[Service, KeptJob], Job]]] = {
    video_jobs.KIND: video_jobs.go_on_with_video,
    enrolment_jobs.KIND: enrolment_jobs.go_on_with_enrolment,
}


def resume_jobs(service: Service) -> None:
    """Go on with what an earlier run of the service had not finished."""
    for kept in service.jobs.left():
        if kept.starts >= MOST_STARTS or kept.kind not in _GO_ON:
            service.jobs.give_up(kept)
            continue
        try:
            _GO_ON[kept.kind](service, kept)
        except BusyError as error:  # the next start goes on with it
            _log.warning("A job waits: %s", error)
        except KnownFaceError as error:
            _log.warning("A job was not begun again: %s", error)
            kept.forget()
