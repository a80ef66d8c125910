"""State estimation: a constant-velocity filter for a box."""

from __future__ import annotations

import math

from knownface.types import Box

_ALPHA = 0.75
"""Share of what a measurement differs from the prediction that goes into the position."""
_BETA = 0.3
"""The same for the velocity."""
_FADING = 0.5
"""Seconds after which an unseen face's velocity has faded to a third: people do not walk straight for long."""
_SHORTEST = 1e-3


class BoxFilter:
    """An alpha-beta filter of its middle and of the logarithm of its sides.

    That is the steady state of a Kalman filter with constant velocity, without its matrices, which would cost more
    than all the rest of tracking a face.

    Args:
        box: Where it was first seen.
        time: Stream seconds.
    """

    __slots__ = ("_at", "_size", "_time", "_velocity", "updates")

    def __init__(self, box: Box, time: float) -> None:
        self._at = box.center
        self._size = _log_size(box)
        self._velocity = (0.0, 0.0)
        self._time = time
        self.updates = 1

    def predict(self, time: float) -> Box:
        """The box at a later time; its size is taken to stay."""
        reach = _FADING * -math.expm1(-max(0.0, time - self._time) / _FADING)
        x = self._at[0] + reach * self._velocity[0]
        y = self._at[1] + reach * self._velocity[1]
        width, height = math.exp(self._size[0]), math.exp(self._size[1])
        return Box(x - width / 2, y - height / 2, width, height)

    def update(self, box: Box, time: float) -> None:
        """Takes a measured box into account."""
        elapsed = max(time - self._time, _SHORTEST)
        expected = self.predict(time).center
        measured, size = box.center, _log_size(box)
        error = (measured[0] - expected[0], measured[1] - expected[1])
        # The second box gives the first velocity; from then on errors correct it.
        alpha, beta = (1.0, 1.0) if self.updates == 1 else (_ALPHA, _BETA)
        self._velocity = (self._velocity[0] + beta * error[0] / elapsed, self._velocity[1] + beta * error[1] / elapsed)
        self._at = (expected[0] + alpha * error[0], expected[1] + alpha * error[1])
        self._size = (
            self._size[0] + alpha * (size[0] - self._size[0]),
            self._size[1] + alpha * (size[1] - self._size[1]),
        )
        self._time = time
        self.updates += 1


def _log_size(box: Box) -> tuple[float, float]:
    return math.log(max(box.width, 1.0)), math.log(max(box.height, 1.0))
