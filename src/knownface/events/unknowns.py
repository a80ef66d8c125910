"""Unknowns: which of them are one stranger, and giving them a name."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import Connection, select, update

from knownface.errors import FaceError, UnknownSightingError
from knownface.events.clustering import group_by_likeness
from knownface.events.recording import vector_from
from knownface.events.sighting_queries import conditions, find
from knownface.events.together import Stay, Together
from knownface.events.values import Embedding, Sighting, SightingFilter
from knownface.gallery import Gallery, NewTemplate, Person, PersonKey
from knownface.gallery.adding import add_to_people, hold_for_people
from knownface.gallery.changes import note_people_change, note_templates_added
from knownface.gallery.consents import require
from knownface.gallery.edit_log import recorded
from knownface.gallery.edit_texts import numbers_of
from knownface.gallery.people import find_or_create, get_person, list_people, unknown_person
from knownface.gallery.spread import follow_templates
from knownface.review import PersonReview, review_templates
from knownface.storage.events_schema import sightings
from knownface.storage.sealing.columns import DamagedRecord
from knownface.types import EmbedderContract

_log = logging.getLogger(__name__)

LIKENESS = 0.9
"""The mean distance within a group, as a share of the decision's threshold. Measured with ``mobilefacenet`` on 72
people and 300 more of whom there is one picture: tracks of three photos or more make 1.01 groups a person, and no
group holds two people; at 1.0 twelve do."""


@dataclass(frozen=True, slots=True)
class UnknownGroup:
    """Unknowns who look alike: probably one stranger, seen several times.

    Attributes:
        numbers: Of the Unknowns, ascending.
        sightings: All of them, the newest first.
        first_seen: UTC, of the first.
        last_seen: UTC, of the last.
    """

    numbers: tuple[int, ...]
    sightings: tuple[Sighting, ...]
    first_seen: datetime
    last_seen: datetime

    @property
    def newest(self) -> int:
        """Id of the newest sighting, by which groups are ordered."""
        return self.sightings[0].id

    def fits(self, search: str) -> bool:
        """Whether a text is one of the numbers or part of a source."""
        sought = search.strip().casefold()
        return sought in map(str, self.numbers) or any(sought in seen.source.casefold() for seen in self.sightings)


@dataclass(frozen=True, slots=True)
class Named:
    """What naming Unknowns did.

    Attributes:
        person: Who they are now.
        sightings: How many sightings were given to the person.
        enrolled: How many templates the person got; 0 where no embeddings were kept of these Unknowns, or those of
            another embedder than the gallery's.
        held: How many faces are held back until somebody decides.
        refused: How many were refused.
        reasons: Why.
    """

    person: Person
    sightings: int
    enrolled: int
    held: int = 0
    refused: int = 0
    reasons: tuple[FaceError, ...] = ()


def group_unknowns(gallery: Gallery, threshold: float, where: SightingFilter | None = None) -> list[UnknownGroup]:
    """The Unknowns that were seen, grouped by likeness as far as embeddings of them were kept; the newest first.

    Args:
        gallery: Where they were recorded.
        threshold: The decision's, in force.
        where: Narrows down which Unknowns; None are those that were not dismissed.
    """
    where = where or SightingFilter(unknown=True, dismissed=False)
    with gallery.database.reading() as connection:
        found = [sighting for sighting in find(connection, where) if sighting.person_id is None]
        vectors = _vectors(connection, where, _fingerprint(gallery))
    of_number: dict[int, list[Sighting]] = {}
    for sighting in found:
        if sighting.unknown is not None:
            of_number.setdefault(sighting.unknown, []).append(sighting)
    with_face = [number for number in of_number if number in vectors]
    numbers: list[list[int]] = [[number] for number in of_number if number not in vectors]
    if with_face:
        faces = np.stack([vectors[number] for number in with_face])
        together = Together([[_stay(seen) for seen in of_number[number]] for number in with_face])
        rows = group_by_likeness(faces, LIKENESS * threshold, together)
        numbers += [[with_face[row] for row in group] for group in rows]
    groups = [_group([(number, of_number[number]) for number in group]) for group in numbers]
    return sorted(groups, key=lambda group: group.newest, reverse=True)


def name_unknown(
    gallery: Gallery,
    numbers: Sequence[int],
    person: PersonKey,
    how: PersonReview,
    *,
    enrol: bool = True,
    faces: Sequence[NewTemplate] | None = None,
    pictures: Mapping[str, bytes] | None = None,
    keep_crops: bool = True,
) -> Named:
    """Say who Unknowns are: their sightings become the person's, and what was kept of their faces templates.

    Repeating it changes nothing more. What is recorded of these Unknowns afterwards goes to the person as well. It can
    be undone (:meth:`knownface.gallery.History.undo`), for which the embeddings that were kept stay with the sightings.
    What is too poor, or may be somebody else than the person, is not enrolled, but refused or held back.

    Args:
        gallery: Where they were recorded.
        numbers: Of the Unknowns.
        person: Somebody in the gallery, by name or id, or the name of somebody new.
        how: The review of what the person is enrolled from.
        enrol: Whether the person shall be recognised by these faces from now on.
        faces: What is enrolled instead of what was kept: of somebody who is in front of a camera, and need not have
            been recorded.
        pictures: Of these faces, JPEG, by the SHA-256 of their source, for whoever decides about what is held back.
        keep_crops: Whether pictures of them are kept with the templates; see the setting of this name.

    Raises:
        UnknownSightingError: None of these Unknowns was recorded, and no faces are given.
        UnknownPersonError: There is nobody of this id.
        BadNameError: The name cannot be anybody's.
    """
    wanted, contract = SightingFilter(numbers=tuple(numbers)), gallery.contract
    if faces is None:
        with gallery.database.reading() as connection:
            faces, pictures = _templates(connection, numbers, contract) if enrol else ([], {})
            if not find(connection, wanted, limit=1):
                raise UnknownSightingError(f"No Unknown {', '.join(map(str, numbers))} was recorded.")
    reviewed = review_templates(gallery, how, person, faces, pictures, keep_crops=keep_crops)
    with gallery.database.writing() as connection:
        there = list_people(connection, person=person)
        if not there and isinstance(person, int):
            raise unknown_person(connection, person)
        of_them = sightings.c.unknown.in_(numbers)
        named_before = select(sightings.c.person_id).where(of_them, sightings.c.person_id.is_not(None))
        about = {found.id for found in there} | set(connection.scalars(named_before))
        with recorded(connection, "name-unknown", people=about, unknowns=numbers, seen=True) as note:
            person_id = there[0].id if there else find_or_create(connection, [str(person)])[str(person)]
            require(connection, [person_id], "live")
            note.scope.people.add(person_id)
            added = {}
            if contract is not None:
                added = add_to_people(connection, [(person_id, template) for template in reviewed.certain], contract)
                hold_for_people(connection, [(person_id, face) for face in reviewed.held], contract)
            values = {"person_id": person_id, "dismissed": False}
            moved = connection.execute(update(sightings).where(of_them).values(values)).rowcount
            named = get_person(connection, person_id)
            who = {"key": "named", "numbers": numbers_of(numbers)} if numbers else {"key": "face_named"}
            note.said = [{**who, "name": named.name}]
        if added:
            note_templates_added(connection)
            follow_templates(connection)
        elif not there:
            note_people_change(connection)
    done = reviewed.enrolled(sum(added.values()))
    return Named(named, moved, done.added, done.held, done.refused, done.reasons)


def _fingerprint(gallery: Gallery) -> str | None:
    contract = gallery.contract
    return None if contract is None else contract.fingerprint


def _vectors(connection: Connection, where: SightingFilter, fingerprint: str | None) -> dict[int, Embedding]:
    """Of each Unknown the mean of what was kept, unit norm."""
    query = select(sightings.c.unknown, sightings.c.embedding).where(
        conditions(connection, where), sightings.c.embedding.is_not(None), sightings.c.fingerprint == fingerprint
    )
    kept: dict[int, list[Embedding]] = {}
    for number, blob in connection.execute(query):
        if isinstance(blob, DamagedRecord):
            _log.warning("What was kept of Unknown %d's face in a sighting is damaged and passed over.", number)
            continue
        kept.setdefault(number, []).append(vector_from(blob))
    means = {number: np.mean(vectors, axis=0) for number, vectors in kept.items()}
    return {number: (mean / np.linalg.norm(mean)).astype(np.float32) for number, mean in means.items()}


def _templates(
    connection: Connection, numbers: Sequence[int], contract: EmbedderContract | None
) -> tuple[list[NewTemplate], dict[str, bytes]]:
    """What was kept of the faces of those Unknowns whom nobody has named yet, and pictures by the faces' SHA-256."""
    columns = (sightings.c.id, sightings.c.source, sightings.c.quality, sightings.c.embedding, sightings.c.picture)
    query = select(*columns).where(
        sightings.c.unknown.in_(numbers),
        sightings.c.person_id.is_(None),
        sightings.c.embedding.is_not(None),
        sightings.c.fingerprint == (None if contract is None else contract.fingerprint),
    )
    templates, pictures = [], {}
    for row in connection.execute(query.order_by(sightings.c.id)):
        if isinstance(row.embedding, DamagedRecord):
            _log.warning("What was kept of the face of sighting %d is damaged and passed over.", row.id)
            continue
        digest = hashlib.sha256(row.embedding).hexdigest()
        source = f"sighting {row.id} at {row.source}"
        templates.append(NewTemplate(vector_from(row.embedding), source, digest, quality=row.quality))
        if row.picture:
            pictures[digest] = bytes(row.picture)
    return templates, pictures


def _stay(seen: Sighting) -> Stay:
    return seen.source, seen.first_seen.timestamp(), seen.last_seen.timestamp()


def _group(members: Sequence[tuple[int, Sequence[Sighting]]]) -> UnknownGroup:
    own = sorted((s for _, sightings_of in members for s in sightings_of), key=lambda s: s.id, reverse=True)
    return UnknownGroup(
        numbers=tuple(sorted(number for number, _ in members)),
        sightings=tuple(own),
        first_seen=min(s.first_seen for s in own),
        last_seen=max(s.last_seen for s in own),
    )
