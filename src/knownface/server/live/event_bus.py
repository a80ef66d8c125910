"""An event bus: what happens, as it happens, to every browser and program that listens."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import Any, TypeAlias

from knownface.live import FrameResult, LiveEvent, Sink

_QUEUED = 100
"""Events that wait for a slow subscriber; beyond, it loses the oldest ones. What must arrive goes by webhook."""

Event: TypeAlias = dict[str, Any]


class EventBus:
    """Passes events to its subscribers. Any thread may publish; subscribers live on event loops."""

    def __init__(self) -> None:
        self._subscribers: dict[asyncio.Queue[Event], asyncio.AbstractEventLoop] = {}
        self._lock = threading.Lock()

    def subscribe(self) -> asyncio.Queue[Event]:
        """Returns a queue that gets every event from now on; call from the event loop that will read it."""
        queue: asyncio.Queue[Event] = asyncio.Queue(_QUEUED)
        with self._lock:
            self._subscribers[queue] = asyncio.get_running_loop()
        return queue

    def unsubscribe(self, queue: asyncio.Queue[Event]) -> None:
        """Puts no more events into a queue."""
        with self._lock:
            self._subscribers.pop(queue, None)

    def publish(self, event: Event) -> None:
        """Puts an event into the queue of every subscriber."""
        with self._lock:
            subscribers = list(self._subscribers.items())
        for queue, loop in subscribers:
            with contextlib.suppress(RuntimeError):  # the loop was closed this moment
                loop.call_soon_threadsafe(_put, queue, event)


class EventPublisher(Sink):
    """A sink of a live stream that publishes its events.

    Args:
        bus: Where to.
        session: Id of the stream, sent with each event.
    """

    def __init__(self, bus: EventBus, session: str) -> None:
        self._bus = bus
        self._session = session

    def take(self, result: FrameResult) -> None:
        """Publishes the events of a result."""
        for event in result.events:
            self.publish(event)

    def publish(self, event: LiveEvent) -> None:
        """Publishes one event."""
        self._bus.publish({"type": "event", "session": self._session, **event.as_dict()})


def _put(queue: asyncio.Queue[Event], event: Event) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(event)
