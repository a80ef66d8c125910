"""Faces tracked over the frames of a video, and who they are by all of their pictures together."""

from knownface.tracking.hindsight import SHOWN_GAP, in_hindsight
from knownface.tracking.naming import Decide
from knownface.tracking.options import IN_HINDSIGHT, TrackingOptions
from knownface.tracking.tracker import FaceTracker
from knownface.tracking.values import (
    EmbeddingRequest,
    Identity,
    RequestReason,
    Sample,
    Segment,
    State,
    TrackedFace,
    TrackIdentity,
    TrackSummary,
)

__all__ = [
    "IN_HINDSIGHT",
    "SHOWN_GAP",
    "Decide",
    "EmbeddingRequest",
    "FaceTracker",
    "Identity",
    "RequestReason",
    "Sample",
    "Segment",
    "State",
    "TrackIdentity",
    "TrackSummary",
    "TrackedFace",
    "TrackingOptions",
    "in_hindsight",
]
