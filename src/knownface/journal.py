"""What came of each file of an identification, and the journal that lets a stopped run go on."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from knownface.errors import OutputError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FaceRow:
    """One face of one picture, as written to tables and files; or that a file shows none, or cannot be read.

    Attributes:
        file: The photo or video.
        time: Seconds from the start of the video; None for a photo.
        box: ``[x, y, width, height]`` in whole pixels, within the picture; None where there is no face.
        name: The person's name, or None for Unknown.
        distance: To the person named, or to anybody when Unknown; None with an empty gallery.
        votes: Templates that voted for the person.
        stage: 1 or 2; 0 for Unknown.
        reason: Why the decision is what it is; ``no face``, or the code of the error.
        candidates: The nearest people, as ``{"name", "distance", "votes"}``, if asked for.
        error: Why the file could not be read, or only in part.
        liveness: How live the face looks, 0 to 1, where that is checked.
        accuracy: How often a stranger would get a name too, where that is asked for.
    """

    file: str
    time: float | None
    box: list[int] | None
    name: str | None
    distance: float | None
    votes: int
    stage: int
    reason: str
    candidates: list[dict[str, Any]] | None = None
    error: str | None = None
    liveness: float | None = None
    accuracy: dict[str, Any] | None = None

    @classmethod
    def without_face(cls, file: str, reason: str, error: str | None = None) -> FaceRow:
        """The row of a file without a face."""
        return cls(file, None, None, None, None, 0, 0, reason, error=error)

    def to_dict(self) -> dict[str, Any]:
        """As a JSON object; without what is optional where there is none."""
        optional = {"candidates", "error", "liveness", "accuracy"}
        return {key: value for key, value in asdict(self).items() if key not in optional or value is not None}


@dataclass(frozen=True, slots=True)
class FileResult:
    """What came of one file.

    Attributes:
        path: The file.
        rows: Its faces.
        error: Why it could not be used, or None; rows found before the error are kept.
        code: The error's stable word.
        annotated: The labelled copy that was written, or None.
        resumed: Whether an earlier run had done it.
    """

    path: Path
    rows: tuple[FaceRow, ...]
    error: str | None = None
    code: str | None = None
    annotated: Path | None = None
    resumed: bool = False

    @property
    def entries(self) -> tuple[FaceRow, ...]:
        """Its faces, and a row of its own for an error or where there is no face: no file is left out."""
        if self.error is not None:
            return (*self.rows, FaceRow.without_face(str(self.path), self.code or "error", self.error))
        return self.rows or (FaceRow.without_face(str(self.path), "no face"),)


def _state(path: Path) -> list[int]:
    """Size and time of a file's last change; both 0 where it is gone."""
    try:
        status = path.stat()
    except OSError:
        return [0, 0]
    return [status.st_size, status.st_mtime_ns]


def _result_of(entry: dict[str, Any]) -> FileResult:
    rows = tuple(FaceRow(**row) for row in entry["rows"])
    annotated = Path(entry["annotated"]) if entry["annotated"] else None
    return FileResult(Path(entry["file"]), rows, entry["error"], entry["code"], annotated, resumed=True)


class Journal:
    """What a run has done so far, a line a file, so that the same run can go on after a stop.

    It lies beside the result as ``RESULT.partial``; its first line is a digest of what the answers depend on. With
    another gallery, embedder or rule the run starts anew, and so does a file that has changed since.

    Args:
        result: The file that the run will write in the end.
        depends_on: Whatever the answers depend on, as a text.
    """

    def __init__(self, result: Path, depends_on: str) -> None:
        self.path = result.with_name(result.name + ".partial")
        self._digest = hashlib.sha256(depends_on.encode()).hexdigest()
        self.done: dict[str, FileResult] = {}
        try:
            self._read()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            fresh = not self.done
            self._file = self.path.open("w" if fresh else "a", encoding="ascii")
            if fresh:
                self._write({"knownface": self._digest})
        except OSError as error:
            raise OutputError(f"{self.path} cannot be written: {error.strerror}.") from error

    def _read(self) -> None:
        if not self.path.exists():
            return
        text = self.path.read_text(encoding="utf-8", errors="replace")
        # A line without its end was cut off by a crash: it goes, and its file is done again.
        whole = text[: text.rfind("\n") + 1]
        lines = whole.split("\n")[:-1]
        if not lines or lines[0] != json.dumps({"knownface": self._digest}):
            _log.warning("%s is of another gallery or of other options; the run starts anew.", self.path)
            return
        try:
            for line in lines[1:]:
                entry = json.loads(line)
                result = _result_of(entry)
                if entry["state"] == _state(result.path):
                    self.done[str(result.path)] = result
        except (ValueError, KeyError, TypeError) as error:
            _log.warning("%s is damaged (%s): the files after that are done again.", self.path, error)
            whole = "\n".join(lines[: lines.index(line)]) + "\n"
        if len(whole) < len(text):
            self.path.write_text(whole, encoding="utf-8")

    def add(self, result: FileResult) -> None:
        """Note a file that is done.

        Raises:
            OutputError: The journal cannot be written.
        """
        self._write(
            {
                "file": str(result.path),
                "state": _state(result.path),
                "rows": [asdict(row) for row in result.rows],
                "error": result.error,
                "code": result.code,
                "annotated": str(result.annotated) if result.annotated else None,
            }
        )

    def _write(self, entry: dict[str, Any]) -> None:
        try:
            self._file.write(json.dumps(entry) + "\n")
            self._file.flush()
        except OSError as error:
            raise OutputError(f"{self.path} cannot be written: {error.strerror}.") from error

    def close(self) -> None:
        """Stop writing; the journal stays, so that the run can go on."""
        self._file.close()

    def finish(self) -> None:
        """The result is written: the journal goes."""
        self.close()
        self.path.unlink(missing_ok=True)
