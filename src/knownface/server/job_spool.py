"""Uploads that jobs work on, kept in files until the job is done, so that another start of the service goes on with it.

Nothing else of a job is kept: what came of it is told while the service runs, and holds names of people.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Self

MOST_STARTS = 3
"""A job that ended with the service so often is not begun again: it may be what ends it."""
KEPT = timedelta(days=7)
"""After which an upload goes that no start of the service has gone on with."""
_FACTS = "job.json"


@dataclass(frozen=True, slots=True)
class KeptJob:
    """A job with its upload.

    Attributes:
        id: Of the job.
        kind: What is done.
        created: UTC.
        facts: What it needs to know besides.
        starts: How often it was begun.
        folder: Where the upload lies.
    """

    id: str
    kind: str
    created: datetime
    facts: Mapping[str, Any]
    starts: int
    folder: Path

    @property
    def upload(self) -> Path:
        """The upload; without a suffix, so that its content says what it is."""
        return self.folder / "upload"

    def begin(self) -> Self:
        """Note that it is begun, once more."""
        begun = replace(self, starts=self.starts + 1)
        begun.write()
        return begun

    def write(self) -> None:
        """Keep what is known of it."""
        facts = {"kind": self.kind, "created": self.created.isoformat(), "facts": self.facts, "starts": self.starts}
        part = self.folder / f"{_FACTS}.part"
        part.write_text(json.dumps(facts), encoding="utf-8")
        part.replace(self.folder / _FACTS)

    def forget(self) -> None:
        """Delete the upload."""
        shutil.rmtree(self.folder, ignore_errors=True)


class JobSpool:
    """The uploads of one gallery's jobs: each running service has a place for itself, and takes over those left behind.

    Args:
        root: Of the gallery; made where it is not there.
    """

    def __init__(self, root: Path) -> None:
        self._folder, self._lock = _first_free(root)
        for place in root.iterdir():
            lock = None if place == self._folder else _locked(place)
            if lock is None:
                continue
            for folder in (entry for entry in place.iterdir() if entry.is_dir()):
                folder.rename(self._folder / folder.name)
            lock.close()
        self._left = _read(self._folder)

    def new(self, job_id: str, kind: str, facts: Mapping[str, Any]) -> KeptJob:
        """A folder for the upload of a job."""
        folder = self._folder / job_id
        folder.mkdir(mode=0o700)
        job = KeptJob(job_id, kind, datetime.now(UTC), facts, 0, folder)
        job.write()
        return job

    def left(self) -> list[KeptJob]:
        """Those that an earlier run of a service did not finish, oldest first; told once."""
        found, self._left = self._left, []
        return sorted(found, key=lambda job: job.created)

    def close(self) -> None:
        """Let another service have them."""
        self._lock.close()


def _first_free(root: Path) -> tuple[Path, sqlite3.Connection]:
    places = (root / str(number) for number in count())
    return next((place, lock) for place in places if (lock := _locked(place)) is not None)


def _locked(place: Path) -> sqlite3.Connection | None:
    """A lock on a place, unless another running program has it; it goes with this program, however it ends."""
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = sqlite3.connect(place / "lock", timeout=0, isolation_level=None, check_same_thread=False)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error:
        lock.close()
        return None
    return lock


def _read(place: Path) -> list[KeptJob]:
    found = []
    for folder in (entry for entry in place.iterdir() if entry.is_dir()):
        try:
            told = json.loads((folder / _FACTS).read_text("utf-8"))
            created = datetime.fromisoformat(told["created"])
            job = KeptJob(folder.name, told["kind"], created, told["facts"], told["starts"], folder)
        except (OSError, ValueError, KeyError, TypeError):
            job = None  # killed while the upload was written
        if job is None or not job.upload.is_file() or datetime.now(UTC) - job.created > KEPT:
            with contextlib.suppress(OSError):
                shutil.rmtree(folder)
            continue
        found.append(job)
    return found
