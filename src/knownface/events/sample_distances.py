"""How near a new picture is to the templates that are there, and which of these were accepted by rule."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import Connection, func, select

from knownface.events.sample_rules import BY_RULE, SampleDistances
from knownface.events.values import Embedding
from knownface.gallery import Gallery
from knownface.storage import Database
from knownface.storage.schema import templates
from knownface.storage.sealing.columns import readable

LEARNT = "sample: "
"""Begins the source of templates that were accepted by rule."""


def own_templates(connection: Connection, person_id: int) -> tuple[int, set[int]]:
    """How many templates a person has, and the ids of those that were accepted by rule."""
    query = select(templates.c.id, templates.c.source).where(
        templates.c.person_id == person_id, templates.c.negative.is_(False)
    )
    rows = connection.execute(query).all()
    return len(rows), {row.id for row in rows if row.source.startswith(LEARNT)}


def distances_of(
    gallery: Gallery, person_id: int, embedding: Embedding, count: int, learnt: set[int]
) -> SampleDistances:
    """The distances of an embedding to a person's templates, and to anybody else's.

    Args:
        gallery: Which is searched.
        person_id: Who.
        embedding: Float32, shape (dim,), unit norm.
        count: Templates of the person.
        learnt: Those of them that were accepted by rule.
    """
    # One more than the person has: somebody else's is among them, if there is one.
    near = gallery.search(embedding[None].astype(np.float32), count + 1)
    triples = list(zip(near.distances[0].tolist(), near.templates[0].tolist(), near.people[0].tolist(), strict=True))
    of_person = [(distance, template) for distance, template, who in triples if who == person_id]
    rivals = [distance for distance, template, who in triples if who != person_id and template >= 0]
    own = min((distance for distance, _ in of_person), default=np.inf)
    enrolled = min((distance for distance, template in of_person if template not in learnt), default=np.inf)
    return SampleDistances(own, enrolled, min(rivals, default=None))


def learnt_today(database: Database, person_id: int, now: datetime) -> bool:
    """Whether as many templates of a person as may be in a day were accepted by rule within the last one."""
    query = select(func.count()).where(
        templates.c.person_id == person_id,
        readable(templates.c.source).startswith(LEARNT, autoescape=True),
        templates.c.created > now - timedelta(days=1),
    )
    with database.reading() as connection:
        return (connection.scalar(query) or 0) >= BY_RULE.a_day
