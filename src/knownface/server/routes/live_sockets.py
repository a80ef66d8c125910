"""Live: pictures of a browser's camera by WebSocket, the sources that the service watches, and what happens.

``WS /v1/live/camera`` takes pictures as binary messages, in the order in which they were taken. The newest one counts:
what arrives while another is being processed replaces what waits. Every answer says which picture it is about, so a
sender that keeps at most two pictures on their way never builds up a queue, neither here nor in the network.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from knownface.errors import BusyError, ForbiddenError, KnownFaceError, NoKeyError, RateLimitedError
from knownface.gallery.names import clean_label
from knownface.live import FrameResult
from knownface.live.challenges import Challenges
from knownface.liveness.challenge import Challenge
from knownface.server.access import Caller, access_of
from knownface.server.context import Service, service_of
from knownface.server.error_responses import problem_of
from knownface.server.keys import Role
from knownface.server.kiosks import Kiosk
from knownface.server.live.camera import CameraStream

CHECK_EVERY: Final = 2.0
"""Seconds after which a key or browser session that was revoked ends what it opened."""
SILENCE: Final = 300.0
"""Seconds without a picture after which a camera's connection is closed."""

# Private codes of RFC 6455, section 7.4.2: 4000 and an HTTP status. The first that fits counts.
_CODES = {NoKeyError: 4401, ForbiddenError: 4403, BusyError: 4503, RateLimitedError: 4429}

router = APIRouter()


@router.websocket("/v1/live/camera")
async def camera(websocket: WebSocket, source: Annotated[str, Query(max_length=200)] = "browser") -> None:
    """Tracks and names the faces in the pictures of a browser's camera."""

    async def talk() -> None:
        service = service_of(websocket)
        streams = service.streams
        caller = websocket.state.caller
        who = str(caller.actor.key_id)
        own, challenges = await asyncio.to_thread(_own_source, service, caller, source)
        stream = streams.open_camera(own, who, challenges)
        try:
            await websocket.send_json({"type": "session", "session": stream.id})
            newest = _Newest()
            await _until_one_ends(_receive(websocket, newest), _answer(websocket, newest, stream, caller))
        finally:
            await asyncio.shield(asyncio.to_thread(streams.close_camera, stream))

    await _admit(websocket, "device", talk)


@router.websocket("/v1/live/events")
async def events(websocket: WebSocket) -> None:
    """Sends what happens in front of every camera, and every alert."""

    async def talk() -> None:
        bus = service_of(websocket).streams.events
        queue = bus.subscribe()

        async def send() -> None:
            while True:
                await websocket.send_json(await queue.get())

        try:
            await _until_one_ends(_drain(websocket), send())
        finally:
            bus.unsubscribe(queue)

    await _admit(websocket, "viewer", talk)


class _Newest:
    """Holds the newest picture that has not been processed; older ones are dropped."""

    def __init__(self) -> None:
        self._arrived = asyncio.Event()
        self._item: tuple[int, bytes] | None = None

    def put(self, number: int, picture: bytes) -> None:
        self._item = number, picture
        self._arrived.set()

    async def take(self) -> tuple[int, bytes]:
        await self._arrived.wait()
        self._arrived.clear()
        item, self._item = self._item, None
        assert item is not None  # noqa: S101 - it arrived
        return item


async def _receive(websocket: WebSocket, newest: _Newest) -> None:
    number = 0
    while True:
        message = await asyncio.wait_for(websocket.receive(), SILENCE)
        if message["type"] == "websocket.disconnect":
            return
        picture = message.get("bytes")
        if picture is not None:
            number += 1
            newest.put(number, picture)


