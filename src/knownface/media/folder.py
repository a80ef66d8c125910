"""A folder of pictures as the frames of a video."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from pathlib import Path

from knownface.errors import InputError, UnreadableError
from knownface.media.files import expand_paths, kind_of
from knownface.media.images import read_image
from knownface.types import Frame

logger = logging.getLogger(__name__)


def read_folder(folder: str | Path, fps: float, every: float | None = None) -> Iterator[Frame]:
    """The pictures of a folder and of those below it, in natural order (``2.jpg`` before ``10.jpg``).

    A picture that cannot be read is passed over with a warning; its time passes all the same.

    Args:
        folder: Which.
        fps: Frames a second that the pictures were taken at.
        every: Seconds between the frames that are yielded, as in :func:`knownface.media.read_video`.

    Raises:
        UnreadableError: The folder may not be read, or holds no picture that can be.
        ValueError: ``fps`` or ``every`` is not a positive number.
    """
    for value in (fps, every):
        if value is not None and not (math.isfinite(value) and value > 0):
            raise ValueError(f"fps and every must be positive numbers, got {value}")
    pictures = [path for path in expand_paths([folder]) if kind_of(path) == "image"]
    if not pictures:
        raise UnreadableError(f"The folder {folder} holds no picture.", "Give a folder whose pictures are the frames.")
    return _frames(pictures, folder, fps, every)


def _frames(pictures: list[Path], folder: str | Path, fps: float, every: float | None) -> Iterator[Frame]:
    due, count = 0.0, 0
    for number, path in enumerate(pictures):
        time = number / fps
        if time < due - 1e-9:
            continue
        if every is not None:
            due = (math.floor(time / every + 1e-9) + 1) * every
        try:
            image = read_image(path)
        except InputError as error:
            logger.warning("A frame is passed over: %s", error)
            continue
        count += 1
        yield Frame(image, time)
    if not count:
        raise UnreadableError(f"No picture of the folder {folder} can be read.")
