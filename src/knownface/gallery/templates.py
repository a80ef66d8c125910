"""Templates, as statements over an open transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import Column, ColumnElement, Connection, Row, Select, delete, exists, func, select, update

from knownface.errors import DamagedTemplatesError, GalleryDamagedError, PersonError, UnknownTemplateError
from knownface.gallery.values import NewTemplate, Person, SetAsideTemplate, Template
from knownface.storage import insert_new
from knownface.storage.failures import UnplacedError
from knownface.storage.schema import contracts, set_aside_templates, template_pictures, templates
from knownface.storage.sealing.columns import DamagedRecord, readable
from knownface.storage.statements import chunks, storable
from knownface.types import Box, Embeddings, Ids

_UNIT_TOLERANCE = 1e-3


def checked_vectors(new: Sequence[NewTemplate], dim: int) -> Embeddings:
    """The embeddings of templates that are to be added, float32, shape (n, dim).

    Raises:
        ValueError: One has another length, or is no unit vector.
    """
    shapes = {np.shape(template.vector) for template in new} - {(dim,)}
    if shapes:
        raise ValueError(f"an embedding must have the shape ({dim},), got {shapes.pop()}")
    vectors = np.array([template.vector for template in new], dtype=np.float32).reshape(-1, dim)
    norms = np.linalg.norm(vectors, axis=1)
    if not (np.abs(norms - 1) <= _UNIT_TOLERANCE).all():
        worst = norms[np.argmax(np.where(np.isfinite(norms), np.abs(norms - 1), np.inf))]
        raise ValueError(f"an embedding must have the length 1, got {worst}")
    return vectors


def add_templates(
    connection: Connection, new: Sequence[tuple[int, NewTemplate]], vectors: Embeddings, contract_id: int
) -> dict[tuple[int, str], int]:
    """Add templates to people, by their ids.

    Returns:
        For each person id and file (by its SHA-256), how many were not there already.
    """
    last = connection.scalar(select(func.max(templates.c.id))) or 0
    now = datetime.now(UTC)
    rows = [
        _row(person_id, template, contract_id, vector, now)
        for (person_id, template), vector in zip(new, vectors.astype("<f4"), strict=True)
    ]
    insert_new(connection, templates, rows)
    _keep_pictures(connection, new, last)
    # Writers come one after the other, so whatever has a greater id is ours. Grouped by the database, SQLite would go
    # through an index of all templates instead.
    added = select(templates.c.person_id, templates.c.source_sha256).where(templates.c.id > last)
    return Counter((person_id, sha256) for person_id, sha256 in connection.execute(added))


def _keep_pictures(connection: Connection, new: Sequence[tuple[int, NewTemplate]], last: int) -> None:
    pictures = {_key(person_id, template): template.picture for person_id, template in new if template.picture}
    if not pictures:
        return
    added = select(*_SHOWN).where(templates.c.id > last)
    rows = []
    for row in connection.execute(added):
        template = _template(row)
        picture = pictures.get(_key(template.person_id, template))
        if picture is not None:
            rows.append({"template_id": template.id, "jpeg": picture.jpeg, "face": picture.face})
    insert_new(connection, template_pictures, rows)


def _key(person_id: int, template: NewTemplate | Template) -> tuple[object, ...]:
    """What makes a face of a person one that is there already."""
    time = template.frame_time
    moment = None if time is None else round(float(time), 6)
    return person_id, template.source_sha256, moment, template.face_index, template.negative


def _row(person_id: int, template: NewTemplate, contract_id: int, vector: Embeddings, now: datetime) -> dict[str, Any]:
    box = template.box
    return {
        "person_id": person_id,
        "contract_id": contract_id,
        "negative": template.negative,
        "source": storable(template.source),
        "source_sha256": template.source_sha256,
        "face_index": template.face_index,
        "frame_time": None if template.frame_time is None else round(float(template.frame_time), 6),
        "box_x": None if box is None else float(box.x),
        "box_y": None if box is None else float(box.y),
        "box_width": None if box is None else float(box.width),
        "box_height": None if box is None else float(box.height),
        "quality": None if template.quality is None else float(template.quality),
        "created": now,
        "vector": vector.tobytes(),
    }


def list_templates(connection: Connection, person_id: int) -> list[Template]:
    """A person's templates and counter-examples, oldest first."""
    query = select(*_SHOWN).where(templates.c.person_id == person_id).order_by(templates.c.id)
    return [_template(row) for row in connection.execute(query)]


