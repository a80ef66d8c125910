"""What has been asked of the embedder for a track."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Requests:
    """The embedding requests of one track.

    Attributes:
        last: Stream seconds of the last request.
        measured: Stream seconds when the quality of its picture was measured last.
        waiting: Requests that have not been answered.
        check: Whether the face may have been mistaken for another since the last request.
        crowded: Whether another face was so near since then that pictures may show both.
        urgent: Whether it looked so different when it was detected last that a picture is needed at once.
        best_score: Quality score of the best picture requested, 0 to 1; None before the first.
        scored: Pictures requested that are scored for liveness.
        last_scored: Stream seconds of the last of them.
    """

    last: float = -math.inf
    measured: float = -math.inf
    waiting: int = 0
    check: bool = False
    crowded: bool = False
    urgent: bool = False
    best_score: float | None = None
    scored: int = 0
    last_scored: float = -math.inf

    def sent(self, time: float, score: float, *, scored: bool) -> None:
        """Notes a request for a picture of a quality score, and whether that is scored for liveness too."""
        if scored:
            self.scored, self.last_scored = self.scored + 1, time
        self.last, self.check, self.crowded = time, False, False
        self.waiting += 1
        self.best_score = max(score, self.best_score or 0.0)

    def answered(self) -> None:
        """Notes that an embedding has come."""
        self.waiting = max(0, self.waiting - 1)

    def split(self) -> Requests:
        """Gives what is waited for to somebody else who has taken the track's place."""
        other = Requests(last=self.last, waiting=self.waiting)
        self.waiting = 0
        return other

    def merge(self, newer: Requests) -> None:
        """Takes over those of a newer track of the same face."""
        self.last, self.waiting = newer.last, self.waiting + newer.waiting
        self.scored, self.last_scored = self.scored + newer.scored, max(self.last_scored, newer.last_scored)
        if newer.best_score is not None:
            self.best_score = max(newer.best_score, self.best_score or 0.0)
