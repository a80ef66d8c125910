"""Files in, names out: photos and videos one after another."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from knownface.answers import Answer, Identification
from knownface.batches import DEFAULT_EVERY
from knownface.errors import InputError, KnownFaceError
from knownface.journal import FaceRow, FileResult, Journal
from knownface.media import (
    Label,
    VideoWriter,
    draw_labels,
    keep_date,
    kind_of,
    read_image,
    read_video,
    video_info,
    write_image,
)
from knownface.media.sidecar import write_sidecar
from knownface.recognizer import FaceRecognizer
from knownface.types import Image, finite


@dataclass(frozen=True, slots=True)
class IdentifyOptions:
    """How files are gone through.

    Attributes:
        every: Seconds between the frames of a video.
        top: How many candidates are listed for each face; 0 for none.
        allow_repeats: Whether one person may be given to several faces of a picture.
        annotate: Folder for labelled copies, or None.
        sidecars: Whether names are written beside each photo.
    """

    every: float = DEFAULT_EVERY
    top: int = 0
    allow_repeats: bool = False
    annotate: Path | None = None
    sidecars: bool = False


def identify_files(
    recognizer: FaceRecognizer,
    paths: Sequence[Path],
    options: IdentifyOptions,
    journal: Journal | None = None,
    on_frame: Callable[[Path, float], None] = lambda _path, _time: None,
    contents: Mapping[Path, bytes] | None = None,
) -> Iterator[FileResult]:
    """Name the faces of every file, in order.

    Args:
        recognizer: Who knows the people.
        paths: Photos and videos.
        options: How.
        journal: Files that it holds are not examined again; new ones are added to it.
        on_frame: Called with every frame of a video that was decided, since one file may take long.
        contents: Pictures that are no files, such as what came on standard input, by what ``paths`` calls them.
    """
    given = contents or {}

    def load(path: Path) -> Image:
        return read_image(given.get(path, path), recognizer.settings.max_pixels)

    done = journal.done if journal else {}
    targets = annotation_targets(paths, options.annotate) if options.annotate else {}
    for is_done, group in groupby(paths, lambda path: str(path) in done):
        if is_done:
            for path in group:
                yield done[str(path)]
            continue
        for result in _identify(recognizer, group, options, targets, load, on_frame):
            if journal:
                journal.add(result)
            yield result


def _identify(
    recognizer: FaceRecognizer,
    paths: Iterable[Path],
    options: IdentifyOptions,
    targets: Mapping[Path, Path],
    load: Callable[[Path], Image],
    on_frame: Callable[[Path, float], None],
) -> Iterator[FileResult]:
    for is_video, group in groupby(paths, _is_video):
        if is_video:
            for path in group:
                yield _video(recognizer, path, options, targets.get(path), on_frame)
        else:
            yield from _photos(recognizer, group, options, targets, load)


def _is_video(path: Path) -> bool:
    try:
        return kind_of(path) == "video"
    except InputError:
        return False  # reading it as a photo will say what is wrong


def _photos(
    recognizer: FaceRecognizer,
    paths: Iterable[Path],
    options: IdentifyOptions,
    targets: Mapping[Path, Path],
    load: Callable[[Path], Image],
) -> Iterator[FileResult]:
    answers = recognizer.identify_many(
        paths,
        load,
        allow_repeats=options.allow_repeats,
        top=options.top,
        keep_images=bool(targets),
    )
    for answer in answers:
        if answer.error is not None:
            yield FileResult(answer.item, (), _sentence(answer.item, answer.error), answer.error.code)
            continue
        rows = _rows(answer, answer.item, None, options.top)
        target = targets.get(answer.item)
        if target is not None and answer.image is not None:
            original = answer.item if answer.item.is_file() else None
            write_image(target, draw_labels(answer.image, labels(answer.faces)), like=original)
        if options.sidecars and answer.size is not None and answer.item.is_file():
            named = [(found.name, found.box) for found in answer.faces if found.name is not None]
            write_sidecar(answer.item, named, answer.size)
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
            rows += _rows(answer, path, time, options.top)
            if target is not None:
                looked_at.append((time, labels(answer.faces)))
            on_frame(path, time)
        if target is not None:
            _write_labelled_video(path, target, looked_at)
    except InputError as error:
        return FileResult(path, tuple(rows), _sentence(path, error), error.code)
    if failed is not None:
        return FileResult(path, tuple(rows), _sentence(path, failed), failed.code, target)
    return FileResult(path, tuple(rows), annotated=target)


def _sentence(path: Path, error: KnownFaceError) -> str:
    """An error as one line that names the file and says what to do."""
    message = error.message if str(path) in error.message else f"{path}: {error.message}"
    return f"{message} {error.hint}".strip()


def _write_labelled_video(path: Path, target: Path, looked_at: Sequence[tuple[float, list[Label]]]) -> None:
    """Every frame of the video, with the labels of the frame that was examined last."""
    with VideoWriter(target, video_info(path).fps, sound_from=path) as writer:
        current = -1
        for frame in read_video(path):
            while current + 1 < len(looked_at) and looked_at[current + 1][0] <= (frame.time or 0.0) + 1e-6:
                current += 1
            shown = looked_at[current][1] if current >= 0 else []
            writer.write(draw_labels(frame.image, shown) if shown else frame.image, frame.time)
    keep_date(path, target)


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


def _rows(answer: Answer[Any], path: Path, time: float | None, top: int) -> tuple[FaceRow, ...]:
    return tuple(
        FaceRow(
            file=str(path),
            time=None if time is None else round(time, 3),
            box=found.box.pixels(*answer.size) if answer.size else None,
            name=found.name,
            distance=finite(found.distance),
            votes=found.decision.votes,
            stage=found.decision.stage,
            reason=found.decision.reason,
            candidates=[
                {"name": c.name, "distance": finite(c.distance), "votes": c.votes}
                for c in sorted(found.decision.candidates, key=lambda c: (c.distance, c.person_id))[:top]
            ]
            if top
            else None,
            liveness=None if found.liveness is None else finite(found.liveness.score),
            accuracy=None if found.accuracy is None else found.accuracy.to_dict(),
        )
        for found in answer.faces
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
