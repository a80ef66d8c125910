"""What happens, as lines of JSON."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import TextIO

from knownface.live.values import EventKind, FrameResult, LiveEvent, Sink


class EventLines(Sink):
    """Writes every event as one JSON object a line (RFC 8259), at once.

    Args:
        stream: Where; it is not closed.

    Raises:
        BrokenPipeError: Whoever read has gone.
    """

    wants_frames = False

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def write(self, event: LiveEvent) -> None:
        """Writes one event; any thread may call it."""
        line = json.dumps(event.as_dict(), ensure_ascii=True)
        with self._lock:
            self._stream.write(line + "\n")
            self._stream.flush()

    def take(self, result: FrameResult) -> None:
        """Writes the events of a result."""
        for event in result.events:
            self.write(event)


class EventCalls(Sink):
    """Calls a function with every event of a kind.

    Args:
        kind: Which.
        call: The function; it is called on the sinks' thread.
    """

    wants_frames = False

    def __init__(self, kind: EventKind, call: Callable[[LiveEvent], None]) -> None:
        self._kind = kind
        self._call = call

    def take(self, result: FrameResult) -> None:
        """Calls it with those of a result."""
        for event in result.events:
            if event.kind == self._kind:
                self._call(event)
