"""What the pictures of a track say together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from knownface.liveness import combined as combined_liveness
from knownface.quality import Covered, FaceQuality
from knownface.tracking.values import Sample
from knownface.types import Decision, Embeddings, Image

_LEAST_WEIGHT = 0.05
_FIRST = 3
"""Pictures of a track before which none contradicts, unless it shows a face of another track."""
_AGREE_COVERED = 2
_DECIDEDLY = 1.05
"""How far beyond the distance of unlike faces one picture is enough."""


def weight(quality: FaceQuality) -> float:
    """How much a picture counts among others of the same face, above 0, at most 1."""
    return max(_LEAST_WEIGHT, quality.score)


def combined(samples: Sequence[Sample]) -> Embeddings:
    """The mean of the embeddings, weighted by the square of the quality, as a unit vector.

    ``docs/tracking.md`` compares this with other ways.

    Args:
        samples: At least one.

    Returns:
        Float32, shape (dim,).
    """
    weights = np.array([weight(sample.quality) for sample in samples])
    mean = weights**2 @ np.stack([sample.embedding for sample in samples]).astype(np.float64)
    length = float(np.linalg.norm(mean))
    if length == 0:  # opposite vectors: they say nothing together
        return samples[-1].embedding
    return np.asarray(mean / length, dtype=np.float32)


def mean_length(samples: Sequence[Sample], direction: Embeddings) -> float:
    """How long that mean is before it is scaled to 1, 0 to 1.

    Args:
        samples: At least one.
        direction: The mean as a unit vector.
    """
    weights = np.array([weight(sample.quality) ** 2 for sample in samples])
    cosines = np.stack([sample.embedding for sample in samples]).astype(np.float64) @ direction
    return float(np.clip(weights @ cosines / weights.sum(), 0.0, 1.0))


def kept(samples: Sequence[Sample], most: int) -> tuple[Sample, ...]:
    """The best so many samples and in any case the newest, in their order."""
    if len(samples) <= most:
        return tuple(samples)
    best = sorted(range(len(samples) - 1), key=lambda i: (-weight(samples[i].quality), -i))[: most - 1]
    return tuple(samples[i] for i in [*sorted(best), len(samples) - 1])


def distance(a: Embeddings, b: Embeddings) -> float:
    """Of two unit vectors, 0 to 2."""
    return float(np.linalg.norm(a - b))


@dataclass(slots=True, eq=False)
class Evidence:
    """The pictures of a track.

    Attributes:
        samples: Those that its answer stands on.
        doubts: The last ones, if they contradict the others.
        embedding: ``samples`` combined; None without any.
        scored: Pictures that were scored for liveness.
        verified: Whether a picture has shown the same face since the last occasion to be mistaken for another.
        opinions: Decisions on single pictures, by their times.
        portraits: What the pictures show, also those whose embeddings have not come; by their times.
    """

    samples: tuple[Sample, ...] = ()
    doubts: tuple[Sample, ...] = ()
    embedding: Embeddings | None = None
    scored: tuple[Sample, ...] = ()
    verified: bool = True
    opinions: dict[float, Decision] = field(default_factory=dict)
    portraits: dict[float, Image | None] = field(default_factory=dict)

    @property
    def length(self) -> float:
        """How long the mean of the samples' embeddings is before it is scaled to 1; 0 without any."""
        return 0.0 if self.embedding is None else mean_length(self.samples, self.embedding)

    @property
    def live(self) -> float | None:
        """How live the face looks by all its scored pictures, 0 to 1; None where that is not checked."""
        if not self.scored:
            return None
        return combined_liveness([s.live or 0.0 for s in self.scored], [weight(s.quality) for s in self.scored])

    @property
    def covered(self) -> Covered | None:
        """What of the face is covered, where the last two pictures agree."""
        last = {sample.covered for sample in sorted(self.samples, key=lambda sample: sample.time)[-_AGREE_COVERED:]}
        return last.pop() if len(last) == 1 and len(self.samples) >= _AGREE_COVERED else None

    def replace(self, samples: tuple[Sample, ...]) -> None:
        """Makes these the samples; what is kept of others is dropped."""
        self.samples = samples
        times = {sample.time for sample in samples} | {sample.time for sample in self.doubts}
        self.opinions = {time: opinion for time, opinion in self.opinions.items() if time in times}
        newest = max(times, default=-math.inf)
        self.portraits = {time: portrait for time, portrait in self.portraits.items() if time in times or time > newest}
        self.embedding = combined(samples) if samples else None

    def judge(
        self, sample: Sample, others: Sequence[Embeddings], *, alike: float, unlike: float, undecided: bool
    ) -> Literal["fits", "odd", "other"]:
        """Whether a new picture shows the same face, may not, or shows somebody else's.

        Args:
            sample: The picture.
            others: The combined embeddings of the other tracks.
            alike: Distance within which two faces are the same.
            unlike: Distance beyond which they are hardly the same.
            undecided: Whether the track has no answer yet.
        """
        if self.embedding is None:
            return "fits"
        trusted = [s for s in self.samples if s not in self.doubts] if self.doubts else []
        own = distance(combined(trusted) if trusted else self.embedding, sample.embedding)
        other = min((distance(embedding, sample.embedding) for embedding in others), default=math.inf)
        if other <= alike < own:
            return "other"
        if len(self.samples) < _FIRST and (self.verified or undecided):
            return "fits"  # the first pictures may be the poor ones
        if own > _DECIDEDLY * unlike:
            return "other"
        return "odd" if own > unlike else "fits"

    def accept(self, sample: Sample, most: int) -> None:
        """Adds a picture to the samples, of which at most so many are kept."""
        self.replace(kept((*self.samples, sample), most))
        if sample.live is not None:
            self.scored = kept((*self.scored, sample), most)

    def confirm(self) -> None:
        """Notes that a picture has shown the same face."""
        self.doubts, self.verified = (), True

    def doubt(self, sample: Sample, within: float) -> None:
        """Adds a contradicting picture to the doubts; doubts that lie farther from it than ``within`` are dropped."""
        agree = distance(combined((*self.doubts, sample)), sample.embedding) <= within
        self.doubts = (*self.doubts, sample) if agree else (sample,)

    def split(self) -> Evidence:
        """Takes the doubts out: they are the evidence of somebody else, which is returned."""
        other = Evidence(portraits=dict(self.portraits))
        other.replace(self.doubts)
        other.scored = tuple(sample for sample in self.doubts if sample.live is not None)
        self.replace(tuple(sample for sample in self.samples if sample not in self.doubts))
        self.scored = tuple(sample for sample in self.scored if sample not in self.doubts)
        self.doubts = ()
        return other

    def merge(self, newer: Evidence, most: int) -> None:
        """Takes over the evidence of a newer track of the same face."""
        self.portraits |= newer.portraits
        self.replace(kept((*self.samples, *newer.samples), most))
        self.scored = kept((*self.scored, *newer.scored), most)
        self.verified = True

    def ranked(self) -> tuple[Sample, ...]:
        """The samples, the best first."""
        return tuple(sorted(self.samples, key=lambda sample: -sample.quality.score))
