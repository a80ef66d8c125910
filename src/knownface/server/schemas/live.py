"""What is live: faces in front of cameras, and the sources that the service watches."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from knownface.live import WatchStatus
from knownface.media import SourceKind
from knownface.media.doubts import DoubtKind
from knownface.server.live.streams import Stream
from knownface.server.live.watched import WatchedSource
from knownface.server.schemas.common import Schema
from knownface.server.schemas.faces import LivenessSchema
from knownface.server.schemas.people import NameText, PersonSchema
from knownface.tracking import State, TrackSummary
from knownface.types import finite

_SOURCE: JsonDict = {
    "id": 1,
    "name": "front door",
    "kind": "stream",
    "address": "rtsp://192.168.1.20/live",
    "running": True,
    "created": "2026-03-01T09:30:00Z",
    "status": {
        "state": "running",
        "frames": 5120,
        "fps": 24.9,
        "delay": 0.031,
        "faces": 1,
        "names": ["Ada Lovelace"],
        "dropped": 12,
        "reconnects": 0,
        "last_error": "",
        "error_code": "",
        "doubt": None,
        "started": "2026-03-01T09:30:00Z",
    },
    "elsewhere": False,
}


class PresentFace(Schema):
    """A face in front of a camera now."""

    session: str = Field(description="Which stream, as in `/v1/live/sessions/{session}`.")
    source: str
    track: int
    state: State
    person: int | None = Field(description="Id of the person; null unless `named`.")
    name: str | None
    unknown: int | None = Field(description="Number of the Unknown; null unless `unknown`.")
    distance: float | None
    has_picture: bool
    why: str
    liveness: LivenessSchema | None = Field(description="Whether the face looks alive; null: not checked.")

    @classmethod
    def of(cls, stream: Stream, track: TrackSummary) -> PresentFace:
        """From the library's value."""
        identity = track.identity
        return cls(
            session=stream.id,
            source=stream.source,
            track=track.track_id,
            state=identity.state,
            person=identity.person_id,
            name=identity.name,
            unknown=identity.unknown,
            distance=finite(track.best_distance),
            has_picture=track.picture is not None,
            why=identity.why,
            liveness=None if identity.liveness is None else LivenessSchema(**identity.liveness.to_dict()),
        )


class Present(Schema):
    """Everybody in front of a camera now."""

    faces: list[PresentFace]


class TrackName(Schema):
    """Who a face is."""

    name: NameText


class NamedTrackSchema(Schema):
    """What naming a face did."""

    person: PersonSchema
    enrolled: int = Field(description="Templates that the person got.")
    held: int = Field(description="Faces held back until somebody decides.")
    refused: int = Field(description="Faces that were refused.")
    reasons: list[str] = Field(description="Why, a sentence each.")
    sightings: int = Field(description="Sightings that were given to the person.")


class WatchStatusSchema(Schema):
    """How watching goes."""

    state: Literal["connecting", "running", "reconnecting", "writing", "ended", "failed"]
    frames: int
    fps: float = Field(description="Frames looked at a second.")
    delay: float | None = Field(description="Seconds from a frame to its boxes, median.")
    faces: int
    names: list[str]
    dropped: int
    reconnects: int
    last_error: str
    error_code: str = Field(default="", description="The same as the code of an error; empty: nothing went wrong.")
    doubt: DoubtKind | None = Field(
        description="What the pictures have been for ten seconds: exactly equal (`still`), or of one colour (`blank`)."
    )
    started: datetime | None

    @classmethod
    def of(cls, status: WatchStatus) -> WatchStatusSchema:
        """From the library's value."""
        return cls(
            state=status.state,
            frames=status.frames,
            fps=round(status.fps_out, 1),
            delay=None if status.latency_p50 is None else round(status.latency_p50, 4),
            faces=status.faces,
            names=list(status.names),
            dropped=status.dropped,
            reconnects=status.reconnects,
            last_error=status.last_error,
            error_code=status.error_code,
            doubt=status.doubt,
            started=status.started,
        )


class SourceSchema(Schema):
    """A source that the service watches, or would."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SOURCE]})

    id: int
    name: str
    kind: SourceKind
    address: str = Field(description="Without user, password and query; of a file, below the folder for sources.")
    running: bool = Field(description="Whether it is to be watched, also after a start of the service.")
    created: datetime
    status: WatchStatusSchema | None = Field(description="Null where it was not watched by the service that was asked.")
    elsewhere: bool = Field(description="Whether another service on the same gallery watches it.")

    @classmethod
    def of(cls, watched: WatchedSource) -> SourceSchema:
        """From the service's value."""
        listed = watched.listed
        return cls(
            id=listed.id,
            name=listed.name,
            kind=listed.source.kind,
            address=watched.address,
            running=listed.running,
            created=listed.created,
            status=None if watched.status is None else WatchStatusSchema.of(watched.status),
            elsewhere=watched.elsewhere,
        )


class NewSource(Schema):
    """A source to be watched."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "front door", "address": "rtsp://viewer:secret@192.168.1.20/live"}]}
    )

    name: NameText
    address: str = Field(
        min_length=1,
        max_length=2000,
        description="Number of a camera of the server, an rtsp:// or http:// address, or the path of a video file or a "
        "folder of frames below the server's folder for sources. A password in it is stored and never shown.",
    )
