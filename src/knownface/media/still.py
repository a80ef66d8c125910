"""Pictures that do not change, which an empty scene and a failing decoder have in common."""

from __future__ import annotations

import logging

from knownface.types import Image

logger = logging.getLogger(__name__)

_STILL = 10.0
"""Seconds."""
_STILL_PICTURES = 25
_SAMPLED_ROWS = 36


class StillPicture:
    """Warns where the pictures of a source are exactly equal for long: an empty scene and a failing decoder look alike.

    Args:
        name: Of the source, for the warning.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._sample = b""
        self._since = self._last = 0.0
        self._equal = 0
        self._changed = self._warned = False

    def look(self, image: Image, time: float) -> None:
        """Compare a picture, of a time in seconds, with the one before."""
        step = max(1, image.shape[0] // _SAMPLED_ROWS)
        sample = image[::step, ::step].tobytes()
        if sample != self._sample:
            self._changed = self._changed or bool(self._sample)
            self._sample, self._since, self._equal = sample, time, 0
        self._last = time
        self._equal += 1
        if self._equal >= _STILL_PICTURES and time - self._since >= _STILL:
            self._warn()

    @property
    def seconds(self) -> float:
        """How long the picture has not changed."""
        return self._last - self._since

    def end(self) -> None:
        """Warn of a video in which nothing ever changed, however short."""
        if not self._changed and self._equal >= _STILL_PICTURES:
            self._warn()

    def _warn(self) -> None:
        if not self._warned:
            logger.warning(
                "The picture of %s does not change from %.1f to %.1f seconds: either nothing moves there, or it cannot "
                "be decoded here, as interlaced video. Look at it in a player.",
                *(self._name, self._since, self._last),
            )
        self._warned = True
