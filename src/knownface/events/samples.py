"""More samples over time: new pictures of known people, offered as templates and accepted by people.

What may be offered is decided in :mod:`knownface.events.sample_rules`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, delete, func, select, update

from knownface.errors import ContractMismatchError, UnknownOfferError
from knownface.events.recording import as_utc, jpeg, vector_bytes, vector_from
from knownface.events.sample_distances import LEARNT, distances_of, learnt_today, own_templates
from knownface.events.sample_rules import (
    BY_RULE,
    MOST_LEARNT,
    SampleCandidate,
    SampleDistances,
    SampleRule,
    Verdict,
    judge,
)
from knownface.events.values import Embedding
from knownface.gallery import Gallery, NewTemplate, PersonKey
from knownface.gallery.consents import permitted
from knownface.gallery.people import Place, find_id, in_places
from knownface.media.face_picture import FacePicture
from knownface.review import EnrolledTemplates, PersonReview, ReviewedTemplates, review_templates
from knownface.storage import Database, insert_one
from knownface.storage.events_schema import offers
from knownface.storage.schema import people
from knownface.storage.sealing.columns import whole
from knownface.storage.statements import storable

_OFFERED, _REJECTED = "offered", "rejected"


@dataclass(frozen=True, slots=True)
class SampleOffer:
    """A picture that may become a template.

    Attributes:
        id: Never given to another offer.
        person_id: Whose.
        name: The person's.
        source: Where it was seen.
        seen_at: UTC.
        distance: To the nearest template that somebody enrolled, 0 to 2.
        rival_distance: To the nearest template of anybody else; None where there is nobody else.
        quality: 0 to 1.
    """

    id: int
    person_id: int
    name: str
    source: str
    seen_at: datetime
    distance: float
    rival_distance: float | None
    quality: float


def offer_sample(
    gallery: Gallery,
    candidate: SampleCandidate,
    threshold: float,
    *,
    rule: SampleRule | None = None,
    accept: bool = False,
    keep_crops: bool = True,
    now: datetime | None = None,
) -> Verdict:
    """Offer a picture if the rule allows.

    Args:
        gallery: Which the person is in.
        candidate: The picture.
        threshold: The decision's, in force.
        rule: What is offered.
        accept: Whether :data:`BY_RULE` may make it a template at once.
        keep_crops: Whether its picture is then kept with the template; see the setting of this name.
        now: Timezone-aware; None is the clock's time.

    Returns:
        What became of it.
    """
    rule, time_now, contract = rule or SampleRule(), as_utc(now), gallery.contract
    with gallery.database.reading() as connection:
        count, learnt = own_templates(connection, candidate.person_id)
    if contract is None or not count or candidate.fingerprint not in {"", contract.fingerprint}:
        return "gone"
    near = distances_of(gallery, candidate.person_id, candidate.embedding, count, learnt)
    verdict = judge(candidate, near, threshold, rule)
    if verdict != "offered":
        return verdict
    with gallery.database.writing() as connection:
        verdict = _judge_beside_others(connection, candidate, contract.fingerprint, rule, threshold, time_now)
        if verdict != "offered":
            return verdict
        offer_id = _insert(connection, candidate, contract.fingerprint, near)
    sure = judge(candidate, near, threshold, BY_RULE) == "offered" and len(learnt) < MOST_LEARNT
    if accept and sure and not learnt_today(gallery.database, candidate.person_id, time_now):
        _accept(gallery, offer_id, None, keep_crops=keep_crops)
        return "accepted"
    return verdict


def count_offers(database: Database) -> int:
    """How many wait for somebody to look at them."""
    with database.reading() as connection:
        return connection.scalar(select(func.count()).select_from(offers).where(offers.c.state == _OFFERED)) or 0


def list_offers(
    database: Database, person: PersonKey | None = None, *, after: Place | None = None, limit: int | None = None
) -> list[SampleOffer]:
    """What waits for somebody to look at it, by name, the oldest first.

    Args:
        database: The gallery's.
        person: Only this person's.
        after: Where the page before ended.
        limit: How many at most; None is all.

    Raises:
        UnknownPersonError: There is no such person.
    """
    query = select(offers, people.c.name).join(people).where(offers.c.state == _OFFERED)
    query = in_places(query, offers.c.id, after).limit(limit)
    with database.reading() as connection:
        if person is not None:
            query = query.where(offers.c.person_id == find_id(connection, person))
        return [
            SampleOffer(
                row.id,
                row.person_id,
                row.name,
                row.source,
                row.seen_at,
                row.distance,
                row.rival_distance,
                row.quality,
            )
            for row in connection.execute(query)
        ]


def offer_picture(database: Database, offer_id: int) -> bytes:
    """An offer's picture, JPEG.

    Raises:
        UnknownOfferError: There is no such offer.
    """
    return bytes(_offered(database, offer_id, usable=True).picture)


def accept_offers(
    gallery: Gallery, ids: Sequence[int], how: PersonReview, *, keep_crops: bool = True
) -> EnrolledTemplates:
    """Make offers templates of their people, as far as the review lets them: much may be enrolled since they were made.

    Args:
        gallery: Where they are.
        ids: Of the offers.
        how: The review.
        keep_crops: Whether their pictures are kept with the templates; see the setting of this name.

    Raises:
        UnknownOfferError: One of them does not wait; those before it are accepted.
        ContractMismatchError: The gallery was filled by another embedder meanwhile.
    """
    done = [_accept(gallery, offer_id, how, keep_crops=keep_crops) for offer_id in ids]
    return EnrolledTemplates(
        sum(one.added for one in done),
        sum(one.held for one in done),
        sum(one.refused for one in done),
        tuple(reason for one in done for reason in one.reasons),
    )


def reject_offers(gallery: Gallery, ids: Sequence[int], *, not_the_person: bool = False) -> int:
    """Reject offers: their pictures go, and nothing like them is offered again; returns how many.

    Args:
        gallery: Where they are.
        ids: Of the offers.
        not_the_person: They show somebody else; they are kept as counter-examples ("not Ann").

    Raises:
        UnknownOfferError: One of them does not wait; those before it are rejected.
        ContractMismatchError: The gallery was filled by another embedder meanwhile.
    """
    for offer_id in ids:
        row = _offered(gallery.database, offer_id, usable=not_the_person)
        if not_the_person:
            gallery.add_templates(row.name, [_template(gallery, row, "seen at ", negative=True)])
        with gallery.database.erasing() as connection:
            values = {"state": _REJECTED, "picture": None}
            connection.execute(update(offers).where(offers.c.id == offer_id).values(values))
    return len(ids)


def _judge_beside_others(
    connection: Connection,
    candidate: SampleCandidate,
    fingerprint: str,
    rule: SampleRule,
    threshold: float,
    now: datetime,
) -> Verdict:
    there = people.c.id == candidate.person_id, permitted(connection, people.c.id)
    if connection.scalar(select(people.c.id).where(*there)) is None:
        return "gone"
    query = select(offers).where(offers.c.person_id == candidate.person_id)
    rows = connection.execute(query).all()
    alike = [
        float(np.linalg.norm(vector_from(row.vector) - candidate.embedding))
        for row in rows
        if row.fingerprint == fingerprint and row.vector
    ]
    if alike and min(alike) < rule.new * threshold:
        return "known"
    today = sum(abs(row.seen_at - now) < timedelta(days=1) for row in rows)
    waiting = sum(row.state == _OFFERED for row in rows)
    return "enough" if today >= rule.a_day or waiting >= rule.waiting else "offered"


def renew_offer(gallery: Gallery, offer_id: int, vector: Embedding) -> int:
    """Give an offer the embedding that the gallery's network makes of its picture; returns 0 if it waits no more.

    Args:
        gallery: Where it is.
        offer_id: Of the offer.
        vector: Float32, shape (dim,), unit norm.
    """
    contract = gallery.contract
    with gallery.database.reading() as connection:
        row = connection.execute(select(offers.c.person_id).where(offers.c.id == offer_id)).one_or_none()
        count, learnt = (0, set()) if row is None else own_templates(connection, row.person_id)
    if contract is None or row is None or not count:
        return 0
    near = distances_of(gallery, row.person_id, vector, count, learnt)
    values = {"distance": near.enrolled, "rival_distance": near.rival, "fingerprint": contract.fingerprint}
    waits = (offers.c.id == offer_id) & (offers.c.state == _OFFERED)
    with gallery.database.writing() as connection:
        new = update(offers).where(waits).values(vector=vector_bytes(vector), **values)
        return connection.execute(new).rowcount


def _insert(connection: Connection, candidate: SampleCandidate, fingerprint: str, near: SampleDistances) -> int:
    values = {
        "person_id": candidate.person_id,
        "fingerprint": fingerprint,
        "source": storable(candidate.source),
        "seen_at": candidate.seen_at,
        "distance": near.enrolled,
        "rival_distance": near.rival,
        "quality": candidate.quality,
        "state": _OFFERED,
        "vector": vector_bytes(candidate.embedding),
        "picture": jpeg(candidate.picture),
    }
    return insert_one(connection, offers, values)


def _offered(database: Database, offer_id: int, *, usable: bool) -> Row[Any]:
    """An offer that waits; with ``usable`` one whose vector and picture are whole."""
    query = select(offers, people.c.name).join(people).where(offers.c.id == offer_id, offers.c.state == _OFFERED)
    with database.reading() as connection:
        row = connection.execute(query).one_or_none()
        if row is not None and usable:
            whole(row.vector, f"The vector of the offered sample {offer_id}")
            whole(row.picture, f"The picture of the offered sample {offer_id}")
    if row is None:
        raise UnknownOfferError(f"No offered sample {offer_id} waits.")
    return row


def _template(gallery: Gallery, row: Row[Any], begin: str, *, negative: bool = False) -> NewTemplate:
    contract = gallery.contract
    if contract is None or contract.fingerprint != row.fingerprint:
        raise ContractMismatchError(
            f"The offered sample {row.id} is another embedder's than the gallery's.",
            "Reject it without not_them=True, or bring the gallery back to that embedder.",
        )
    source = f"{begin}{row.source}, {row.seen_at:%Y-%m-%d %H:%M}"
    digest = hashlib.sha256(row.vector).hexdigest()
    return NewTemplate(vector_from(row.vector), source, digest, quality=row.quality, negative=negative)


def _accept(gallery: Gallery, offer_id: int, how: PersonReview | None, *, keep_crops: bool) -> EnrolledTemplates:
    """Accept an offer with a review, or, without one, by rule, which is stricter than any review."""
    row = _offered(gallery.database, offer_id, usable=True)
    template = _template(gallery, row, LEARNT if how is None else "seen at ")
    picture = bytes(row.picture)
    if how is None:
        kept = FacePicture(picture, None) if keep_crops else None
        reviewed = ReviewedTemplates((replace(template, picture=kept),))
    else:
        pictures = {template.source_sha256: picture}
        reviewed = review_templates(gallery, how, row.person_id, [template], pictures, keep_crops=keep_crops)
    enrolled = gallery.enrol(
        [(row.person_id, one) for one in reviewed.certain], held=[(row.person_id, face) for face in reviewed.held]
    )
    done = reviewed.enrolled(sum(enrolled.added.values()))
    # After it: stopped in between, accepting it again adds nothing twice.
    with gallery.database.writing() as connection:
        connection.execute(delete(offers).where(offers.c.id == offer_id))
    return done