def list_below(connection: Connection, prefix: str) -> list[Template]:
    """The templates whose sources begin so; counter-examples aside."""
    begins = readable(templates.c.source).startswith(storable(prefix), autoescape=True)
    query = select(*_SHOWN).where(begins, templates.c.negative.is_(False)).order_by(templates.c.id)
    # SQLite compares without regard to letter case.
    return [_template(row) for row in connection.execute(query) if row.source.startswith(storable(prefix))]


def set_sources(connection: Connection, sources: Mapping[int, str]) -> None:
    """Let templates come from other places."""
    for template_id, source in sources.items():
        connection.execute(update(templates).where(templates.c.id == template_id).values(source=storable(source)))


def get_template(connection: Connection, template_id: int) -> Template:
    """One template or counter-example.

    Raises:
        UnknownTemplateError: There is none of this id.
    """
    row = connection.execute(select(*_SHOWN).where(templates.c.id == template_id)).one_or_none()
    if row is None:
        raise UnknownTemplateError(f"There is no template {template_id}.")
    return _template(row)


_SHOWN = [column for column in templates.c if column.name != "vector"]


def _template(row: Row[Any]) -> Template:
    return Template(
        id=row.id,
        person_id=row.person_id,
        source=row.source,
        source_sha256=row.source_sha256,
        frame_time=row.frame_time,
        face_index=row.face_index,
        box=None if row.box_x is None else Box(row.box_x, row.box_y, row.box_width, row.box_height),
        quality=row.quality,
        negative=row.negative,
        created=row.created,
    )


def list_set_aside(connection: Connection, person_id: int | None = None) -> list[SetAsideTemplate]:
    """Templates that the network in use could not be given, of one person or of all, oldest first."""
    aside = set_aside_templates
    shown: list[Any] = [aside.c[column.name] for column in _SHOWN]
    query: Select[Any] = select(*shown, aside.c.reason, contracts.c.name.label("network"))
    query = query.join(contracts, contracts.c.id == aside.c.contract_id).order_by(aside.c.id)
    if person_id is not None:
        query = query.where(aside.c.person_id == person_id)
    return [SetAsideTemplate(_template(row), row.network, row.reason) for row in connection.execute(query)]


def delete_templates(connection: Connection, ids: Iterable[int]) -> int:
    """Delete templates, also such as are set aside; returns how many of them there were."""
    wanted = sorted(set(ids))
    deleted = 0
    for chunk in chunks(wanted):
        for table in (templates, set_aside_templates):
            deleted += connection.execute(delete(table).where(table.c.id.in_(chunk))).rowcount
    return deleted


def owner_of(connection: Connection, ids: Iterable[int]) -> int:
    """The id of the one person whose templates these are.

    Raises:
        PersonError: No id is given, or they are several people's.
        UnknownTemplateError: There is none of an id.
    """
    owners = {get_template(connection, template_id).person_id for template_id in ids}
    if len(owners) != 1:
        text = "They are several people's." if owners else "No template is named."
        raise PersonError(text, "Name templates of one person.")
    return owners.pop()


def check_no_twins(connection: Connection, ids: Iterable[int], target: Person) -> None:
    """Raise if a person is enrolled already with a face that one of these templates shows.

    Raises:
        PersonError: So it is.
    """
    for chunk in chunks(sorted(set(ids))):
        query = select(templates.c.id).where(templates.c.id.in_(chunk), _has_twin(target.id)).limit(1)
        twin = connection.scalar(query)
        if twin is not None:
            text = f"{target.name!r} is enrolled with the face of template {twin} already."
            raise PersonError(text, "Delete that template instead of moving it.")


def move_some(
    connection: Connection, person_id: int, ids: Iterable[int], to_person: int, name: str, *, all_too: bool = False
) -> int:
    """Give some of a person's templates to somebody else, with ``all_too`` also all of them; returns how many.

    Raises:
        PersonError: No id is given, one is not this person's, or none would be left.
    """
    wanted = set(ids)
    query = select(templates.c.id, templates.c.negative).where(templates.c.person_id == person_id)
    held = {row.id: row.negative for row in connection.execute(query)}
    if not wanted:
        raise PersonError(f"No template of {name!r} is named.", "Name those that are somebody else's.")
    strange = wanted - held.keys()
    if strange:
        listed = ", ".join(str(i) for i in sorted(strange))
        raise PersonError(f"{name!r} has no template {listed}.", f"`knownface people show {name!r}` lists them.")
    if not all_too and all(negative for i, negative in held.items() if i not in wanted):
        raise PersonError(f"{name!r} would be left without a template.", "Rename the person, or join the two, instead.")
    for chunk in chunks(sorted(wanted)):
        connection.execute(update(templates).where(templates.c.id.in_(chunk)).values(person_id=to_person))
    return len(wanted)


