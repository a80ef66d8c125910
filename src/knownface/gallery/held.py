"""Faces held back from enrolment: what waits, and what somebody decides about it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, delete, func, select, update

from knownface.errors import ContractMismatchError, UnknownHeldError
from knownface.gallery.hold import HELD, REJECTED
from knownface.gallery.people import Place, find_id, in_places, list_people
from knownface.gallery.template_store import TemplateStore
from knownface.gallery.values import HeldPicture, NewTemplate, PersonKey
from knownface.media.face_picture import FacePicture
from knownface.storage import Database
from knownface.storage.schema import held, people
from knownface.storage.sealing.columns import whole
from knownface.types import Box

_FILES = (
    select(func.min(held.c.id).label("id"), func.count().label("faces"))
    .where(held.c.state == HELD)
    .group_by(held.c.person_id, held.c.source_sha256)
)


class HeldStore:
    """Listing, accepting and rejecting what is held back.

    Args:
        database: The gallery's.
        templates: Takes what is accepted.
    """

    def __init__(self, database: Database, templates: TemplateStore) -> None:
        self._database, self._templates = database, templates

    def count(self) -> int:
        """How many files wait for somebody's decision."""
        with self._database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(_FILES.subquery())) or 0

    def list(
        self, person: PersonKey | None = None, *, after: Place | None = None, limit: int | None = None
    ) -> list[HeldPicture]:
        """What waits for somebody's decision, a file each, by name, the oldest first.

        Args:
            person: Only what is meant for this person.
            after: Where the page before ended.
            limit: How many at most; None is all.

        Raises:
            UnknownPersonError: There is no such person.
        """
        files = _FILES.subquery()
        query = select(held, people.c.name, files.c.faces).join(files, files.c.id == held.c.id).join(people)
        query = in_places(query, held.c.id, after).limit(limit)
        with self._database.reading() as connection:
            if person is not None:
                query = query.where(held.c.person_id == find_id(connection, person))
            return [
                HeldPicture(
                    id=row.id,
                    person_id=row.person_id,
                    name=row.name,
                    source=row.source,
                    source_sha256=row.source_sha256,
                    faces=row.faces,
                    quality=row.quality,
                    reason=row.reason,
                    detail=row.detail,
                    held_at=row.held_at,
                )
                for row in connection.execute(query)
            ]

    def picture(self, held_id: int) -> bytes | None:
        """The face's picture, JPEG; None where none was kept.

        Raises:
            UnknownHeldError: Nothing of this id waits.
        """
        with self._database.reading() as connection:
            kept = _one(connection, held_id).picture
            kept = None if kept is None else whole(kept, f"The picture {held_id} that is held back")
        return None if kept is None else bytes(kept)

    def files(self) -> dict[tuple[str, str], str]:
        """Of each file that is held back or was rejected, by name key and SHA-256, the sentence for people."""
        query = select(people.c.name_key, held.c.source_sha256, held.c.state, held.c.detail).join(people)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return {(row.name_key, row.source_sha256): row.detail if row.state == HELD else "" for row in rows}

    def rejected(self, person: PersonKey) -> set[str]:
        """SHA-256 of the files that were rejected for a person; none where there is no such person."""
        with self._database.reading() as connection:
            found = [one.id for one in list_people(connection, person=person)]
            where = (held.c.person_id.in_(found), held.c.state == REJECTED)
            return set(connection.scalars(select(held.c.source_sha256).where(*where)))

    def accept(self, ids: Sequence[int], *, keep_crops: bool = True) -> int:
        """Make what is held back templates of the people meant; returns how many were not there already.

        Args:
            ids: A face of each file.
            keep_crops: Whether pictures of them are kept with the templates, where they come from no file; see the
                setting of this name.

        Raises:
            UnknownHeldError: One of them does not wait; those before it are accepted.
            ContractMismatchError: Another embedder has filled the gallery meanwhile.
        """
        added = 0
        for held_id in ids:
            with self._database.reading() as connection:
                rows = _file_of(connection, held_id)
                for row in rows:
                    whole(row.vector, f"The vector of picture {row.id}, which is held back,")
            contract = self._templates.contract
            if contract is None or contract.fingerprint != rows[0].fingerprint:
                raise ContractMismatchError(
                    f"What is held back as {held_id} is another embedder's than the gallery's.",
                    "Reject it and enrol the picture again.",
                )
            enrolled = self._templates.enrol([(row.person_id, _template(row, keep_crops=keep_crops)) for row in rows])
            added += sum(enrolled.added.values())
            # After it: stopped in between, accepting it again adds nothing twice.
            with self._database.erasing() as connection:
                connection.execute(delete(held).where(held.c.id.in_([row.id for row in rows])))
        return added

    def reject(self, ids: Sequence[int]) -> int:
        """Reject what is held back: embeddings and pictures go, and the file is not taken again; returns how many.

        Raises:
            UnknownHeldError: One of them does not wait; those before it are rejected.
        """
        for held_id in ids:
            with self._database.erasing() as connection:
                rows = [row.id for row in _file_of(connection, held_id)]
                values = {"state": REJECTED, "vector": None, "picture": None}
                connection.execute(update(held).where(held.c.id.in_(rows)).values(values))
        return len(ids)


def _one(connection: Connection, held_id: int) -> Row[Any]:
    row = connection.execute(select(held).where(held.c.id == held_id, held.c.state == HELD)).one_or_none()
    if row is None:
        raise UnknownHeldError(f"No picture {held_id} is held back.")
    return row


def _file_of(connection: Connection, held_id: int) -> Sequence[Row[Any]]:
    one = _one(connection, held_id)
    same = (held.c.person_id == one.person_id, held.c.source_sha256 == one.source_sha256, held.c.state == HELD)
    return connection.execute(select(held).where(*same).order_by(held.c.id)).all()


def _template(row: Row[Any], *, keep_crops: bool) -> NewTemplate:
    keep_crops = keep_crops and bool(row.picture) and not Path(row.source).is_absolute()
    return NewTemplate(
        vector=np.frombuffer(row.vector, dtype="<f4").astype(np.float32),
        source=row.source,
        source_sha256=row.source_sha256,
        frame_time=row.frame_time,
        face_index=row.face_index,
        box=None if row.box_x is None else Box(row.box_x, row.box_y, row.box_width, row.box_height),
        quality=row.quality,
        picture=FacePicture(bytes(row.picture), None) if keep_crops else None,
    )
