"""What the pictures of a track say together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from knownface.quality import FaceQuality
from knownface.tracking.values import Sample
from knownface.types import Embeddings

if TYPE_CHECKING:
    from knownface.tracking.track import Track

_LEAST_WEIGHT = 0.05
_FIRST = 3
"""Pictures of a track before which none contradicts, unless it shows a face of another track."""
_DECIDEDLY = 1.05
"""How far beyond the distance of unlike faces one picture is enough."""


def weight(quality: FaceQuality) -> float:
    """How much a picture counts among others of the same face, above 0, at most 1."""
    return max(_LEAST_WEIGHT, quality.score)


def combined(samples: Sequence[Sample]) -> Embeddings:
    """The mean of the embeddings, weighted by the square of the quality, as a unit vector.

    How this compares with other ways is told in ``docs/tracking.md``.

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


def kept(samples: Sequence[Sample], most: int) -> tuple[Sample, ...]:
    """The best so many samples and in any case the newest, in their order."""
    if len(samples) <= most:
        return tuple(samples)
    best = sorted(range(len(samples) - 1), key=lambda i: (-weight(samples[i].quality), -i))[: most - 1]
    return tuple(samples[i] for i in [*sorted(best), len(samples) - 1])


def distance(a: Embeddings, b: Embeddings) -> float:
    """Of two unit vectors, 0 to 2."""
    return float(np.linalg.norm(a - b))


def judge(
    track: Track, sample: Sample, others: Sequence[Embeddings], *, alike: float, unlike: float
) -> Literal["fits", "odd", "other"]:
    """Whether a picture shows the face of a track, may not, or shows somebody else's.

    Args:
        track: With its evidence.
        sample: Its new picture.
        others: The evidence of the other tracks.
        alike: Distance within which two faces are the same.
        unlike: Distance beyond which they are hardly the same.
    """
    if track.embedding is None:
        return "fits"
    trusted = [s for s in track.samples if s not in track.doubts] if track.doubts else []
    own = distance(combined(trusted) if trusted else track.embedding, sample.embedding)
    other = min((distance(embedding, sample.embedding) for embedding in others), default=math.inf)
    if other <= alike < own:
        return "other"
    if len(track.samples) < _FIRST and (track.verified or track.standing.state == "pending"):
        return "fits"  # the first pictures may be the poor ones
    if own > _DECIDEDLY * unlike:
        return "other"
    return "odd" if own > unlike else "fits"
