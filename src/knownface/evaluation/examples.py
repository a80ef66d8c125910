"""Pictures of faces for reports, read again from the files in which they were found."""

from __future__ import annotations

import numpy as np

from knownface.errors import InputError
from knownface.evaluation.embeddings import FoundFaces, Place
from knownface.evaluation.report import PictureData
from knownface.media import read_image, read_video
from knownface.types import Box, Image

_FACTOR = 1.5


def picture_of(place: Place, caption: str, max_pixels: int = 120_000_000) -> PictureData | None:
    """The face with some of its surroundings; None where the file cannot be read any more."""
    try:
        image = _image_of(place, max_pixels)
    except InputError:
        return None
    return None if image is None else PictureData(caption, _cut(image, place.box))


def _cut(image: Image, box: Box) -> Image:
    """A square around the face, as far as there is a picture."""
    height, width = image.shape[:2]
    side = _FACTOR * max(box.width, box.height)
    left, top = (int(max(0.0, middle - side / 2)) for middle in box.center)
    left, top = min(left, width - 1), min(top, height - 1)
    right, bottom = (round(middle + side / 2) for middle in box.center)
    return np.ascontiguousarray(image[top : max(bottom, top + 1), left : max(right, left + 1)])


def _image_of(place: Place, max_pixels: int) -> Image | None:
    if place.time is None:
        return read_image(place.path, max_pixels)
    # Times went through float32.
    return next((frame.image for frame in read_video(place.path) if (frame.time or 0.0) >= place.time - 2e-3), None)


def example_of(found: FoundFaces, person: str, caption: str) -> PictureData | None:
    """The face of a person that is nearest to the middle of all of that person's, as a typical one; None without."""
    rows = np.flatnonzero(found.faces.people == person)
    if not len(rows):
        return None
    vectors = found.faces.embeddings[rows]
    middle = vectors.mean(axis=0)
    return picture_of(found.places[int(rows[np.linalg.norm(vectors - middle, axis=1).argmin()])], caption)
