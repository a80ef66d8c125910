"""What waits beside the templates, for another network: pictures held back, samples offered, faces of Unknowns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Select, select, update

from knownface.detection import FaceDetector
from knownface.embedding import FaceEmbedder
from knownface.enrolment.finding import FaceFinder
from knownface.events.samples import renew_offer
from knownface.gallery import Gallery, WaitingFace
from knownface.media.face_picture import FacePicture
from knownface.pipeline import embed_crops
from knownface.storage.events_schema import offers, sightings
from knownface.storage.schema import held
from knownface.types import Box, Embeddings

MOST_UNKNOWNS = 3000
"""Sightings of Unknowns, the newest, of which faces are embedded anew: so many are compared with each other."""


def renew_kept_faces(gallery: Gallery, detector: FaceDetector, embedder: FaceEmbedder, max_pixels: int) -> int:
    """Embed anew what waits beside the templates, after the gallery was brought over to a network.

    What has neither a file nor a picture that the face is found in stays as it is: it counts again after the way back.

    Args:
        gallery: Which is of the network.
        detector: Finds the faces again.
        embedder: The network.
        max_pixels: Larger pictures are refused unread.

    Returns:
        How many faces have a new embedding.

    Raises:
        ModelError, PartError: The network or the detector fails.
        GalleryError, OutputError: The gallery cannot be written; the next change to this network goes on from here.
    """
    finder, fingerprint = FaceFinder(detector, embedder, max_pixels), embedder.contract.fingerprint

    def made(face: WaitingFace) -> Embeddings | None:
        crops, _ = finder.crops([face])
        return embed_crops([crop for _, crop in crops], embedder)[0] if crops else None

    with gallery.database.reading() as connection:
        of_held = list(_faces(connection, _held(fingerprint)))
        of_offers = list(_faces(connection, _offered(fingerprint)))
        of_unknowns = list(_faces(connection, _unknowns(fingerprint)))
    count = 0
    for table, column, faces in ((held, "vector", of_held), (sightings, "embedding", of_unknowns)):
        for face in faces:
            if (vector := made(face)) is not None:
                values = {column: vector.astype("<f4").tobytes(), "fingerprint": fingerprint}
                with gallery.database.writing() as connection:
                    still = (table.c.id == face.id) & table.c[column].is_not(None)
                    count += connection.execute(update(table).where(still).values(values)).rowcount
    for face in of_offers:
        if (vector := made(face)) is not None:
            count += renew_offer(gallery, face.id, vector)
    return count


def _held(fingerprint: str) -> Select[Any]:
    return select(held).where(held.c.vector.is_not(None), held.c.fingerprint != fingerprint).order_by(held.c.id)


def _offered(fingerprint: str) -> Select[Any]:
    waits = offers.c.picture.is_not(None) & (offers.c.fingerprint != fingerprint)
    return select(offers.c.id, offers.c.picture).where(waits).order_by(offers.c.id)


def _unknowns(fingerprint: str) -> Select[Any]:
    table = sightings
    kept = table.c.embedding.is_not(None) & table.c.picture.is_not(None) & (table.c.fingerprint != fingerprint)
    query = select(table.c.id, table.c.picture).where(kept, table.c.person_id.is_(None))
    return query.order_by(table.c.id.desc()).limit(MOST_UNKNOWNS)


def _faces(connection: Connection, query: Select[Any]) -> Iterator[WaitingFace]:
    """Of what was seen by a camera there is no file, whatever its source is called."""
    for row in connection.execute(query).mappings():
        yield WaitingFace(
            id=row["id"],
            set_aside=False,
            person="",
            source=row.get("source", ""),
            source_sha256=row.get("source_sha256", ""),
            frame_time=row.get("frame_time"),
            box=None
            if row.get("box_x") is None
            else Box(row["box_x"], row["box_y"], row["box_width"], row["box_height"]),
            picture=FacePicture(row["picture"], None) if row["picture"] else None,
        )
