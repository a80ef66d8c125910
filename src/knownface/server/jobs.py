"""Longer things that run in the background, one at a time, and can be asked after."""

from __future__ import annotations

import logging
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from knownface.errors import BusyError, KnownFaceError, NotFoundError, StoppedError

_log = logging.getLogger(__name__)

State: TypeAlias = Literal["waiting", "running", "done", "failed"]
_KEPT = 100
_WAITING = 8
_ID = re.compile("[0-9a-f]{6}-[0-9a-f]{10}")


@dataclass(frozen=True, slots=True)
class Job:
    """Something that runs in the background.

    Attributes:
        id: To ask after it.
        kind: What is done, such as ``calibration``.
        state: How far it is.
        created: UTC.
        finished: When it was done or failed.
        result: What came of it.
        error: Why it failed.
        done: How much of it is done, where it tells; of ``total``.
        total: How much there is.
    """

    id: str
    kind: str
    state: State
    created: datetime
    finished: datetime | None = None
    result: Mapping[str, Any] | None = None
    error: KnownFaceError | None = None
    done: int | None = None
    total: int | None = None


class Jobs:
    """Runs jobs one after the other. They are not kept: a restart forgets them, and what was not done is not done.

    Their ids begin with a word of this run of the service, so that a lost job and one that never was differ.
    """

    def __init__(self) -> None:
        self._run_word = secrets.token_hex(3)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="job")
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._running = ""
        self._stopped: set[str] = set()
        self._closing = False

    def start(self, kind: str, work: Callable[[], Mapping[str, Any]]) -> Job:
        """Have something done.

        Raises:
            BusyError: Too many jobs are waiting.
        """
        job = Job(f"{self._run_word}-{secrets.token_hex(5)}", kind, "waiting", datetime.now(UTC))
        with self._lock:
            if sum(other.state in {"waiting", "running"} for other in self._jobs.values()) >= _WAITING:
                raise BusyError(f"{_WAITING} jobs are waiting already.", retry_after=30)
            self._jobs[job.id] = job
            over = [i for i, other in self._jobs.items() if other.state in {"done", "failed"}][
                : len(self._jobs) - _KEPT
            ]
            for old in over:
                del self._jobs[old]
        self._pool.submit(self._run, job, work)
        return job

    def get(self, job_id: str) -> Job:
        """A job as it is now.

        Raises:
            NotFoundError: There is none of this id, it is long done, or it was lost with the service that ran it.
        """
        with self._lock:
            job = self._jobs.get(job_id)
        if job is None:
            if _ID.fullmatch(job_id) and not job_id.startswith(f"{self._run_word}-"):
                raise NotFoundError(
                    f"The job {job_id} was lost: the service was started anew since, or another one ran it.",
                    "What it had not finished was not done; ask for it again.",
                )
            raise NotFoundError(f"There is no job {job_id[:40]!r}.", "Those long done are forgotten.")
        return job

    def all(self) -> list[Job]:
        """The jobs known, oldest first."""
        with self._lock:
            return list(self._jobs.values())

    def report(self, done: int, total: int) -> None:
        """Tell how far the job that runs is; called by it, and often if it is to be stopped between two calls.

        Raises:
            StoppedError: It is to end.
        """
        with self._lock:
            job = self._jobs[self._running]
            self._jobs[job.id] = replace(job, done=done, total=total)
            if self._closing or job.id in self._stopped:
                raise StoppedError("The job was stopped.")

    def stop(self, job_id: str) -> Job:
        """Ask a job to end; one that waits, or does not tell how far it is, is done all the same.

        Raises:
            NotFoundError: As :meth:`get`.
        """
        job = self.get(job_id)
        with self._lock:
            self._stopped.add(job_id)
        return job

    def close(self) -> None:
        """Wait for what is running, or has it end early where it tells how far it is; what waits is not done."""
        self._closing = True
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, job: Job, work: Callable[[], Mapping[str, Any]]) -> None:
        self._put(replace(job, state="running"))
        self._running = job.id
        done = replace(job, state="failed", error=KnownFaceError("It failed; the log of the service says why."))
        try:
            done = replace(job, state="done", result=work())
        except KnownFaceError as error:
            done = replace(job, state="failed", error=error)
        except BaseException:
            _log.exception("The job %s failed", job.kind)
            raise
        finally:
            self._stopped.discard(job.id)
            told = self.get(job.id)
            self._put(replace(done, done=told.done, total=told.total, finished=datetime.now(UTC)))

    def _put(self, job: Job) -> None:
        with self._lock:
            self._jobs[job.id] = job
