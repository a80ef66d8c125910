"""What is measured on: photos of the user's, else the face that scikit-image ships, else nothing with a face."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from knownface.errors import InputError
from knownface.media import expand_paths, kind_of, read_image
from knownface.types import Image

MOST_PHOTOS = 64


def read_pictures(data: Path | None, max_pixels: int) -> list[Image]:
    """Up to :data:`MOST_PHOTOS` photos of a folder; without one a real face, where scikit-image is installed.

    Raises:
        InputError: The folder holds no photo that can be read.
    """
    if data is None:
        return _astronaut()
    pictures: list[Image] = []
    for path in islice((p for p in expand_paths([data]) if kind_of(p) == "image"), 2 * MOST_PHOTOS):
        try:
            pictures.append(read_image(path, max_pixels))
        except InputError:
            continue  # the next one will do
        if len(pictures) == MOST_PHOTOS:
            break
    if not pictures:
        raise InputError(f"{data} holds no photo that can be read.", 'Give a folder of photos as data="FOLDER".')
    return pictures


def _astronaut() -> list[Image]:
    try:
        from skimage import data
    except ImportError:
        return []
    return [np.asarray(data.astronaut(), dtype=np.uint8)]


def tiled(pictures: Sequence[Image], width: int, height: int) -> Image:
    """One picture of this size: the pictures side by side, each as high as it is, from the first again at the end.

    Without pictures it is noise.
    """
    if not pictures:
        return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    row: list[Image] = []
    filled = 0
    while filled < width:
        picture = pictures[len(row) % len(pictures)]
        side = max(1, round(picture.shape[1] * height / picture.shape[0]))
        row.append(np.asarray(cv2.resize(picture, (side, height), interpolation=cv2.INTER_AREA), dtype=np.uint8))
        filled += side
    return np.ascontiguousarray(np.concatenate(row, axis=1)[:, :width])
