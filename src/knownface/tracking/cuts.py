"""Shot boundary detection: the picture has become another one."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from knownface.tracking.appearance import sampled
from knownface.types import Image

_WIDTH, _HEIGHT = 32, 18
_SAMPLED = 160
"""Pixels a row that are sampled; a picture is that large before it is averaged down."""
_ALIKE = 0.6
"""Correlation of two thumbnails below which they may show different scenes."""
_DROP = 0.3
"""How far the correlation must lie below its usual value: shaking or grainy pictures are seldom much alike."""
_SMOOTHING = 0.2
_GREY_NOISE = 2.0
"""Grey levels added to the spread, so that the noise of a black picture is not taken for content."""


class CutDetector:
    """Detects cuts by comparing thumbnails of successive frames.

    The correlation of grey thumbnails does not change when the whole picture becomes brighter or darker, as by a
    flash or the camera's exposure, and little when a face or two move.
    """

    def __init__(self) -> None:
        self._last: npt.NDArray[np.float32] | None = None
        self._usual = 1.0

    def cut(self, image: Image) -> bool:
        """Whether this frame shows another scene than the one before; False for the first frame."""
        thumbnail = _thumbnail(image)
        last, self._last = self._last, thumbnail
        if last is None or last.size != thumbnail.size:
            return last is not None
        change = last - thumbnail
        alike = 1.0 - float(np.dot(change, change)) / 2
        if alike < _ALIKE and alike < self._usual - _DROP:
            self._usual = 1.0
            return True
        self._usual += _SMOOTHING * (alike - self._usual)
        return False

    def forget(self) -> None:
        """Starts anew, as after a gap."""
        self._last, self._usual = None, 1.0


def _thumbnail(image: Image) -> npt.NDArray[np.float32]:
    """Grey values less their mean, scaled to a length of 1, or less where there is hardly anything to see.

    Half the squared distance of two is then 1 less their correlation.
    """
    step = max(1, image.shape[1] // _SAMPLED)
    small = cv2.resize(sampled(image, step), (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32).ravel()
    grey -= grey.mean()
    spread = float(np.sqrt(np.dot(grey, grey) + grey.size * _GREY_NOISE**2))
    return np.asarray(grey / spread, dtype=np.float32)
