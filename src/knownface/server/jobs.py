"""Longer things that run in the background, one at a time, and can be asked after."""

from __future__ import annotations

import contextlib
import logging
import re
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, BinaryIO, Literal, TypeAlias

from knownface.errors import BusyError, KnownFaceError, NotFoundError, StoppedError
from knownface.server.job_spool import JobSpool, KeptJob

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
        resumed: Whether the service was started anew since it was first begun.
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
    resumed: bool = False


class Jobs:
    """Runs jobs one after the other. A restart goes on with those that have an upload kept, and forgets the others.

    Their ids begin with a word of this run of the service, so that a lost job and one that never was differ.

    Args:
        spool: Where uploads are kept.
    """

    def __init__(self, spool: JobSpool) -> None:
        self._spool = spool
        self._run_word = secrets.token_hex(3)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="job")
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._running = ""
        self._stopped: set[str] = set()
        self._closing = False

    @contextlib.contextmanager
    def keep(self, kind: str, facts: Mapping[str, Any], upload: BinaryIO) -> Iterator[KeptJob]:
        """Keep the upload of a job that is to be started meanwhile; it is deleted if that fails."""
        kept = self._spool.new(self._new_id(), kind, facts)
        try:
            with kept.upload.open("wb") as stored:
                shutil.copyfileobj(upload, stored)
            yield kept
        except BaseException:
            kept.forget()
            raise

    def left(self) -> list[KeptJob]:
        """Jobs with uploads that an earlier run of the service did not finish, told once."""
        return self._spool.left()

    def start(self, kind: str, work: Callable[[], Mapping[str, Any]], kept: KeptJob | None = None) -> Job:
        """Have something done.

        Args:
            kind: What is done.
            work: Does it; its result holds plain values.
            kept: Its upload, which is deleted when it is done, and kept where the service ends before.

        Raises:
            BusyError: Too many jobs are waiting.
        """
        if kept is None:
            job = Job(self._new_id(), kind, "waiting", datetime.now(UTC))
        else:
            job = Job(kept.id, kind, "waiting", kept.created, resumed=kept.starts > 0)
        with self._lock:
            if sum(other.state in {"waiting", "running"} for other in self._jobs.values()) >= _WAITING:
                raise BusyError(f"{_WAITING} jobs are waiting already.", retry_after=30)
            self._jobs[job.id] = job
            over = [i for i, other in self._jobs.items() if other.state in {"done", "failed"}][
                : len(self._jobs) - _KEPT
            ]
            for old in over:
                del self._jobs[old]
        self._pool.submit(self._run, job, work, kept)
        return job

    def give_up(self, kept: KeptJob) -> None:
        """Tell of a job that ended with the service too often that it is not begun again; its upload is deleted."""
        error = StoppedError(
            f"The service ended {kept.starts} times while this job ran, so it was given up.",
            "Ask for it again in smaller parts; the log of the service may say more.",
        )
        self._put(Job(kept.id, kept.kind, "failed", kept.created, datetime.now(UTC), error=error, resumed=True))
        kept.forget()

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
        self._spool.close()

    def _new_id(self) -> str:
        return f"{self._run_word}-{secrets.token_hex(5)}"

    def _run(self, job: Job, work: Callable[[], Mapping[str, Any]], kept: KeptJob | None) -> None:
        if kept is not None:
            kept = kept.begin()
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
            if kept is not None and not (self._closing and isinstance(done.error, StoppedError)):
                kept.forget()

    def _put(self, job: Job) -> None:
        with self._lock:
            self._jobs[job.id] = job
