"""An appearance descriptor: distinguishes two faces that meet, and is cheap enough for every frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from knownface.types import Box, Image

Appearance: TypeAlias = npt.NDArray[np.float32]
"""A small thumbnail, its mean taken away, of length 1: the dot product of two is their correlation."""

_SIDE = 8
_FRESH = 0.3
"""Share of a new picture in what is remembered."""
_IMPORTANCE = 1.5
"""What no likeness at all adds to the difference of two boxes, in face sides."""
ODD = 0.7
"""A face that is less like how its track looked before may be another one. Of the same face a twelfth of a second apart
3 to 5 % of the pairs are, and 91 to 97 % of those of different faces (made videos; `docs/tracking.md`)."""
OTHER = 0.4
"""A face that is less like it is another one: 0.2 to 1 % of the pairs of the same face, 29 to 65 % of the others."""
OTHER_NEAR = 0.55
"""The same where faces meet, and a mistake is likelier: 1 to 2 %, and 62 to 85 %."""
SAME = 0.85
"""A face that is more like it is hardly another one."""


def appearance(image: Image, box: Box) -> Appearance:
    """The colours of a face, roughly."""
    height, width = image.shape[:2]
    left, top = int(np.clip(box.x, 0, width - 1)), int(np.clip(box.y, 0, height - 1))
    right, bottom = int(np.clip(box.right, left + 1, width)), int(np.clip(box.bottom, top + 1, height))
    # Every so many-th pixel is enough, and a large face then costs no more than a small one.
    step = max(1, (right - left) // 32)
    part = sampled(image[top:bottom, left:right], step)
    looks = cv2.resize(part, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
    looks -= looks.mean()
    return _unit(looks)


def sampled(image: Image, step: int) -> Image:
    """Every so many-th pixel of every so many-th row."""
    height, width = image.shape[:2]
    size = (-(-width // step), -(-height // step))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_NEAREST), np.uint8)


def likeness(a: Appearance, b: Appearance) -> float:
    """Correlation of two faces, -1 to 1."""
    return float(np.dot(a, b))


def blended(before: Appearance, now: Appearance) -> Appearance:
    """What is remembered of a face after another picture."""
    return _unit((1 - _FRESH) * before + _FRESH * now)


def likenesses(tracks: Sequence[Appearance], faces: Sequence[Appearance]) -> npt.NDArray[np.float64]:
    """The likeness of each of the tracks to each of the faces, shape (tracks, faces)."""
    if not tracks or not faces:
        return np.zeros((len(tracks), len(faces)))
    return (np.stack(tracks) @ np.stack(faces).T).astype(np.float64)


def unlikeness(alike: npt.NDArray[np.float64], near: Sequence[bool]) -> npt.NDArray[np.float64]:
    """What to add to the differences of boxes, shape (tracks, faces); infinite for faces that are others.

    Args:
        alike: As :func:`likenesses` returns.
        near: Whether another face was near each track.
    """
    least = np.where(near, OTHER_NEAR, OTHER)[:, None]
    return np.where(alike < least, np.inf, _IMPORTANCE * (1.0 - alike))


def _unit(looks: Appearance) -> Appearance:
    return np.asarray(looks / max(float(np.linalg.norm(looks)), 1e-6), dtype=np.float32)
