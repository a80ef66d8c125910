"""Who is it? The two-stage vote over the nearest templates, and one person to a face."""

from knownface.decision.picture import CounterExamples, GalleryFacts, decide_picture
from knownface.decision.voting import NOBODY, Outcome, Tally, tally, thresholds_of, vote

__all__ = [
    "NOBODY",
    "CounterExamples",
    "GalleryFacts",
    "Outcome",
    "Tally",
    "decide_picture",
    "tally",
    "thresholds_of",
    "vote",
]
