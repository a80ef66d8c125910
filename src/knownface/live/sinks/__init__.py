"""Where results go: one file a sink."""

from knownface.live.sinks.events import EventCalls, EventLines
from knownface.live.sinks.sightings import SampleOffers, SightingRecorder
from knownface.live.sinks.timeline import Timeline, TimelineRow, TimelineTotal
from knownface.live.sinks.video import LabelledVideo

__all__ = [
    "EventCalls",
    "EventLines",
    "LabelledVideo",
    "SampleOffers",
    "SightingRecorder",
    "Timeline",
    "TimelineRow",
    "TimelineTotal",
]
