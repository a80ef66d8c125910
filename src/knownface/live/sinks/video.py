"""The labelled video."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from knownface.live.preview import face_labels
from knownface.live.values import FrameResult
from knownface.media import VideoWriter, draw_labels
from knownface.types import Image


class LabelledVideo:
    """Writes the frames with boxes and names; see :class:`knownface.media.VideoWriter`.

    Frames of another size than the first one, as of a camera that came back with another setting, are fitted into it.

    Args:
        path: Where; the suffix must be ``.mp4``.
        fps: Frames a second, constant.
        sound_from: A video whose sound is taken over, or None.
    """

    def __init__(self, path: Path, fps: float, sound_from: Path | None = None) -> None:
        self._writer = VideoWriter(path, fps, sound_from=sound_from)
        self._size: tuple[int, int] | None = None

    def take(self, result: FrameResult) -> None:
        """Appends a frame.

        Raises:
            OutputError: It cannot be written.
        """
        if result.frame is None:
            return
        image = draw_labels(result.frame.image, face_labels(result)) if result.faces else result.frame.image
        height, width = image.shape[:2]
        if self._size is None:
            self._size = width, height
        elif self._size != (width, height):
            image = _fitted(image, self._size)
        self._writer.write(image, result.frame.time)

    def __enter__(self) -> Self:
        self._writer.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.__exit__(kind, error, trace)


def _fitted(image: Image, size: tuple[int, int]) -> Image:
    """The picture in the middle of a black one of the given size, its proportions kept."""
    scale = min(size[0] / image.shape[1], size[1] / image.shape[0])
    width, height = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    canvas[top : top + height, left : left + width] = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return canvas
