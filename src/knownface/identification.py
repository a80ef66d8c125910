"""Files in, names out: photos and videos one after another, with a journal that lets a stopped run go on."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from knownface.errors import InputError, KnownFaceError, OutputError
from knownface.media import Label, VideoWriter, draw_labels, kind_of, read_image, read_video, video_info, write_image
from knownface.recognizer import FaceRecognizer, Identification

_log = logging.getLogger(__name__)

DEFAULT_EVERY = 0.5
"""Seconds between the frames of a video that are looked at."""


@dataclass(frozen=True, slots=True)
class FaceRow:
    """One face of one picture, as written to tables and files.

    Attributes:
        file: The photo or video.
        time: Seconds from the start of the video; None for a photo.
        box: ``[x, y, width, height]`` in pixels.
        name: The person's name, or None for Unknown.
        distance: To the person named, or to anybody when Unknown; None with an empty gallery.
        votes: Templates that voted for the person.
        stage: 1 or 2; 0 for Unknown.
        reason: Why the decision is what it is.
        candidates: The nearest people, as ``{"name", "distance", "votes"}``, if asked for.
    """

    file: str
    time: float | None
    box: list[float]
    name: str | None
    distance: float | None
    votes: int
    stage: int
    reason: str
    candidates: list[dict[str, Any]] | None = None

    def as_dict(self) -> dict[str, Any]:
        """As a JSON object; without ``candidates`` where none were asked for."""
        row = asdict(self)
        if self.candidates is None:
            del row["candidates"]
        return row


@dataclass(frozen=True, slots=True)
class FileResult:
    """What came of one file.

    Attributes:
        path: The file.
        rows: Its faces.
        error: Why it could not be used, or None; rows found before the error are kept.
        annotated: The labelled copy that was written, or None.
        resumed: Whether an earlier run had done it.
    """

    path: Path
    rows: tuple[FaceRow, ...]
    error: str | None = None
    annotated: Path | None = None
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class IdentifyOptions:
    """How files are gone through.

    Attributes:
        every: Seconds between the frames of a video.
        top: How many candidates are told a face; 0 for none.
        allow_repeats: Whether one person may be given to several faces of a picture.
        annotate: Folder for labelled copies, or None.
    """

    every: float = DEFAULT_EVERY
    top: int = 0
    allow_repeats: bool = False
    annotate: Path | None = None


def identify_files(
    recognizer: FaceRecognizer,
    paths: Sequence[Path],
    options: IdentifyOptions,
    journal: Journal | None = None,
    on_frame: Callable[[Path, float], None] = lambda _path, _time: None,
) -> Iterator[FileResult]:
    """Name the faces of every file, in order.

    Args:
        recognizer: Who knows the people.
        paths: Photos and videos.
        options: How.
        journal: Files that it holds are not looked at again; new ones are added to it.
        on_frame: Told of every frame of a video that was decided, since one file may take long.
    """
    done = journal.done if journal else {}
    targets = annotation_targets(paths, options.annotate) if options.annotate else {}
    for is_done, group in groupby(paths, lambda path: str(path) in done):
        if is_done:
            for path in group:
                yield done[str(path)]
            continue
        for result in _look_at(recognizer, group, options, targets, on_frame):
            if journal:
                journal.add(result)
            yield result


def _look_at(
    recognizer: FaceRecognizer,
    paths: Iterable[Path],
    options: IdentifyOptions,
    targets: Mapping[Path, Path],
    on_frame: Callable[[Path, float], None],
) -> Iterator[FileResult]:
    for is_video, group in groupby(paths, _is_video):
        if is_video:
            for path in group:
                yield _video(recognizer, path, options, targets.get(path), on_frame)
        else:
            yield from _photos(recognizer, group, options, targets)


def _is_video(path: Path) -> bool:
    try:
        return kind_of(path) == "video"
    except InputError:
        return False  # reading it as a photo will say what is wrong


def _photos(
    recognizer: FaceRecognizer, paths: Iterable[Path], options: IdentifyOptions, targets: Mapping[Path, Path]
) -> Iterator[FileResult]:
    answers = recognizer.identify_many(
        paths,
        lambda path: read_image(path, recognizer.settings.max_pixels),
        allow_repeats=options.allow_repeats,
        top=options.top,
        keep_images=bool(targets),
    )
    for answer in answers:
        if answer.error is not None:
            yield FileResult(answer.item, (), _told(answer.item, answer.error))
            continue
        rows = _rows(recognizer, answer.item, None, answer.faces, options.top)
        target = targets.get(answer.item)
        if target is not None and answer.image is not None:
            write_image(target, draw_labels(answer.image, labels(answer.faces)))
        yield FileResult(answer.item, rows, annotated=target)


def _video(
    recognizer: FaceRecognizer,
    path: Path,
    options: IdentifyOptions,
    target: Path | None,
    on_frame: Callable[[Path, float], None],
) -> FileResult:
    rows: list[FaceRow] = []
    failed: KnownFaceError | None = None
    try:
        answers = recognizer.identify_many(
            read_video(path, options.every),
            lambda frame: frame.image,
            allow_repeats=options.allow_repeats,
            top=options.top,
        )
        looked_at: list[tuple[float, list[Label]]] = []
        for answer in answers:
            failed = failed or answer.error
            time = answer.item.time or 0.0
            rows += _rows(recognizer, path, time, answer.faces, options.top)
            if target is not None:
                looked_at.append((time, labels(answer.faces)))
            on_frame(path, time)
        if target is not None:
            _write_labelled_video(path, target, looked_at)
    except InputError as error:
        return FileResult(path, tuple(rows), _told(path, error))
    return FileResult(path, tuple(rows), _told(path, failed) if failed else None, target)


def _told(path: Path, error: KnownFaceError) -> str:
    """An error as one line that names the file and says what to do."""
    message = error.message if str(path) in error.message else f"{path}: {error.message}"
    return f"{message} {error.hint}".strip()


def _write_labelled_video(path: Path, target: Path, looked_at: Sequence[tuple[float, list[Label]]]) -> None:
    """Every frame of the video, with the labels of the frame that was looked at last."""
    with VideoWriter(target, video_info(path).fps, sound_from=path) as writer:
        current = -1
        for frame in read_video(path):
            while current + 1 < len(looked_at) and looked_at[current + 1][0] <= (frame.time or 0.0) + 1e-6:
                current += 1
            shown = looked_at[current][1] if current >= 0 else []
            writer.write(draw_labels(frame.image, shown) if shown else frame.image, frame.time)


def labels(faces: Sequence[Identification]) -> list[Label]:
    """What is drawn on a picture: the name and the distance of each face."""
    return [
        Label(
            found.box,
            found.name or "Unknown",
            found.name is not None,
            f"{found.distance:.2f}" if found.distance != float("inf") else "",
        )
        for found in faces
    ]


def _rows(
    recognizer: FaceRecognizer, path: Path, time: float | None, faces: Sequence[Identification], top: int
) -> tuple[FaceRow, ...]:
    names = recognizer.gallery.names
    return tuple(
        FaceRow(
            file=str(path),
            time=None if time is None else round(time, 3),
            box=found.box.as_list(),
            name=found.name,
            distance=None if found.distance == float("inf") else round(found.distance, 4),
            votes=found.decision.votes,
            stage=found.decision.stage,
            reason=found.decision.reason,
            candidates=[
                {"name": names[c.person_id], "distance": round(c.distance, 4), "votes": c.votes}
                for c in sorted(found.decision.candidates, key=lambda c: (c.distance, c.person_id))[:top]
            ]
            if top
            else None,
        )
        for found in faces
    )


def annotation_targets(paths: Sequence[Path], folder: Path) -> dict[Path, Path]:
    """Where each file's labelled copy goes: its own name, below the folders in which the files differ.

    Photos of a kind that cannot be written well become PNG; videos become MP4.
    """
    absolute = [path.absolute() for path in paths]
    common = Path(os.path.commonpath([p.parent for p in absolute])) if absolute else Path()
    targets: dict[Path, Path] = {}
    taken: set[Path] = set()
    for path, full in zip(paths, absolute, strict=True):
        suffix = (
            ".mp4" if _is_video(path) else path.suffix if path.suffix.lower() in {".jpg", ".jpeg", ".png"} else ".png"
        )
        wanted = folder / full.relative_to(common).with_suffix(suffix)
        number = 2
        while wanted in taken or wanted.absolute() == full:
            wanted = wanted.with_name(f"{full.stem}-{number}{suffix}")
            number += 1
        taken.add(wanted)
        targets[path] = wanted
    return targets


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
    return FileResult(Path(entry["file"]), rows, entry["error"], annotated, resumed=True)


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
