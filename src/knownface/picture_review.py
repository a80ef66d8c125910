"""The review of a picture by itself, and what the comparison with other pictures makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from knownface.answers import PictureReview
from knownface.detection import FaceDetector
from knownface.embedding import FaceEmbedder
from knownface.errors import FaceError, NoFaceError, SeveralFacesError
from knownface.pipeline import ExaminedFace, embed, examine
from knownface.review import Opinion, ReviewRules, candidates, review
from knownface.types import Image


def examined_picture(
    image: Image,
    source: str,
    sha256: str,
    detector: FaceDetector,
    embedder: FaceEmbedder,
    rules: ReviewRules,
    face: int | None = None,
) -> PictureReview:
    """Which face of a picture is meant, and is it good enough.

    Args:
        image: RGB.
        source: What the gallery is to call it.
        sha256: By which it is known again.
        detector: Finds its faces.
        embedder: Embeds those that are meant, or that may be.
        rules: Which of several faces is meant, and the limits of quality.
        face: Which face, from 1, the largest first; decides instead of the rules.

    Returns:
        What its faces lack is in ``error``.
    """
    found = examine(image, detector, embedder, covering=True)
    chosen: list[ExaminedFace] = []
    error: FaceError | None = None
    try:
        chosen = review(found if face is None else _nth_face(found, face), rules)
    except FaceError as refusal:
        error = refusal
        if isinstance(refusal, SeveralFacesError):
            chosen = candidates(found, rules)
    return PictureReview(
        image=image,
        source=source,
        sha256=sha256,
        faces=tuple(found),
        chosen=tuple(chosen),
        embeddings=embed(chosen, embedder),
        error=error,
        unclear=error is not None and len(chosen) > 0,
        fingerprint=embedder.contract.fingerprint,
    )


def with_opinion(picture: PictureReview, opinion: Opinion, *, asked: bool) -> PictureReview:
    """The review with what the comparison with other pictures says.

    Args:
        picture: Reviewed by itself.
        opinion: Which of its faces fit, and what is doubtful.
        asked: Whether a doubt counts.
    """
    chosen = tuple(picture.chosen[index] for index in opinion.faces)
    return replace(
        picture,
        chosen=chosen,
        embeddings=picture.embeddings[list(opinion.faces)],
        error=picture.error if not chosen else opinion.doubt if asked else None,
        unclear=False,
        note=opinion.note,
    )


def _nth_face(faces: Sequence[ExaminedFace], number: int) -> list[ExaminedFace]:
    if number > len(faces):
        raise NoFaceError(f"There is no face {number}; the picture has {len(faces)}.")
    return [faces[number - 1]]