async def _answer(websocket: WebSocket, newest: _Newest, stream: CameraStream, caller: Caller) -> None:
    service = service_of(websocket)
    workers, who = service.workers, service.share_of(caller.actor.key_id)
    while True:
        number, picture = await newest.take()
        try:
            result = await workers.run(who, stream.process, picture)
            answer = frame_answer(result, names_only=caller.role == "device")
        except KnownFaceError as error:
            answer = {"type": "problem", **problem_of(error).model_dump()}
        await websocket.send_json({**answer, "frame": number})


def _own_source(service: Service, caller: Caller, source: str) -> tuple[str, Challenges | None]:
    """What the sightings of a camera are kept under, and what faces are asked first.

    A kiosk has its own source, whatever it asks for, which nobody else has.
    """
    if caller.role == "device" and service.kiosks.has_key(caller.actor.key_id):
        kiosk = service.kiosks.of_key(caller.actor.key_id)
        return kiosk.source, _challenges(service, caller, kiosk) if service.settings.challenge == "turn" else None
    label = clean_label(source, "camera's name")
    if service.kiosks.has_source(label):
        raise ForbiddenError(f"{label!r} is a kiosk's.", "Give this camera another name.")
    return label, None


def _challenges(service: Service, caller: Caller, kiosk: Kiosk) -> Challenges:
    def note(track_id: int, ended: Challenge) -> None:
        facts = {"track": track_id, "passed": ended.state == "passed", "side": ended.side, "why": ended.why}
        service.audit.note(caller.actor, "kiosk.challenge", kiosk.session_id, kiosk=kiosk.id, **facts)

    return Challenges(note)


def frame_answer(result: FrameResult, *, names_only: bool = False) -> dict[str, Any]:
    """What a browser is sent of a frame: its size, and each face with its box and name as far as known.

    Args:
        result: Of the frame.
        names_only: Leave out how near anybody is who is not named, and why.
    """
    height, width = (0, 0) if result.frame is None else result.frame.image.shape[:2]
    faces = []
    for face in result.faces:
        identity, decision = face.identity, face.identity.decision
        asked = result.challenges.get(face.track_id)
        shown = identity.state == "named" or not names_only
        known = shown and decision is not None and decision.distance <= 2
        faces.append(
            {
                "track": face.track_id,
                "box": face.box.as_list(),
                "state": identity.state,
                "person": identity.person_id,
                "name": identity.name,
                "unknown": identity.unknown,
                "distance": round(decision.distance, 3) if known and decision is not None else None,
                "why": "" if names_only else identity.why,
                "barred": identity.is_barred,
                "covered": face.covered,
                "challenge": None if asked is None else {"side": asked.side, "state": asked.state, "why": asked.why},
            }
        )
    return {"type": "frame", "width": width, "height": height, "faces": faces}


async def _admit(websocket: WebSocket, role: Role, talk: Callable[[], Awaitable[None]]) -> None:
    """Talks with somebody who may, as long as they may, and closes the connection in order, whatever ends it."""
    code, why = 1000, ""
    try:
        await websocket.accept()  # of what is refused before that, browsers say nothing
        access_of(websocket, role)
        await _until_one_ends(talk(), _until_void(websocket, role))
    except KnownFaceError as error:
        code = next((c for kind, c in _CODES.items() if isinstance(error, kind)), 4422)
        why = error.message
    except TimeoutError:
        code, why = 4408, "Nothing was sent."
    except (WebSocketDisconnect, RuntimeError) as error:
        if not isinstance(error, WebSocketDisconnect) and websocket.client_state is WebSocketState.CONNECTED:
            raise
    if WebSocketState.DISCONNECTED not in {websocket.client_state, websocket.application_state}:
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            await websocket.close(code, why[:120])


async def _until_void(websocket: WebSocket, role: Role) -> None:
    """Raises once the key or session is not valid any more."""
    while True:
        await asyncio.sleep(CHECK_EVERY)
        access_of(websocket, role)


async def _drain(websocket: WebSocket) -> None:
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


async def _until_one_ends(*work: Any) -> None:
    """Runs coroutines until one of them returns or raises; the others are cancelled."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
