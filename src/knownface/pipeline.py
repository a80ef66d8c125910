"""From pictures to faces to embeddings, in order, with bounded memory, on every processor.

A picture is decoded, searched for faces and cut into crops by a worker thread (OpenCV, Pillow, dlib and ONNX Runtime
release the interpreter while they work); what is handed on are the crops, so that only as many pictures are in memory
as there are workers. Embeddings are then made for many crops at a time.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from math import isfinite
from typing import TypeVar

import cv2
import numpy as np

from knownface.detection import FaceDetector, as_shown, best_look, quarter_turns, straightened, turned
from knownface.detection.tilted import Straightened
from knownface.embedding import FaceEmbedder
from knownface.errors import KnownFaceError, ModelError, PartError
from knownface.liveness import LivenessCheck
from knownface.media.face_picture import FacePicture, face_picture
from knownface.quality import Covered, FaceQuality, covered_part, measure_quality
from knownface.types import Embeddings, Face, Image

Item = TypeVar("Item")
Result = TypeVar("Result")

_MOST_STRAIGHTENED = 8
"""Faces of a picture that are turned if they lean, the largest ones: each costs up to nine looks at a small picture."""
_UNIT_TOLERANCE = 1e-3
"""Of the square of a vector's length; float32 is off by some 1e-6."""


@dataclass(frozen=True, slots=True, eq=False)
class ExaminedFace:
    """A face with what recognition needs of it.

    Attributes:
        face: Where it is in the picture as it is shown, be the face upright there or not.
        quality: Measured on the upright face, in the light that the picture has.
        crop: The embedder's, upright.
        turns: Quarter turns, anticlockwise, by which the picture stands upright; 0 for nearly all.
        live: How live it looks, 0 to 1; None where that is not checked.
        covered: What of it seems to be covered; None where nothing does, or where that was not asked.
    """

    face: Face
    quality: FaceQuality
    crop: Image
    turns: int = 0
    live: float | None = None
    covered: Covered | None = None


def check_parts_fit(detector: FaceDetector, embedder: FaceEmbedder) -> None:
    """Raise if a network aligns faces by landmarks that a detector does not find.

    Raises:
        ModelError: It does.
    """
    if embedder.contract.crop == "aligned" and not detector.gives_landmarks:
        raise ModelError(
            f"{embedder.contract.name} aligns faces by five landmarks, which the detector {detector.name} does "
            "not give.",
            "Use YuNet: `knownface models list` shows its files; put one into the folder of KNOWNFACE_MODELS.",
        )


def find_faces(image: Image, detector: FaceDetector) -> list[Face]:
    """The faces that a detector finds in an RGB image, largest first.

    Raises:
        PartError: The detector fails, or returns something else than a list of faces that lie in the picture.
    """
    height, width = image.shape[:2]
    with _part_named(f"The detector {detector.name}"):
        faces = detector.detect(image)
        fault = "" if isinstance(faces, list) else f"{_kind(faces)}, expected a list of Face"
        fault = fault or next(filter(None, (_fault(face, width, height) for face in faces)), "")
    if fault:
        raise PartError(f"The detector {detector.name} returned {fault}.")
    return faces


def _fault(face: object, width: int, height: int) -> str:
    """What is wrong with a face that a detector found, and what was expected; empty if nothing is."""
    if not isinstance(face, Face):
        return f"{_kind(face)} in its list, expected a Face"
    box = face.box
    # A comparison with NaN is False, so this catches it too; an infinite edge is caught by the area.
    if not (box.width > 0 and box.height > 0 and isfinite(box.width * box.height) and isfinite(face.score)):
        return f"a box of {box.width:g}x{box.height:g} with score {face.score:g}, expected positive, finite numbers"
    if not (box.right > 0 and box.bottom > 0 and box.x < width and box.y < height):
        return f"a box at {box.as_list()} (x, y, width, height), expected one in its picture of {width}x{height} pixels"
    return ""


def crop_of(image: Image, face: Face, embedder: FaceEmbedder) -> Image:
    """What an embedder sees of a face.

    Raises:
        FaceError: The face lacks what the crop is made from.
        PartError: The embedder fails.
    """
    with _part_named(f"The embedder {embedder.contract.name}"):
        return embedder.crop(image, face)


def embed_crops(crops: Sequence[Image], embedder: FaceEmbedder) -> Embeddings:
    """Embeddings of crops that the embedder made, one a row.

    Raises:
        PartError: The embedder fails, or returns something else than a finite unit vector of its contract's length for
            each crop.
    """
    name, wanted = embedder.contract.name, (len(crops), embedder.contract.dim)
    if not crops:
        return np.empty(wanted, dtype=np.float32)
    with _part_named(f"The embedder {name}"):
        vectors = embedder.embed(crops)
    if not isinstance(vectors, np.ndarray) or vectors.dtype != np.float32 or vectors.shape != wanted:
        shown = f"{vectors.dtype} of shape {vectors.shape}" if isinstance(vectors, np.ndarray) else _kind(vectors)
        raise PartError(f"The embedder {name} returned {shown}, expected an array, float32 of shape {wanted}.")
    squares = np.einsum("ij,ij->i", vectors, vectors)
    if not (np.abs(squares - 1) < _UNIT_TOLERANCE).all():
        worst = float(np.sqrt(squares[np.abs(squares - 1).argmax()]))
        raise PartError(f"The embedder {name} returned a vector of length {worst:g}, expected unit vectors.")
    return vectors


