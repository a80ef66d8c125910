"""Watching cameras, streams and videos: faces tracked, names steady, results to sinks."""

from knownface.live.options import SessionOptions, WatchOptions
from knownface.live.session import LiveSession
from knownface.live.values import EventKind, FrameResult, LiveEvent, Sink, WatchState, WatchStatus
from knownface.live.watcher import Watcher

__all__ = [
    "EventKind",
    "FrameResult",
    "LiveEvent",
    "LiveSession",
    "SessionOptions",
    "Sink",
    "WatchOptions",
    "WatchState",
    "WatchStatus",
    "Watcher",
]
