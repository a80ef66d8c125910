"""Holding faces back, as a statement over an open transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np
from sqlalchemy import Connection, select

from knownface.gallery.values import NewHeld
from knownface.storage import insert_new
from knownface.storage.schema import held
from knownface.storage.statements import storable

HELD, REJECTED = "held", "rejected"
"""States of a face that is held back."""


def add_held(connection: Connection, new: Iterable[tuple[int, NewHeld]], fingerprint: str) -> None:
    """Hold faces back for people, by their ids; a file that is held back for the person, or was rejected, stays so.

    Args:
        connection: Of the database.
        new: Person ids and faces.
        fingerprint: Of the embedder that made the embeddings.
    """
    now = datetime.now(UTC)
    there: dict[tuple[int, str], bool] = {}
    rows = []
    for person_id, face in new:
        template = face.template
        key = (person_id, template.source_sha256)
        if key not in there:
            same = (held.c.person_id == person_id, held.c.source_sha256 == template.source_sha256)
            there[key] = connection.execute(select(held.c.id).where(*same).limit(1)).first() is not None
        if there[key]:
            continue
        box = template.box
        rows.append(
            {
                "person_id": person_id,
                "fingerprint": fingerprint,
                "state": HELD,
                "reason": face.reason,
                "detail": storable(face.detail),
                "source": storable(template.source),
                "source_sha256": template.source_sha256,
                "face_index": template.face_index,
                "frame_time": template.frame_time,
                "box_x": None if box is None else float(box.x),
                "box_y": None if box is None else float(box.y),
                "box_width": None if box is None else float(box.width),
                "box_height": None if box is None else float(box.height),
                "quality": None if template.quality is None else float(template.quality),
                "held_at": now,
                "vector": np.ascontiguousarray(template.vector, dtype="<f4").tobytes(),
                "picture": face.picture,
            }
        )
    insert_new(connection, held, rows)