def move_all(connection: Connection, person_id: int, to_person: int) -> None:
    """Give all of a person's templates to another; a face that the other has already goes."""
    own = templates.c.person_id == person_id
    connection.execute(delete(templates).where(own, _has_twin(to_person)))
    connection.execute(update(templates).where(own).values(person_id=to_person))
    aside = set_aside_templates
    connection.execute(update(aside).where(aside.c.person_id == person_id).values(person_id=to_person))


def _has_twin(person_id: int) -> ColumnElement[bool]:
    """Whether a person has a template of the same face."""
    there = templates.alias()
    return exists().where(
        there.c.person_id == person_id,
        there.c.source_sha256 == templates.c.source_sha256,
        func.coalesce(there.c.frame_time, -1.0) == func.coalesce(templates.c.frame_time, -1.0),
        there.c.face_index == templates.c.face_index,
        there.c.contract_id == templates.c.contract_id,
        there.c.negative == templates.c.negative,
    )


def read_people(connection: Connection) -> tuple[Ids, Ids]:
    """The ids of all templates, ascending, and whose they are; counter-examples aside."""
    query = select(templates.c.id, templates.c.person_id).where(templates.c.negative.is_(False))
    rows = np.array([tuple(row) for row in connection.execute(query).all()], dtype=np.int64).reshape(-1, 2)
    rows = rows[np.argsort(rows[:, 0])]
    return rows[:, 0], rows[:, 1]


def read_vectors(
    connection: Connection,
    dim: int,
    *,
    first: int = 0,
    negative: bool = False,
    person_id: int | None = None,
    limit: int | None = None,
) -> tuple[Embeddings, Ids, Ids]:
    """Embeddings, template ids (ascending, from ``first``) and person ids; of one person or the first few, if wanted.

    Raises:
        UnplacedError: A vector has another length than ``dim``, or holds something else than numbers.
        DamagedTemplatesError: Sealed vectors cannot be opened.
    """
    query = (
        _VECTORS.where(templates.c.id >= first, templates.c.negative.is_(negative))
        .order_by(templates.c.id)
        .limit(limit)
    )
    if person_id is not None:
        query = query.where(templates.c.person_id == person_id)
    return _as_arrays(connection.execute(query).all(), dim)


def read_vectors_of(connection: Connection, ids: Ids, dim: int) -> tuple[Embeddings, Ids, Ids]:
    """Embeddings, template ids and person ids of those of the given templates that there are; no counter-examples.

    Raises:
        UnplacedError: As :func:`read_vectors`.
    """
    return _read_where(connection, templates.c.id, ids, dim)


def read_vectors_of_people(connection: Connection, people: Ids, dim: int) -> tuple[Embeddings, Ids, Ids]:
    """The same of all templates of some people.

    Raises:
        UnplacedError: As :func:`read_vectors`.
    """
    return _read_where(connection, templates.c.person_id, people, dim)


def _read_where(connection: Connection, column: Column[int], values: Ids, dim: int) -> tuple[Embeddings, Ids, Ids]:
    rows: list[Any] = []
    for chunk in chunks(values.tolist()):
        rows += connection.execute(_VECTORS.where(column.in_(chunk), templates.c.negative.is_(False))).all()
    return _as_arrays(rows, dim)


_VECTORS = select(templates.c.vector, templates.c.id, templates.c.person_id)


def _as_arrays(rows: Sequence[Any], dim: int) -> tuple[Embeddings, Ids, Ids]:
    blobs = [row[0] for row in rows]
    ids, people = (np.array([row[i] for row in rows], dtype=np.int64) for i in (1, 2))
    damaged = tuple(row[1] for row in rows if isinstance(row[0], DamagedRecord))
    if damaged:
        listed = ", ".join(map(str, damaged))
        raise DamagedTemplatesError(f"The gallery's records of the templates {listed} are damaged.", ids=damaged)
    if any(len(blob) != 4 * dim for blob in blobs):
        message = f"A template in {{place}} has not the {dim} numbers that it should have."
        raise UnplacedError(GalleryDamagedError, message)
    # Of a bytearray, so that the numbers may be written to without another copy of them all.
    numbers = np.frombuffer(bytearray().join(blobs), dtype="<f4").astype(np.float32, copy=False)
    vectors = numbers.reshape(len(blobs), dim)
    if not (np.abs(vectors) <= 1 + _UNIT_TOLERANCE).all():
        raise UnplacedError(GalleryDamagedError, "A template in {place} is no unit vector.")
    return vectors, ids, people