@contextlib.contextmanager
def _part_named(part: str) -> Iterator[None]:
    """Errors of a part, which may be anybody's code, as ours that name it."""
    try:
        yield
    except KnownFaceError:
        raise
    except Exception as error:
        raise PartError(f"{part} fails with {type(error).__name__}: {error}") from error


def _kind(value: object) -> str:
    return "None" if value is None else f"a value of type {type(value).__name__}"


def examine(
    image: Image,
    detector: FaceDetector,
    embedder: FaceEmbedder,
    liveness: LivenessCheck | None = None,
    *,
    covering: bool = False,
) -> list[ExaminedFace]:
    """Find, measure and crop the faces of an RGB image, largest first.

    A dark picture in which no face is surely seen is raised to usual brightness for it. One that lies on its side is
    turned, and so is each of its largest faces that leans.

    Args:
        image: The picture.
        detector: Finds them.
        embedder: Whose crops are made.
        liveness: Scores how live they look; None does not.
        covering: Whether to tell what of them is covered.
    """
    find = partial(find_faces, detector=detector)
    seen = best_look(image, detector, find)
    view, faces, turns = seen.view, seen.faces, seen.turns
    height, width = image.shape[:2]
    sure = getattr(detector, "sure_score", None) or 0.0
    doubtful = all(face.score < sure for face in faces)
    examined = []
    for number, face in enumerate(faces):
        found = Straightened(view, face, face)
        if number < _MOST_STRAIGHTENED:
            found = straightened(view, face, find, sure=sure, doubtful=doubtful)
        in_own_light = (seen.lit, face) if seen.lit is not view else (found.view, found.face)
        examined.append(
            ExaminedFace(
                as_shown(found.shown, turns, width, height),
                measure_quality(*in_own_light),
                crop_of(found.view, found.face, embedder),
                turns,
                None if liveness is None else live_score(seen.lit, face, liveness),
                covered_part(found.view, found.face) if covering else None,
            )
        )
    return examined


def upright(image: Image, detector: FaceDetector) -> Image:
    """An RGB image turned by quarters so that the faces in it stand upright; as it is where none is seen."""
    faces = find_faces(image, detector)
    return turned(image, quarter_turns(image, faces, detector, partial(find_faces, detector=detector)))


def live_score(image: Image, face: Face, check: LivenessCheck) -> float:
    """How live a face of an RGB image looks, 0 to 1.

    Raises:
        PartError: The check fails, or returns something else than a number from 0 to 1.
    """
    with _part_named(f"The liveness check {check.name}"):
        [score] = check.score([check.crop(image, face)])
    if not 0 <= score <= 1:  # also where it is no number
        raise PartError(f"The liveness check {check.name} returned {score:g}, expected a score from 0 to 1.")
    return float(score)


def kept_picture(image: Image, found: ExaminedFace) -> FacePicture | None:
    """The face itself, upright, as it is kept with a template; None where its box lies outside of the picture.

    Args:
        image: That it was found in.
        found: The face.
    """
    if not found.turns:
        return face_picture(image, found.face)
    upright = turned(image, found.turns)
    height, width = upright.shape[:2]
    return face_picture(upright, as_shown(found.face, 4 - found.turns, width, height))


def embed(faces: Sequence[ExaminedFace], embedder: FaceEmbedder) -> Embeddings:
    """Embeddings of examined faces, one a row."""
    return embed_crops([face.crop for face in faces], embedder)


def map_in_order(
    work: Callable[[Item], Result], items: Iterable[Item], *, threads: int, ahead: int
) -> Iterator[Result]:
    """Like ``map``, on several threads: results come in the order of the items.

    Args:
        work: Called once an item. What it raises is raised here when that item's turn comes.
        items: Read only as far ahead as needed.
        threads: Worker threads.
        ahead: Items begun but not yet taken, which bounds the memory held.
    """
    source = iter(items)
    with ThreadPoolExecutor(threads, thread_name_prefix="knownface") as pool:
        pending: deque[Future[Result]] = deque(pool.submit(work, item) for item in islice(source, ahead))
        try:
            while pending:
                result = pending.popleft().result()
                for item in islice(source, 1):
                    pending.append(pool.submit(work, item))
                yield result
        finally:
            for future in pending:
                future.cancel()


@contextlib.contextmanager
def opencv_on_one_thread() -> Iterator[None]:
    """Keep OpenCV from starting threads of its own, in the whole program, for as long as this lasts.

    Where several pictures are examined side by side its threads would only wait for each other, and spin.
    """
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)
