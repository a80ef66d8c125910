"""Writing down what was seen, as statements over an open transaction."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from PIL import Image as PilImage
from sqlalchemy import ColumnElement, Connection, Row, insert, select, update

from knownface.events.values import Embedding, RetentionPolicy, SeenTrack
from knownface.gallery.consents import is_required, permitted
from knownface.storage import insert_new
from knownface.storage.events_schema import META_UNKNOWN_NUMBER, sightings
from knownface.storage.schema import meta, people
from knownface.storage.statements import chunks, storable
from knownface.types import Image

_JPEG_QUALITY = 85


def record(
    connection: Connection, seen: Sequence[SeenTrack], retention: RetentionPolicy, fingerprint: str | None
) -> int:
    """Insert or bring up to date one row for each key; people who are gone meanwhile are passed over.

    Where the gallery demands consent, people without one for live cameras are passed over too, and neither face nor
    picture of an Unknown is kept.

    Args:
        connection: The caller's transaction.
        seen: What was seen; of two with one key the later counts.
        retention: What may be kept of it.
        fingerprint: Of the gallery's embedder; without it no embeddings are kept.

    Returns:
        How many rows were written.
    """
    latest = {track.key: track for track in seen}
    if is_required(connection):
        retention = replace(retention, unknown_faces=False)
        latest = {key: _faceless(track) for key, track in latest.items()}
    there = _there(connection, [track.person_id for track in latest.values() if track.person_id is not None])
    stored = _stored(connection, list(latest))
    written = 0
    for key, track in latest.items():
        if track.person_id is not None and track.person_id not in there:
            continue
        row = stored.get(key)
        values = _values(track, row) | _faces(track, row, retention, fingerprint)
        if row is None:
            connection.execute(insert(sightings), {"key": key, "dismissed": False, **values})
        else:
            connection.execute(update(sightings).where(sightings.c.id == row.id).values(values))
        written += 1
    return written


def next_unknown_number(connection: Connection) -> int:
    """A number that no Unknown had before."""
    insert_new(connection, meta, [{"key": META_UNKNOWN_NUMBER, "value": "0"}])
    number = int(connection.scalars(select(meta.c.value).where(meta.c.key == META_UNKNOWN_NUMBER)).one()) + 1
    connection.execute(update(meta).where(meta.c.key == META_UNKNOWN_NUMBER).values(value=str(number)))
    return number


def jpeg(picture: Image) -> bytes:
    """A face's picture as it is kept."""
    buffer = io.BytesIO()
    PilImage.fromarray(picture).save(buffer, format="JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue()


def vector_bytes(embedding: Embedding) -> bytes:
    """An embedding as it is kept: float32, little-endian."""
    return np.ascontiguousarray(embedding, dtype="<f4").tobytes()


def vector_from(blob: bytes) -> Embedding:
    """What :func:`vector_bytes` wrote."""
    return np.frombuffer(blob, dtype="<f4").astype(np.float32)


def _there(connection: Connection, ids: Iterable[int]) -> set[int]:
    return {
        person_id
        for chunk in chunks(sorted(set(ids)))
        for person_id in connection.scalars(
            select(people.c.id).where(people.c.id.in_(chunk), permitted(connection, people.c.id, "live"))
        )
    }


_STORED: tuple[ColumnElement[Any], ...] = (
    sightings.c.id,
    sightings.c.key,
    sightings.c.person_id,
    sightings.c.unknown,
    sightings.c.first_seen,
    sightings.c.last_seen,
    sightings.c.first_time,
    sightings.c.best_distance,
    sightings.c.frames,
    sightings.c.quality,
    sightings.c.liveness,
    sightings.c.picture.is_not(None).label("has_picture"),
)


def _stored(connection: Connection, keys: Sequence[str]) -> dict[str, Row[Any]]:
    return {
        row.key: row
        for chunk in chunks(keys)
        for row in connection.execute(select(*_STORED).where(sightings.c.key.in_(chunk)))
    }


def _faceless(track: SeenTrack) -> SeenTrack:
    return track if track.person_id is not None else replace(track, picture=None, embedding=None)


def _values(track: SeenTrack, row: Row[Any] | None) -> dict[str, Any]:
    # Both ends are compared with both, since a clock may be set back while somebody stands there.
    times = [track.first_seen.astimezone(UTC), track.last_seen.astimezone(UTC)]
    frames, first_time, person_id = track.frames, track.first_time, track.person_id
    if row is not None:
        times += [row.first_seen, row.last_seen]
        frames = max(frames, row.frames)
        first_time = row.first_time if first_time is None else first_time
        if _was_named(track, row):
            person_id = row.person_id
    return {
        "person_id": person_id,
        "unknown": track.unknown,
        "source": storable(track.source),
        "first_seen": min(times),
        "last_seen": max(times),
        "first_time": first_time,
        "last_time": track.last_time,
        "best_distance": track.best_distance,
        "frames": frames,
        "liveness": track.liveness,
    }


def _was_named(track: SeenTrack, row: Row[Any]) -> bool:
    """Whether somebody gave a name to this Unknown, whom the camera still calls Unknown."""
    return track.unknown is not None and track.unknown == row.unknown and row.person_id is not None


def _faces(
    track: SeenTrack, row: Row[Any] | None, retention: RetentionPolicy, fingerprint: str | None
) -> dict[str, Any]:
    values: dict[str, Any] = {"quality": track.quality if row is None else _larger(row.quality, track.quality)}
    if retention.pictures and track.picture is not None and _is_better(track, row):
        values["picture"] = jpeg(track.picture)
    if track.person_id is not None:
        return values | {"embedding": None, "fingerprint": None}
    # What is kept of an Unknown whom somebody named stays as it was then, so that the naming can be undone.
    named = row is not None and _was_named(track, row)
    if retention.unknown_faces and not named and track.embedding is not None and fingerprint is not None:
        values |= {"embedding": vector_bytes(track.embedding), "fingerprint": track.fingerprint or fingerprint}
    return values


def _is_better(track: SeenTrack, row: Row[Any] | None) -> bool:
    if row is None or not row.has_picture:
        return True
    return track.quality is not None and (row.quality is None or track.quality > row.quality)


def _larger(one: float | None, other: float | None) -> float | None:
    given = [value for value in (one, other) if value is not None]
    return max(given, default=None)


def as_utc(time: datetime | None) -> datetime:
    """A time given by a caller, or now; in UTC.

    Raises:
        ValueError: It carries no time zone.
    """
    if time is None:
        return datetime.now(UTC)
    if time.tzinfo is None:
        raise ValueError(f"a time must carry a time zone, got {time.isoformat()}")
    return time.astimezone(UTC)
