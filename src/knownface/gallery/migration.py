"""A change of network: vectors of another embedder beside those in use, then one transaction that puts them in place.

Until that transaction nothing that is searched has changed, so whatever happens before it costs work, never answers.
Vectors that are made wait in ``template_vectors``, where they go with their templates; a run that was stopped leaves
them for the next. After the change the vectors of the embedder before lie there instead, for the way back.

Two runs at once do no harm: each writes what it has made, and the change happens once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    and_,
    delete,
    exists,
    func,
    select,
    union_all,
    update,
)

from knownface.errors import GalleryEmptyError
from knownface.gallery.contracts import add_contract, drop_unused_contracts
from knownface.gallery.index.gallery_index import GalleryIndex
from knownface.gallery.network_change import NetworkChange, change_network
from knownface.gallery.values import OtherNetwork
from knownface.media.face_picture import FacePicture
from knownface.storage import Database, insert_new
from knownface.storage.schema import (
    contracts,
    former_thresholds,
    people,
    set_aside_templates,
    template_pictures,
    template_vectors,
    templates,
)
from knownface.storage.sealing.columns import whole
from knownface.storage.statements import chunks
from knownface.types import Box, EmbedderContract, Embeddings

_OWN_AT_A_TIME = 4096
"""Vectors made of those in use in one transaction."""


@dataclass(frozen=True, slots=True)
class WaitingFace:
    """A template that has no vector of the new network yet.

    Attributes:
        id: Of the template.
        set_aside: Whether it is set aside.
        person: The name.
        source: Where it came from.
        source_sha256: Hex digest of that file.
        frame_time: Seconds in a video; None for a photo.
        box: Where the face was.
        picture: The face, where it was kept.
    """

    id: int
    set_aside: bool
    person: str
    source: str
    source_sha256: str
    frame_time: float | None
    box: Box | None
    picture: FacePicture | None


class _NotWholeError(Exception):
    """Rolls a change back for which a vector is missing."""


class MigrationStore:
    """A gallery's change of network.

    Args:
        database: The gallery's.
        index: What searches it.
    """

    def __init__(self, database: Database, index: GalleryIndex) -> None:
        self._database, self._index = database, index

    def others(self) -> list[OtherNetwork]:
        """The networks that are not in use of which vectors are kept."""
        query = (
            select(contracts.c.name, contracts.c.fingerprint, func.count(template_vectors.c.template_id))
            .join(template_vectors)
            .where(~contracts.c.in_use)
            .group_by(contracts.c.id)
            .order_by(contracts.c.id)
        )
        with self._database.reading() as connection:
            return [OtherNetwork(*row) for row in connection.execute(query)]

    def begin(self, contract: EmbedderContract) -> int:
        """Begin, or go on with, the change to a network; returns the number by which the gallery knows it.

        Raises:
            GalleryEmptyError: Nobody is enrolled: there is nothing to bring over.
        """
        with self._database.writing() as connection:
            if not connection.scalar(select(exists().where(templates.c.id > 0))) and not connection.scalar(
                select(exists().where(set_aside_templates.c.id > 0))
            ):
                raise GalleryEmptyError(
                    f"Nobody is enrolled in the gallery {self._database}, so there is nothing to bring over.",
                    f'Enrol with embedder="{contract.name}".',
                )
            number = add_contract(connection, contract)
            aside = set_aside_templates
            own = {"new_vector": aside.c.vector, "new_contract_id": aside.c.contract_id}
            connection.execute(update(aside).where(aside.c.contract_id == number).values(own))
            return number

    def counts(self, number: int) -> tuple[int, int]:
        """How many faces have a vector of a network, and how many there are."""
        with self._database.reading() as connection:
            counted = [
                connection.scalar(select(func.count()).select_from(table)) or 0
                for table in (templates, set_aside_templates)
            ]
            waiting = connection.scalar(select(func.count()).select_from(_waiting_ids(number).subquery())) or 0
        return sum(counted) - waiting, sum(counted)

    def next_files(self, number: int, after: str, limit: int) -> list[list[WaitingFace]]:
        """The faces that wait, by their files, in the order of the files' digests.

        Args:
            number: From :meth:`begin`.
            after: The digest after which to begin.
            limit: Files at most.
        """
        ids = _waiting_ids(number).subquery()
        digests = select(ids.c.source_sha256).where(ids.c.source_sha256 > after).distinct().order_by("source_sha256")
        with self._database.reading() as connection:
            wanted = connection.scalars(digests.limit(limit)).all()
            found: dict[str, list[WaitingFace]] = {digest: [] for digest in wanted}
            for table in (templates, set_aside_templates):
                for chunk in chunks(wanted):
                    query = _faces(table).where(table.c.source_sha256.in_(chunk), _waits(table, number))
                    for row in connection.execute(query.order_by(table.c.id)):
                        found[row.source_sha256].append(_face(row, set_aside=table is set_aside_templates))
        return list(found.values())

    def keep(self, number: int, faces: Sequence[WaitingFace], vectors: Embeddings) -> None:
        """Keep vectors that were made; those of templates that were removed meanwhile are passed over.

        Args:
            number: From :meth:`begin`.
            faces: Whose they are.
            vectors: Float32, shape (n, dim), unit norm.
        """
        made = dict(zip([face.id for face in faces], vectors.astype("<f4"), strict=True))
        aside = set_aside_templates
        with self._database.writing() as connection:
            for chunk in chunks(list(made)):
                there = connection.scalars(select(templates.c.id).where(templates.c.id.in_(chunk))).all()
                rows = [{"template_id": i, "contract_id": number, "vector": made[i].tobytes()} for i in there]
                insert_new(connection, template_vectors, rows)
                for i in connection.scalars(select(aside.c.id).where(aside.c.id.in_(chunk))).all():
                    values = {"new_contract_id": number, "new_vector": made[i].tobytes()}
                    connection.execute(update(aside).where(aside.c.id == i).values(values))

    def make_from_own(self, number: int, make: Callable[[Embeddings], Embeddings]) -> None:
        """Make the vectors of a network of those in use, without a picture.

        Args:
            number: From :meth:`begin`.
            make: From vectors in use, float32, shape (n, dim), to those of the network.
        """
        query = select(templates.c.id, templates.c.vector).where(_waits(templates, number)).order_by(templates.c.id)
        last = 0
        while True:
            with self._database.writing() as connection:
                rows = connection.execute(query.where(templates.c.id > last).limit(_OWN_AT_A_TIME)).all()
                if not rows:
                    return
                records = [whole(row.vector, f"The vector of template {row.id}") for row in rows]
                own = np.stack([np.frombuffer(record, dtype="<f4") for record in records]).astype(np.float32)
                made = [vector.tobytes() for vector in make(own).astype("<f4")]
                new = [
                    {"template_id": row.id, "contract_id": number, "vector": vector}
                    for row, vector in zip(rows, made, strict=True)
                ]
                insert_new(connection, template_vectors, new)
                last = rows[-1].id

    def change(self, number: int, lost: Mapping[int, str]) -> NetworkChange | None:
        """Put the vectors of a network in the place of those in use, in one transaction.

        Templates without one are set aside, under their ids. Vectors, own thresholds and calibration of the network
        before stay for the way back; nothing uses them meanwhile.

        Args:
            number: From :meth:`begin`.
            lost: Why faces could not be found again, by the ids of their templates.

        Returns:
            None, and nothing is changed, where a face waits that is not among the lost: somebody was enrolled
            meanwhile.
        """
        try:
            with self._index.replacing() as connection:
                _check_whole(connection, number, lost)
                return change_network(connection, number, lost)
        except _NotWholeError:
            return None

    def discard(self) -> int:
        """Forget every vector and threshold of networks that are not in use; there is no way back to them then.

        Templates that are set aside stay.

        Returns:
            How many vectors there were.
        """
        with self._database.erasing() as connection:
            unused = select(contracts.c.id).where(~contracts.c.in_use)
            kept = delete(template_vectors).where(template_vectors.c.contract_id.in_(unused))
            count = connection.execute(kept).rowcount
            connection.execute(delete(former_thresholds).where(former_thresholds.c.contract_id.in_(unused)))
            connection.execute(update(set_aside_templates).values(new_contract_id=None, new_vector=None))
            drop_unused_contracts(connection)
            return count


def _waits(table: Table, number: int) -> ColumnElement[bool]:
    """Whether a row of templates, or of those set aside, has no vector of a network."""
    if table is set_aside_templates:
        return table.c.new_contract_id.is_distinct_from(number)
    made = exists().where(template_vectors.c.template_id == table.c.id, template_vectors.c.contract_id == number)
    return and_(table.c.contract_id != number, ~made)


def _check_whole(connection: Connection, number: int, lost: Mapping[int, str]) -> None:
    if not all(row.id in lost for row in connection.execute(_waiting_ids(number))):
        raise _NotWholeError


def _waiting_ids(number: int) -> Any:
    return union_all(
        *(
            select(table.c.id, table.c.source_sha256).where(_waits(table, number))
            for table in (templates, set_aside_templates)
        )
    )


def _faces(table: Table) -> Select[Any]:
    named = select(
        table.c.id,
        people.c.name.label("person"),
        table.c.source,
        table.c.source_sha256,
        table.c.frame_time,
        table.c.box_x,
        table.c.box_y,
        table.c.box_width,
        table.c.box_height,
    ).join(people, people.c.id == table.c.person_id)
    if table is set_aside_templates:
        return named.add_columns(table.c.jpeg, table.c.face)
    kept = template_pictures
    return named.outerjoin(kept, kept.c.template_id == table.c.id).add_columns(kept.c.jpeg, kept.c.face)


def _face(row: Row[Any], *, set_aside: bool) -> WaitingFace:
    return WaitingFace(
        id=row.id,
        set_aside=set_aside,
        person=row.person,
        source=row.source,
        source_sha256=row.source_sha256,
        frame_time=row.frame_time,
        box=None if row.box_x is None else Box(row.box_x, row.box_y, row.box_width, row.box_height),
        picture=None if not row.jpeg else FacePicture(row.jpeg, row.face),
    )
