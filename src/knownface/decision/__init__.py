"""Who is it? The two-stage vote over the nearest templates, and one person to a face."""

from knownface.decision.picture import CounterExamples, GalleryFacts, decide_picture
from knownface.decision.scoring import (
    AROUND,
    Places,
    distances_between,
    means_of_people,
    people_around,
    unit_means,
    with_means,
)
from knownface.decision.voting import NOBODY, Outcome, Tally, tally, thresholds_of, vote

__all__ = [
    "AROUND",
    "NOBODY",
    "CounterExamples",
    "GalleryFacts",
    "Outcome",
    "Places",
    "Tally",
    "decide_picture",
    "distances_between",
    "means_of_people",
    "people_around",
    "tally",
    "thresholds_of",
    "unit_means",
    "vote",
    "with_means",
]
