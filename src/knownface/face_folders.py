"""Faces that nobody has named yet, sorted into folders by likeness: a person a folder, to be named and enrolled."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from knownface.errors import KnownFaceError
from knownface.events.clustering import group_by_likeness
from knownface.events.together import Stay, Together
from knownface.events.unknowns import LIKENESS
from knownface.files import unwritable
from knownface.media import read_image
from knownface.media.face_picture import face_picture
from knownface.quality import QualityLimits, shortcomings
from knownface.recognizer import FaceRecognizer
from knownface.types import Embeddings


@dataclass(frozen=True, slots=True)
class SortedFaces:
    """What came of sorting.

    Attributes:
        folders: Faces in each folder, the fullest first.
        photos: That were looked at.
        known: Faces of people who are enrolled already.
        alone: Faces of people of whom there are fewer than a folder takes.
        poor: Faces too poor to enrol somebody from.
        failed: Photos that could not be read, and why.
    """

    folders: tuple[int, ...]
    photos: int
    known: int
    alone: int
    poor: int
    failed: tuple[tuple[Path, KnownFaceError], ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Stranger:
    photo: Path
    vector: Embeddings
    cut: Path


def sort_faces(
    recognizer: FaceRecognizer,
    photos: Sequence[Path],
    folder: Path,
    least: int = 2,
    on_photo: Callable[[Path], None] = lambda _photo: None,
) -> SortedFaces:
    """Cut the faces of strangers out of photos, and put those who look alike into one folder each.

    Faces are joined as Unknowns of cameras are (:func:`knownface.events.clustering.group_by_likeness`); two faces of
    one photo are never one person. The folders are called "Unknown 1", "Unknown 2" and so on, which no enrolment takes
    for a name; the person of the most faces comes first. Nothing is enrolled. Until all are found the faces lie in a
    hidden folder within ``folder``.

    Args:
        recognizer: Who knows the people that are left out; an empty gallery knows nobody.
        photos: Where the faces are.
        folder: That exists.
        least: Faces that a person needs for a folder.
        on_photo: Called with every photo that was looked at.

    Raises:
        OutputError: The faces cannot be written.
    """
    known, poor = 0, 0
    strangers: list[_Stranger] = []
    failed: list[tuple[Path, KnownFaceError]] = []
    limits = QualityLimits()
    try:
        with tempfile.TemporaryDirectory(prefix=".", dir=folder) as scratch:
            for answer in recognizer.identify_many(
                photos,
                lambda photo: read_image(photo, recognizer.settings.max_pixels),
                keep_images=True,
                with_embeddings=True,
            ):
                on_photo(answer.item)
                if answer.error is not None:
                    failed.append((answer.item, answer.error))
                for found in answer.faces:
                    if found.name is not None:
                        known += 1
                    elif shortcomings(found.quality, limits) or answer.image is None or found.embedding is None:
                        poor += 1
                    elif (picture := face_picture(answer.image, found.face)) is not None:
                        cut = Path(scratch) / f"{len(strangers)}.jpg"
                        cut.write_bytes(picture.jpeg)
                        strangers.append(_Stranger(answer.item, found.embedding, cut))
            groups = _groups(strangers, LIKENESS * recognizer.rule.threshold)
            kept = [group for group in groups if len(group) >= least]
            for number, group in enumerate(kept, 1):
                _fill(folder / f"Unknown {number}", group)
    except OSError as error:
        raise unwritable(folder, error) from error
    alone = len(strangers) - sum(map(len, kept))
    return SortedFaces(tuple(map(len, kept)), len(photos), known, alone, poor, tuple(failed))


def _groups(strangers: Sequence[_Stranger], threshold: float) -> list[list[_Stranger]]:
    if not strangers:
        return []
    seen: list[list[Stay]] = [[(str(stranger.photo), 0.0, 1.0)] for stranger in strangers]
    rows = group_by_likeness(np.stack([stranger.vector for stranger in strangers]), threshold, Together(seen))
    return sorted(([strangers[row] for row in group] for group in rows), key=len, reverse=True)


def _fill(folder: Path, group: Sequence[_Stranger]) -> None:
    folder.mkdir()
    for stranger in group:
        stem = stranger.photo.stem
        names = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
        place = next(path for name in names if not (path := folder / f"{name}.jpg").exists())
        shutil.move(stranger.cut, place)
