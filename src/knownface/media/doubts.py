"""Pictures that do not change or show nothing, which an empty scene and a failing decoder have in common."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import cv2
import numpy as np

from knownface.types import Image

logger = logging.getLogger(__name__)

DoubtKind: TypeAlias = Literal["still", "blank"]
"""``still``: the pictures are exactly equal. ``blank``: they are of one colour, as black, whatever noise there is."""

_LONG = 10.0
"""Seconds."""
_SEVERAL = 25
"""Pictures."""
_SAMPLED_ROWS = 36
_BLANK_EVERY = 0.5
"""Seconds of the source between two looks for blank pictures."""
_BLOCKS = (32, 18)
_MOST = (2.5, 97.5)
"""Percentiles of the blocks between which a blank picture has one colour: a recorder's clock may be in it."""
_ONE_COLOUR = 10
"""Grey levels."""
_BLACK = 40
"""Mean brightness, 0 to 255, below which one colour is called black."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A stretch of a source in which there may be more than is seen.

    Attributes:
        kind: Of what its pictures are.
        since: Seconds of the source.
        until: Seconds of the source.
    """

    kind: DoubtKind
    since: float
    until: float


class Doubts:
    """What is doubtful about the pictures of a source: each is logged as a warning, once, however often it is read.

    Args:
        name: Of the source, for the warnings.

    Attributes:
        now: What is so since long; None where the pictures are as pictures should be.
        found: The first stretch of each kind.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.now: DoubtKind | None = None
        self.found: dict[DoubtKind, Doubt] = {}
        self._told: set[str] = set()
        self.begin()

    def begin(self) -> None:
        """Another reading begins, or another decoder."""
        self.now = None
        self._sample = b""
        self._first: float | None = None
        self._last = self._since = 0.0
        self._count = self._equal = 0
        self._blank: float | None = None
        self._colour = 0.0
        self._looked = -_BLANK_EVERY

    def look(self, image: Image, time: float) -> None:
        """Takes the next picture, of a time in seconds."""
        self._first = time if self._first is None else self._first
        self._last = time
        self._count += 1
        step = max(1, image.shape[0] // _SAMPLED_ROWS)
        sample = image[::step, ::step].tobytes()
        if sample != self._sample:
            self._sample, self._since, self._equal = sample, time, 0
        self._equal += 1
        if time - self._looked >= _BLANK_EVERY:
            self._looked = time
            self._look_for_blank(image, time)
        self.now = None
        for kind, since in self._stretches():
            if time - since >= _LONG:
                self.now = kind
                self._find(kind, since)
                return

    @property
    def still_for(self) -> float:
        """Seconds for which the picture has not changed."""
        return self._last - self._since

    def end(self) -> None:
        """The source has ended: one in which nothing was ever to be seen is doubtful however short it is."""
        for kind, since in self._stretches():
            if since == self._first:
                self._find(kind, since)
                return

    def warn(self, text: str) -> None:
        """Logs a sentence about the source, if it was not logged before."""
        if text not in self._told:
            self._told.add(text)
            logger.warning("%s", text)

    def _stretches(self) -> Iterator[tuple[DoubtKind, float]]:
        """What holds at the moment and since when, the more telling first."""
        if self._blank is not None and self._count >= _SEVERAL:
            yield "blank", self._blank
        if self._equal >= _SEVERAL:
            yield "still", self._since

    def _look_for_blank(self, image: Image, time: float) -> None:
        # The mean of a block has hardly any of a dark camera's noise.
        blocks = cv2.resize(image, _BLOCKS, interpolation=cv2.INTER_AREA).reshape(-1, 3)
        low, high = np.percentile(blocks, _MOST, axis=0)
        if (high - low).max() > _ONE_COLOUR:
            self._blank = None
        elif self._blank is None:
            self._blank, self._colour = time, float(blocks.mean())

    def _find(self, kind: DoubtKind, since: float) -> None:
        before = self.found.get(kind)
        if before is not None and before.since != since:
            return
        self.found[kind] = Doubt(kind, since, self._last)
        if before is not None:
            return
        if kind == "still":
            what, why = "does not change", "nothing moves there"
        else:
            colour = "black" if self._colour < _BLACK else "of one colour"
            what, why = f"is {colour}", "the camera is covered or without light"
        self.warn(
            f"The picture of {self.name} {what} from {since:.1f} to {self._last:.1f} seconds: either {why}, "
            "or it cannot be decoded here, as interlaced video. Look at it in a player."
        )
