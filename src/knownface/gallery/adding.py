"""Adding templates to people by name or id, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from sqlalchemy import Connection

from knownface.errors import ContractMismatchError, PersonError
from knownface.gallery import people as people_sql
from knownface.gallery import templates as sql
from knownface.gallery.consents import check_strangers_allowed, require
from knownface.gallery.contracts import store_contract
from knownface.gallery.edit_log import recorded
from knownface.gallery.exclusions import lift
from knownface.gallery.hold import add_held
from knownface.gallery.names import name_key
from knownface.gallery.values import NewHeld, NewTemplate, PersonKey
from knownface.storage.failures import UnplacedError
from knownface.types import EmbedderContract, Embeddings

SAME_PHOTO = 0.01
"""A counter-example this near to one of the person's own templates is that photo, and not somebody else's."""


def add_to_people(
    connection: Connection, new: Sequence[tuple[PersonKey, NewTemplate]], contract: EmbedderContract
) -> dict[tuple[str, str], int]:
    """Add templates; see :meth:`knownface.gallery.template_store.TemplateStore.enrol` for errors.

    Counter-examples are an edit that can be undone. What is enrolled is excluded no more.

    Returns:
        Templates that were not there already, for each name key and file (by its SHA-256).
    """
    if not new:
        return {}
    _check_made_by([template for _, template in new], contract)
    vectors = sql.checked_vectors([template for _, template in new], contract.dim)
    contract_id = store_contract(connection, contract)
    whose = _found_or_made(connection, [person for person, _ in new])
    require(connection, whose.values())
    owned = [(whose[person], template) for person, template in new]
    denied = {person_id for person_id, template in owned if template.negative}
    if denied:
        check_strangers_allowed(connection)
        _check_not_own(connection, owned, vectors)
        with recorded(connection, "not", people=denied) as note:
            count = sum(template.negative for _, template in owned)
            names = [person.name for person in people_sql.list_people(connection, ids=sorted(denied))]
            note.said = [{"key": "denied", "count": count, "names": names}]
            counts = sql.add_templates(connection, owned, vectors, contract_id)
    else:
        counts = sql.add_templates(connection, owned, vectors, contract_id)
    lift(connection, [(person_id, t.source_sha256) for person_id, t in owned if not t.negative])
    people = people_sql.list_people(connection, ids=sorted(set(whose.values())))
    keys = {person.id: name_key(person.name) for person in people}
    return {(keys[person_id], sha256): count for (person_id, sha256), count in counts.items()}


def hold_for_people(
    connection: Connection, new: Sequence[tuple[PersonKey, NewHeld]], contract: EmbedderContract
) -> None:
    """Hold faces back for people by name or id; who is meant by a name is made as needed."""
    if not new:
        return
    _check_made_by([face.template for _, face in new], contract)
    sql.checked_vectors([face.template for _, face in new], contract.dim)
    store_contract(connection, contract)
    whose = _found_or_made(connection, [person for person, _ in new])
    require(connection, whose.values())
    add_held(connection, [(whose[person], face) for person, face in new], contract.fingerprint)


def _check_made_by(new: Iterable[NewTemplate], contract: EmbedderContract) -> None:
    if any(template.fingerprint not in {"", contract.fingerprint} for template in new):
        raise UnplacedError(
            ContractMismatchError,
            f"The gallery {{place}} was brought over to {contract.name} while this was made by another network.",
            "Do it again.",
        )


def _found_or_made(connection: Connection, people: Iterable[PersonKey]) -> dict[PersonKey, int]:
    """The ids of people; who is meant by a name is made as needed."""
    wanted = dict.fromkeys(people)
    ids: dict[PersonKey, int] = {}
    ids.update(people_sql.find_or_create(connection, [person for person in wanted if isinstance(person, str)]))
    ids.update((person, people_sql.find_id(connection, person)) for person in wanted if isinstance(person, int))
    return ids


def _check_not_own(connection: Connection, owned: Sequence[tuple[int, NewTemplate]], vectors: Embeddings) -> None:
    for (person_id, template), vector in zip(owned, vectors, strict=True):
        if not template.negative:
            continue
        own, ids, _ = sql.read_vectors(connection, len(vector), person_id=person_id)
        distances = np.linalg.norm(own - vector, axis=1)
        if len(ids) and distances.min() <= SAME_PHOTO:
            name = people_sql.get_person(connection, person_id).name
            raise PersonError(
                f"This face is {name!r}'s own template {ids[distances.argmin()]}.",
                "If it shows somebody else, delete that template or move it to them.",
            )
