"""A gallery with people in it, on SQLite and on a real PostgreSQL, and somebody to be seen."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
import pytest

from knownface.events import SeenTrack, SightingLog
from knownface.gallery import Gallery, NewTemplate
from knownface.types import DecisionRule, EmbedderContract

DIM = 16
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CONTRACT = EmbedderContract("net", DIM, "aligned", "a" * 64, "Apache-2.0", DecisionRule(1, 3, 1.0, 0.0), True)


def unit(seed):
    vector = np.random.default_rng(seed).normal(size=DIM).astype(np.float32)
    return vector / np.linalg.norm(vector)


def toward(one, other, share):
    """A unit vector on the way from one to another."""
    vector = (1 - share) * one + share * other
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def away(one, distance, seed=50):
    """A unit vector at a distance from another, in a direction of its own."""
    side = unit(seed) - (unit(seed) @ one) * one
    cosine = 1 - distance**2 / 2
    return (cosine * one + np.sqrt(1 - cosine**2) * side / np.linalg.norm(side)).astype(np.float32)


def noise_picture(seed):
    return np.random.default_rng(seed).integers(0, 255, (48, 48, 3), dtype=np.uint8)


@pytest.fixture
def gallery(place):
    """Ann, Ben and Cy of the staff, Dan of nothing; two templates each."""
    with Gallery.open(place) as opened:
        opened.bind(CONTRACT)
        new = []
        for number, name in enumerate(("Ann", "Ben", "Cy", "Dan")):
            for index, vector in enumerate((unit(number), toward(unit(number), unit(99), 0.1))):
                sha = hashlib.sha256(f"{name}{index}".encode()).hexdigest()
                new.append((name, NewTemplate(vector, f"/photos/{name}/{index}.jpg", sha)))
        opened.enrol(new)
        for name in ("Ann", "Ben", "Cy"):
            opened.set_groups(name, ["staff"])
        yield opened


@pytest.fixture
def log(gallery):
    return SightingLog(gallery)


@pytest.fixture
def ids(gallery):
    return {person.name: person.id for person in gallery.people()}


@pytest.fixture
def see(log, ids):
    """Records that somebody, by name or by the number of an Unknown, was seen; minutes count from noon."""

    def record(who, start=0.0, end=None, *, source="door", key=None, **more):
        begin = NOON + timedelta(minutes=start)
        last = begin if end is None else NOON + timedelta(minutes=end)
        track = SeenTrack(
            key=key or f"{who}/{source}/{start}",
            source=source,
            person_id=ids[who] if isinstance(who, str) else None,
            unknown=None if isinstance(who, str) else who,
            first_seen=begin,
            last_seen=last,
            **more,
        )
        log.record([track])
        return track

    return record


class Made(NamedTuple):
    """What tests make things of."""

    unit: Callable
    toward: Callable
    away: Callable
    picture: Callable
    noon: datetime
    contract: EmbedderContract


@pytest.fixture
def made():
    return Made(unit, toward, away, noise_picture, NOON, CONTRACT)
