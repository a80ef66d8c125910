"""What happens, as it happens, to every browser and program that listens."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import Any, TypeAlias

from knownface.live import FrameResult, LiveEvent, Sink

_WAITING = 100
"""Events that wait for a slow listener; beyond, it loses the oldest ones. What must arrive goes by webhook."""

Event: TypeAlias = dict[str, Any]


class Hub:
    """Hands events on; any thread may publish, listeners live on event loops."""

    def __init__(self) -> None:
        self._listeners: dict[asyncio.Queue[Event], asyncio.AbstractEventLoop] = {}
        self._lock = threading.Lock()

    def listen(self) -> asyncio.Queue[Event]:
        """Begin to listen; call from the event loop that will read the queue."""
        queue: asyncio.Queue[Event] = asyncio.Queue(_WAITING)
        with self._lock:
            self._listeners[queue] = asyncio.get_running_loop()
        return queue

    def leave(self, queue: asyncio.Queue[Event]) -> None:
        """Listen no more."""
        with self._lock:
            self._listeners.pop(queue, None)

    def publish(self, event: Event) -> None:
        """Tell every listener."""
        with self._lock:
            listeners = list(self._listeners.items())
        for queue, loop in listeners:
            with contextlib.suppress(RuntimeError):  # the loop was closed this moment
                loop.call_soon_threadsafe(_put, queue, event)


class HubSink(Sink):
    """A sink of a live stream that publishes its events.

    Args:
        hub: Where to.
        session: Which stream it is; told with each event.
    """

    def __init__(self, hub: Hub, session: str) -> None:
        self._hub = hub
        self._session = session

    def take(self, result: FrameResult) -> None:
        """Publish what happened."""
        for event in result.events:
            self.tell(event)

    def tell(self, event: LiveEvent) -> None:
        """Publish one thing that happened."""
        self._hub.publish({"type": "event", "session": self._session, **event.as_dict()})


def _put(queue: asyncio.Queue[Event], event: Event) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(event)
