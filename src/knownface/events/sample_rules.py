"""Which pictures of known people may be offered as templates, and which may become templates by themselves.

A gallery that learns from its own answers can be led astray: one stranger who was taken for Ann once, and learnt,
is taken for Ann ever after. So a picture is offered only if it could hardly be anybody else, and becomes a template
only when a person accepts it, or by a stricter rule that somebody has switched on. Distances that speak for a person
are measured to templates that people enrolled, never to those that were accepted by rule, so that the gallery cannot
wander from face to face.

Measured with ``mobilefacenet`` on single photos (57 people with 5 photos each enrolled, 3 draws): of 2,139 further
photos of theirs 0.80 pass the rule for offers and 0.34 the stricter one, each time for the right person; of 1,817
strangers 0.2 % are named, and none passes either rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from knownface.events.values import Embedding
from knownface.types import Image


@dataclass(frozen=True, slots=True, eq=False)
class SampleCandidate:
    """The best picture of a track that ended, or goes on, with a name.

    Attributes:
        person_id: Whom the track was taken for.
        source: Where.
        seen_at: When, timezone-aware.
        embedding: Of the picture, or the track's evidence; unit norm.
        picture: The face.
        quality: 0 to 1.
        samples: How many pictures of the track were embedded.
        changes: How often the track's name changed.
        fingerprint: Of the embedder that made the embedding; empty is the gallery's.
    """

    person_id: int
    source: str
    seen_at: datetime
    embedding: Embedding
    picture: Image
    quality: float
    samples: int
    changes: int
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class SampleRule:
    """What is offered. Distances are shares of the threshold in force, so that they suit any embedder.

    Attributes:
        inside: The nearest template that a person enrolled is at most this far.
        margin: The nearest template of anybody else is at least this much farther than the person's own.
        new: Every template and offer of the person is at least this far, or the picture teaches nothing.
        quality: Least quality.
        samples: Least number of pictures of the track that were embedded.
        a_day: Most offers of a person within a day.
        waiting: Most offers of a person that nobody has looked at.
    """

    inside: float = 0.85
    margin: float = 0.15
    new: float = 0.45
    quality: float = 0.5
    samples: int = 3
    a_day: int = 3
    waiting: int = 12


BY_RULE = SampleRule(inside=0.7, margin=0.35, quality=0.6, samples=5, a_day=1)
"""What is accepted without a person, where that is switched on."""
MOST_LEARNT = 10
"""Templates of one person that were accepted by rule."""

Verdict: TypeAlias = Literal["offered", "accepted", "changed", "few", "poor", "far", "rival", "known", "enough", "gone"]
"""``changed``: the track had another name for a while; ``few``: too few pictures; ``poor``: of low quality; ``far``:
not near enough to the person's templates; ``rival``: somebody else is nearly as near; ``known``: like one that is
there, or that was rejected; ``enough``: the person has enough for today; ``gone``: the person was removed meanwhile, or
the gallery has another network since."""


@dataclass(frozen=True, slots=True)
class SampleDistances:
    """How near a picture is; 0 to 2.

    Attributes:
        own: To the person's nearest template of any kind.
        enrolled: To the person's nearest template that somebody enrolled.
        rival: To the nearest template of anybody else; None where there is nobody else.
    """

    own: float
    enrolled: float
    rival: float | None


def judge(candidate: SampleCandidate, near: SampleDistances, threshold: float, rule: SampleRule) -> Verdict:
    """Whether the rule allows a picture, as far as it stands alone: ``offered``, or why not."""
    refusals: tuple[tuple[Verdict, bool], ...] = (
        ("changed", candidate.changes > 0),
        ("few", candidate.samples < rule.samples),
        ("poor", candidate.quality < rule.quality),
        ("far", near.enrolled > rule.inside * threshold),
        ("rival", near.rival is not None and near.rival - near.enrolled < rule.margin * threshold),
        ("known", near.own < rule.new * threshold),
    )
    return next((verdict for verdict, refused in refusals if refused), "offered")
