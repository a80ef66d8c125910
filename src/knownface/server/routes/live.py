"""Live: who is in front of a camera, naming them, and the sources that the service watches itself."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from fastapi import Depends, Path, Request, Response

from knownface.errors import BadNameError, NameTakenError, NotFoundError, UnsupportedError
from knownface.events.recording import jpeg
from knownface.server.access import guarded_router, needs
from knownface.server.context import service_of
from knownface.server.error_responses import errors
from knownface.server.live.naming import name_track
from knownface.server.live.streams import LiveStreams
from knownface.server.routes.common import CallerDep, ServiceDep, picture_answer
from knownface.server.schemas.common import Number
from knownface.server.schemas.live import NamedTrackSchema, NewSource, Present, PresentFace, SourceSchema, TrackName
from knownface.server.schemas.people import PersonSchema

router = guarded_router("live")


async def _streams_of(request: Request) -> LiveStreams:
    return service_of(request).streams


Live: TypeAlias = Annotated[LiveStreams, Depends(_streams_of)]
SessionId: TypeAlias = Annotated[str, Path(max_length=40, description="Of a stream that is looked at now.")]

_GONE = errors(NotFoundError)
_JPEG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/jpeg": {}}}}


@router.get("/live/present", dependencies=needs("viewer"), responses=errors(), summary="Tell who is here")
def present(streams: Live) -> Present:
    """Everybody in front of a camera of a browser or of a watched source, at most half a second old."""
    faces = [
        PresentFace.of(stream, track)
        for stream in streams.all()
        for track in stream.recent.present()
        if track.identity.state != "pending"
    ]
    return Present(faces=faces)


@router.post(
    "/live/sessions/{session}/tracks/{track}/name",
    dependencies=needs("operator"),
    responses=errors(NotFoundError, BadNameError, NameTakenError),
    summary="Name a face",
)
def name_face(
    service: ServiceDep, streams: Live, caller: CallerDep, session: SessionId, track: Number, who: TrackName
) -> NamedTrackSchema:
    """Says who a face in front of a camera is: its best pictures are enrolled, its sightings become the person's.

    The name is that of somebody known, or of a new person. A face can be named up to two minutes after it left.
    """
    named = name_track(service.recognizer, streams.get(session), track, who.name)
    service.audit.note(caller.actor, "track.name", named.person.id, added=named.enrolled, sightings=named.sightings)
    return NamedTrackSchema(
        person=PersonSchema.model_validate(named.person),
        enrolled=named.enrolled,
        held=named.held,
        refused=named.refused,
        reasons=[reason.message for reason in named.reasons],
        sightings=named.sightings,
    )


@router.get(
    "/live/sessions/{session}/tracks/{track}/picture",
    dependencies=needs("viewer"),
    responses={**_GONE, **_JPEG},
    response_class=Response,
    summary="Show a face",
)
def show_face(streams: Live, request: Request, session: SessionId, track: Number) -> Response:
    """The best picture so far of a face in front of a camera, as JPEG."""
    found = streams.get(session).recent.find(track)
    if found is None or found.picture is None:
        raise NotFoundError("There is no picture of this face.")
    return picture_answer(request, jpeg(found.picture))


@router.get("/live/sources", dependencies=needs("viewer"), responses=errors(), summary="List the sources watched")
def list_sources(streams: Live) -> list[SourceSchema]:
    """The sources that the service watches itself, with how each goes."""
    return [SourceSchema.of(source) for source in streams.watched.all()]


@router.post(
    "/live/sources",
    dependencies=needs("admin"),
    status_code=201,
    responses=errors(BadNameError, NameTakenError, UnsupportedError),
    summary="Watch a source",
)
def add_source(
    service: ServiceDep, streams: Live, caller: CallerDep, source: NewSource, response: Response
) -> SourceSchema:
    """Watches a camera, a stream or a file from now on, also after a start of the service.

    A camera or stream that is lost, or is not there yet, is tried again until it is. A file is watched once.
    """
    added = streams.watched.add(source.name, source.address)
    service.audit.note(caller.actor, "source.add", added.listed.id)
    response.headers["Location"] = f"/v1/live/sources/{added.listed.id}"
    return SourceSchema.of(added)


@router.get("/live/sources/{source}", dependencies=needs("viewer"), responses=_GONE, summary="Tell how a source goes")
def read_source(streams: Live, source: Number) -> SourceSchema:
    """One source and how it goes."""
    return SourceSchema.of(streams.watched.get(source))


@router.get(
    "/live/sources/{source}/preview",
    dependencies=needs("viewer"),
    responses={**_GONE, **_JPEG},
    response_class=Response,
    summary="Show what a source shows",
)
def preview(streams: Live, source: Number) -> Response:
    """The newest frame with boxes and names drawn in, as JPEG; ask again for the next one."""
    watched = streams.watched.get(source)
    picture = streams.watched.preview(source)
    if picture is None:
        raise NotFoundError(
            "Another service on the same gallery watches this source."
            if watched.elsewhere
            else "There is nothing to see yet."
        )
    return Response(picture, media_type="image/jpeg", headers={"Cache-Control": "no-store"})


@router.post("/live/sources/{source}/start", dependencies=needs("operator"), responses=_GONE, summary="Start a source")
def start_source(service: ServiceDep, streams: Live, caller: CallerDep, source: Number) -> SourceSchema:
    """Watches a source again; nothing changes if it is watched."""
    started = streams.watched.start(source)
    service.audit.note(caller.actor, "source.start", source)
    return SourceSchema.of(started)


@router.post("/live/sources/{source}/stop", dependencies=needs("operator"), responses=_GONE, summary="Stop a source")
def stop_source(service: ServiceDep, streams: Live, caller: CallerDep, source: Number) -> SourceSchema:
    """Watches a source no more, until it is started again; answers when what was seen is written down."""
    stopped = streams.watched.stop(source)
    service.audit.note(caller.actor, "source.stop", source)
    return SourceSchema.of(stopped)


@router.delete(
    "/live/sources/{source}",
    dependencies=needs("admin"),
    status_code=204,
    responses=_GONE,
    summary="Forget a source",
)
def remove_source(service: ServiceDep, streams: Live, caller: CallerDep, source: Number) -> None:
    """Stops a source and forgets its address; its sightings stay."""
    streams.watched.remove(source)
    service.audit.note(caller.actor, "source.delete", source)
