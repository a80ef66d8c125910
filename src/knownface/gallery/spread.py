"""How alike the people of a gallery are to each other, kept with it, so that a threshold follows from it at any time.

Of a small gallery it is measured anew in the transaction that changes templates, so whoever sees the change sees both.
A large one's changes little with one more person: it is measured by whoever has it open, in the background and from a
sample of the people, when about a tenth of the templates have come or gone. Moments and quantiles are kept, and
nobody's embedding.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from sqlalchemy import Connection, delete, func, insert, select

from knownface.decision.estimate import GallerySpread, measure_spreads, sample_people
from knownface.gallery.changes import read_state
from knownface.gallery.contracts import read_contract
from knownface.gallery.templates import read_vectors, read_vectors_of_people
from knownface.storage.schema import META_SPREAD, meta, people, templates
from knownface.types import Embeddings, Ids

SMALL = 1000
"""Templates up to which it is measured with every change; that takes some hundredths of a second at most."""

_VERSION = 3
"""Of what is measured: raised when it changes, so that a gallery is measured again."""
_DRIFT = 0.1
"""The share of the templates that come and go before a large gallery is measured again."""


@dataclass(frozen=True, slots=True)
class KeptSpread:
    """What was measured, and of what.

    Attributes:
        by_scoring: See :func:`knownface.decision.estimate.measure_spreads`; empty where there were too few people.
        fingerprint: Of the embedder's contract.
        stamp: Of the gallery's templates.
        templates: How many there were, counter-examples aside.
        last_template: The largest template id then.
        people: With templates.
        names: People, with and without.
    """

    by_scoring: Mapping[str, GallerySpread]
    fingerprint: str
    stamp: str
    templates: int
    last_template: int
    people: int
    names: int

    def people_among(self, names: int) -> int:
        """About how many of the people there are now have templates."""
        return max(1, self.people + names - self.names)

    def is_behind(self, fingerprint: str, stamp: str, templates: int, last_template: int) -> bool:
        """Whether the gallery should be measured again, of which this is known now."""
        if fingerprint != self.fingerprint:
            return True
        if stamp == self.stamp:
            return False
        added = max(0, last_template - self.last_template)
        removed = max(0, self.templates + added - templates)
        return templates <= SMALL or added + removed > _DRIFT * self.templates


def read_spread(connection: Connection) -> KeptSpread | None:
    """What is kept; None before the first measurement, and where another version of knownface measured otherwise."""
    value = connection.scalar(select(meta.c.value).where(meta.c.key == META_SPREAD))
    if value is None:
        return None
    kept = json.loads(value)
    if kept.pop("version", None) != _VERSION:
        return None
    spreads = {
        scoring: GallerySpread(**{**spread, **{key: tuple(spread[key]) for key in ("nearest", "genuine")}})
        for scoring, spread in kept.pop("by_scoring").items()
    }
    return KeptSpread(spreads, **kept)


def measure_spread(connection: Connection) -> KeptSpread | None:
    """Measure the gallery as it is now; None before the first template.

    Raises:
        UnplacedError: A vector cannot be read.
    """
    contract = read_contract(connection)
    if contract is None:
        return None
    per_person = select(templates.c.person_id, func.count()).where(templates.c.negative.is_(False))
    counts = [(row[0], row[1]) for row in connection.execute(per_person.group_by(templates.c.person_id))]
    whose = np.array(sorted(person for person, _ in counts), dtype=np.int64)
    total = sum(count for _, count in counts)
    return KeptSpread(
        by_scoring=measure_spreads(*_read_sample(connection, contract.dim, whose, total)),
        fingerprint=contract.fingerprint,
        stamp=read_state(connection).stamp,
        templates=total,
        last_template=connection.scalar(select(func.max(templates.c.id))) or 0,
        people=len(whose),
        names=connection.scalar(select(func.count()).select_from(people)) or 0,
    )


def _read_sample(connection: Connection, dim: int, whose: Ids, total: int) -> tuple[Embeddings, Ids]:
    chosen = sample_people(whose, total)
    if len(chosen) == len(whose):
        vectors, _, owners = read_vectors(connection, dim)
    else:
        vectors, _, owners = read_vectors_of_people(connection, chosen, dim)
    return vectors, owners


def store_spread(connection: Connection, kept: KeptSpread) -> None:
    """Keep a measurement in the place of the one before; in a writing transaction."""
    connection.execute(delete(meta).where(meta.c.key == META_SPREAD))
    value = json.dumps({"version": _VERSION, **asdict(kept)})
    connection.execute(insert(meta).values(key=META_SPREAD, value=value))


def follow_templates(connection: Connection) -> None:
    """Measure a small gallery anew, in the transaction that has changed its templates and noted the change."""
    count = select(templates.c.id).where(templates.c.negative.is_(False)).limit(SMALL + 1).subquery()
    if (connection.scalar(select(func.count()).select_from(count)) or 0) > SMALL:
        return
    kept = measure_spread(connection)
    if kept is not None:
        store_spread(connection, kept)
