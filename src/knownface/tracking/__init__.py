"""Faces followed over the frames of a video, and who they are by all of their pictures together."""

from knownface.tracking.follower import FaceFollower
from knownface.tracking.naming import Decide
from knownface.tracking.options import FollowOptions
from knownface.tracking.values import Sample, State, Stretch, TrackedFace, TrackIdentity, TrackSummary, Wanted, Why

__all__ = [
    "Decide",
    "FaceFollower",
    "FollowOptions",
    "Sample",
    "State",
    "Stretch",
    "TrackIdentity",
    "TrackSummary",
    "TrackedFace",
    "Wanted",
    "Why",
]
