"""Options of tracking. The defaults were measured; see ``docs/tracking.md``."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class TrackingOptions:
    """How faces are associated over frames, when they are embedded and how sure a name must be.

    Times are stream seconds. Distances of embeddings are shares of the rule's threshold, so that they suit
    every embedder.

    Attributes:
        coast: A face that the detector misses is shown where its motion puts it for so long.
        keep_lost: A face that is out of sight for so long at most keeps its track.
        confirm: A face must have been found in so many frames before it can become an Unknown or a sighting.
        smallest: Shorter side in pixels of the smallest face that is embedded.
        poorest: Quality score, 0 to 1, of the poorest picture that is embedded as long as a better one may come.
        patience: A track without any picture so good is embedded after so long all the same.
        per_frame: Faces wanted a frame at most; the others wait for the next frames.
        agreeing_every: Between two pictures until ``agreeing`` of them may agree.
        first_every: Between two pictures while a track is not settled.
        slower: After three pictures each further one comes so many times later.
        check_every: Between two pictures of a settled track.
        check_near: The same where another face came near.
        check_met: The same where another face came so near that pictures may show both.
        doubtful: Score of a face, as the detector gives it, below which it must be found ``confirm`` times before it is
            embedded; None embeds any at once.
        settled: Pictures after which a track whose answer is clear is settled.
        settled_anyway: Pictures after which it is whatever its answer.
        better: A picture is better when its quality is so many times that of the best so far.
        answer_within: A wanted face whose embedding did not come within so long is asked for again.
        most_samples: The best so many pictures are a track's evidence.
        clear: One picture names a face if its distance is at most this share of the threshold.
        agreeing: Otherwise so many pictures must agree before a name is given or changed.
        named_at_end: Whether a track that ends undecided has the name that its last decision gives, on ``agreeing``
            pictures at least: for hindsight.
        taking_back: So many pictures in a row must name nobody before a name is taken back; the face is undecided then,
            and Unknown if twice as many do.
        far: Who lies farther from everybody than this share of the threshold is hardly one of them.
        unknown_after: A track that nobody is named for and that is far from everybody is Unknown once the quality
            scores of its pictures sum up to this, any other once ``most_samples`` have been seen: pictures that are
            poor, or nearly name somebody, say little about who somebody is not.
        alike: Two faces are the same if their distance is at most this share of the threshold.
        unlike: A picture contradicts the evidence if its distance from it is more than this share of the threshold.
        parting: So many pictures in a row that contradict the evidence, and are alike, part a track from the face
            that has taken its place; where faces met, or one was lost for a moment, half as many do.
        remember: An Unknown that comes back within so long keeps the number.
        trajectories: Whether summaries of tracks carry where the face was: for hindsight, since it grows with a track.
    """

    coast: float = 0.3
    keep_lost: float = 2.0
    confirm: int = 3
    smallest: float = 16.0
    poorest: float = 0.15
    patience: float = 0.5
    per_frame: int = 3
    agreeing_every: float = 0.06
    first_every: float = 0.12
    slower: float = 1.0
    check_every: float = 2.0
    check_near: float = 0.12
    check_met: float = 0.12
    doubtful: float | None = None
    settled: int = 5
    settled_anyway: float = math.inf
    better: float = 1.25
    answer_within: float = 2.0
    most_samples: int = 12
    clear: float = 0.9
    agreeing: int = 2
    named_at_end: bool = False
    taking_back: int = 3
    far: float = 1.08
    unknown_after: float = 4.5
    alike: float = 0.97
    unlike: float = 1.14
    parting: int = 4
    remember: float = 300.0
    trajectories: bool = False

    def __post_init__(self) -> None:
        for option in fields(self):
            value = getattr(self, option.name)
            if value is not None and not isinstance(value, bool) and not value > 0:
                raise ValueError(f"{option.name} must be greater than 0, got {value}")


IN_HINDSIGHT = TrackingOptions(
    trajectories=True,
    agreeing_every=0.12,
    slower=2.0,
    check_every=3.0,
    check_near=1.0,
    check_met=0.25,
    settled=3,
    settled_anyway=4,
    named_at_end=True,
    unknown_after=1.0,
)
"""For a stream that is told when it has ended: nobody waits for an answer, so fewer pictures do."""
