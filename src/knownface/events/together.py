"""Who was seen by one camera at the same time as somebody else, and so is not that person."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Seconds = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
Stay = tuple[str, float, float]


class Together:
    """The stays of rows that are being joined, and which rows have stays that overlap at one place.

    All places are laid one after the other on one line of time, so that a row is a set of intervals there.

    Args:
        stays: Of each row: where, from when to when, in seconds.
    """

    def __init__(self, stays: Sequence[Sequence[Stay]]) -> None:
        own = [stay for row in stays for stay in row]
        first = min((start for _, start, _ in own), default=0.0)
        span = max((end for _, _, end in own), default=0.0) - first + 1.0
        begin_of = {place: number * span - first for number, place in enumerate(sorted({place for place, _, _ in own}))}
        self._begins: list[Seconds] = []
        self._latest: list[Seconds] = []  # the latest end of the first intervals, from none on
        for row in stays:
            ordered = sorted((begin_of[place] + start, begin_of[place] + end) for place, start, end in row)
            self._begins.append(np.array([begin for begin, _ in ordered]))
            self._latest.append(np.maximum.accumulate(np.array([-np.inf, *(end for _, end in ordered)])))
        self._first = np.array([begins[0] if len(begins) else np.inf for begins in self._begins])
        self._last = np.array([latest[-1] for latest in self._latest])
        self._single = np.array([len(begins) == 1 for begins in self._begins], dtype=bool)

    def are(self, ones: Rows, others: Rows) -> npt.NDArray[np.bool_]:
        """Whether each of some rows was seen together with another one; both int64, shape (n,)."""
        together = (self._first[ones] < self._last[others]) & (self._first[others] < self._last[ones])
        unsure = together & ~(self._single[ones] & self._single[others])
        for at in np.flatnonzero(unsure):
            together[at] = self._overlap(int(ones[at]), int(others[at]))
        return together

    def join(self, kept: int, gone: int) -> None:
        """Give the stays of one row to another."""
        begins = np.concatenate([self._begins[kept], self._begins[gone]])
        ends = np.concatenate([self._latest[kept][1:], self._latest[gone][1:]])
        order = np.argsort(begins, kind="stable")
        self._begins[kept] = begins[order]
        self._latest[kept] = np.maximum.accumulate(np.concatenate([[-np.inf], ends[order]]))
        self._first[kept] = min(self._first[kept], self._first[gone])
        self._last[kept] = max(self._last[kept], self._last[gone])
        self._single[kept] = False

    def _overlap(self, one: int, other: int) -> bool:
        """Whether any interval of one begins before one of the other ends, and ends after that one begins."""
        if len(self._begins[one]) < len(self._begins[other]):
            one, other = other, one
        before = self._begins[one].searchsorted(self._latest[other][1:], side="left")
        return bool((self._latest[one][before] > self._begins[other]).any())
