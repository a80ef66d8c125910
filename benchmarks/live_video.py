"""Made videos of real faces, with the truth of every frame.

Faces move on smooth paths over a moving background, cross, leave and come back. What a face shows changes all the
time: photos of the person are faded into each other, turned and tilted. Every video is the same each time it is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt
from live_people import CANVAS, FACE, Actor, Cutout, cover_mouth
from live_variants import Variant

from knownface.types import Box, Image

FPS = 25.0
_FADE = 0.3
"""Seconds in which one photo turns into the next."""
_HIDDEN = 0.3
"""A face of which a larger share is outside the picture or behind another face is not counted."""


@dataclass(frozen=True, slots=True)
class TrueFace:
    """A face that is in a frame.

    Attributes:
        visit: Number of the visit: from entering the picture to leaving it.
        person: Name.
        known: Whether the person is enrolled.
        box: Where, in pixels.
        counted: Whether so much of it is seen that it counts.
        age: Seconds since it first counted in this visit.
    """

    visit: int
    person: str
    known: bool
    box: Box
    counted: bool
    age: float


@dataclass(frozen=True, slots=True, eq=False)
class MadeFrame:
    """A frame with its truth."""

    image: Image
    time: float
    faces: tuple[TrueFace, ...]


# Who is where


@dataclass(slots=True)
class _Visit:
    number: int
    actor: Actor
    begin: float
    end: float
    size: float
    random: np.random.Generator
    path: tuple[float, ...]
    counted_since: float | None = None
    photos: list[int] = field(default_factory=list)
    holds: list[float] = field(default_factory=list)


def make_video(
    variant: Variant, known: Sequence[Actor], strangers: Sequence[Actor], seconds: float, seed: int, visit: float = 6.0
) -> Iterator[MadeFrame]:
    """The frames of a video; half of the faces, as far as there are strangers, are strangers'.

    Args:
        variant: Kind of video.
        known: People enrolled.
        strangers: People not enrolled; each of them visits before one comes a second time.
        seconds: Length.
        seed: Of everything that is drawn by lot.
        visit: Mean seconds from entering to leaving.
    """
    random = np.random.default_rng([seed, *variant.name.encode()])
    cast = _Cast(variant, known, strangers, random, visit)
    background = _background(variant, random)
    for number in range(round(seconds * FPS)):
        time = number / FPS
        image = _behind(background, variant, time)
        visits = cast.at(time)
        placed = [(v, *_draw(image, v, variant, time)) for v in sorted(visits, key=lambda v: v.size)]
        faces = tuple(_truth(i, placed, variant, time) for i in range(len(placed)))
        if variant.change is not None:
            image = variant.change(image, random)
        yield MadeFrame(image, time, faces)


class _Cast:
    """Who is in the picture: visits that begin and end, so that the wanted number of faces is there."""

    def __init__(
        self,
        variant: Variant,
        known: Sequence[Actor],
        strangers: Sequence[Actor],
        random: np.random.Generator,
        visit: float,
    ) -> None:
        self.variant, self.random, self.visit = variant, random, visit
        self.pools = [list(known), list(strangers)]
        self.turns: list[list[Actor]] = [[], []]
        self.visits: list[_Visit] = []
        self.count = 0
        self.known_next = 0
        self.wanted = variant.faces[0]
        self.until = 0.0

    def at(self, time: float) -> list[_Visit]:
        self.visits = [visit for visit in self.visits if visit.end > time]
        if time >= self.until:
            low, high = self.variant.faces
            self.wanted, self.until = int(self.random.integers(low, high + 1)), time + 4.0
        while len(self.visits) < self.wanted:
            self.visits.append(self._visit(time))
        return self.visits

    def _visit(self, time: float) -> _Visit:
        kind = self.known_next if self.pools[1] else 0
        self.known_next = 1 - kind
        actor = self._next(kind)
        # A lone face alternates too; of several, every second one is a stranger's.
        random = np.random.default_rng(self.random.integers(2**63))
        low, high = self.variant.sizes
        self.count += 1
        return _Visit(
            self.count,
            actor,
            time,
            time + self.visit * random.uniform(0.6, 1.4),
            float(np.exp(random.uniform(np.log(low), np.log(high)))),
            random,
            tuple(random.uniform(0, 1, 8).tolist()),
        )

    def _next(self, kind: int) -> Actor:
        """Somebody who is not in the picture; now and then one who just left, who comes back."""
        present = {visit.actor.name for visit in self.visits}
        for _ in range(2):
            for i, actor in enumerate(self.turns[kind]):
                if actor.name not in present:
                    return self.turns[kind].pop(i)
            order = self.random.permutation(len(self.pools[kind]))
            self.turns[kind] += [self.pools[kind][i] for i in order]
        raise ValueError("There are fewer people than faces in the picture.")


def _place(visit: _Visit, variant: Variant, time: float) -> tuple[float, float, float]:
    """Middle and size of a face: a straight walk in and out, and swaying on the way."""
    a, b, c, d, e, f, g, h = visit.path
    age, stay = time - visit.begin, visit.end - visit.begin
    share = age / stay
    size = visit.size * (1.0 + 0.12 * np.sin(2 * np.pi * (0.15 * age + a)))
    width, height = variant.width, variant.height
    margin = 0.7 * size
    if variant.crossing:
        x = width * (0.5 + 0.42 * np.sin(2 * np.pi * (0.18 * (0.7 + 0.6 * b) * age * variant.speed + c)))
        # In from a border and out again within a second: nobody appears in the middle of a picture.
        aside = max(0.0, 1.0 - age, 1.0 - (stay - age))
        x += aside * ((-margin if b < 0.5 else width + margin) - x)
        return x, height * (0.5 + 0.05 * np.sin(2 * np.pi * (0.1 * age + d))), size
    sway = variant.speed * visit.size * 0.35
    low, high = 0.5 * size, max(0.5 * size + 1, height - 0.5 * size)
    y = low + (high - low) * e + sway * np.sin(2 * np.pi * (0.35 * age + f))
    # Through the picture from one side to the other, or in as far as it likes, to stay a while and go back.
    if g < 0.5:
        x = -margin + (width + 2 * margin) * share
    else:
        x = -margin + (width + margin) * (0.3 + 0.6 * h) * min(1.0, 2.5 * np.sin(np.pi * share))
    x = width - x if b < 0.5 else x
    x += sway * np.sin(2 * np.pi * (0.3 * age + a)) * np.sin(np.pi * share)
    return float(x), float(np.clip(y, 0.45 * size, height - 0.45 * size)), float(size)


def _photo(visit: _Visit, time: float, level: int) -> Cutout:
    """What the face shows now: one of the person's photos, or one fading into the next."""
    photos = visit.actor.photos
    age = time - visit.begin
    while sum(visit.holds) <= age:
        visit.holds.append(visit.random.uniform(0.8, 2.0))
        others = [i for i in range(len(photos)) if not visit.photos or i != visit.photos[-1]] or [0]
        visit.photos.append(int(visit.random.choice(others)))
    left = sum(visit.holds) - age
    before = age - (sum(visit.holds) - visit.holds[-1])
    now = photos[visit.photos[-1]][level]
    if len(visit.photos) > 1 and before < _FADE and left > 0:
        share = before / _FADE
        last = photos[visit.photos[-2]][level]
        return np.asarray(cv2.addWeighted(now, share, last, 1 - share, 0), np.uint8)
    return now


def _draw(image: Image, visit: _Visit, variant: Variant, time: float) -> tuple[Box, npt.NDArray[np.float64]]:
    """Put the face into the picture; where its box is, and the outline of its head."""
    x, y, size = _place(visit, variant, time)
    scale = size / np.sqrt(FACE.area)
    level = int(np.clip(np.floor(-np.log2(max(scale, 1e-3))), 0, 3))
    cutout = _photo(visit, time, level)
    if variant.cover:
        cutout = cover_mouth(cutout, visit.number, nose=variant.cover == "nose")
    a, b, c, *_ = visit.path
    age = time - visit.begin
    yaw = variant.turn * np.sin(2 * np.pi * (0.25 * age + a))
    roll = 8.0 * np.sin(2 * np.pi * (0.2 * age + b))
    matrix = _head(yaw, roll, scale, x, y) @ np.diag([2.0**level, 2.0**level, 1.0])
    side = float(cutout.shape[0])
    corners = _carry(matrix, np.array([(0, 0), (side, 0), (side, side), (0, side)]))
    left, top = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
    right, bottom = np.minimum(np.ceil(corners.max(axis=0)).astype(int), [variant.width, variant.height])
    if left < right and top < bottom:
        shift = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]], np.float64)
        warped = cv2.warpPerspective(cutout, shift @ matrix, (int(right - left), int(bottom - top)))
        part = image[top:bottom, left:right]
        light = 1.0 + 0.15 * np.sin(2 * np.pi * (0.1 * age + c))
        opacity = warped[:, :, 3:].astype(np.float32) / 255
        blended = part + opacity * (np.minimum(warped[:, :, :3] * np.float32(light), 255) - part)
        part[:] = blended.astype(np.uint8)
    face = np.array([(FACE.x, FACE.y), (FACE.right, FACE.y), (FACE.right, FACE.bottom), (FACE.x, FACE.bottom)])
    points = _carry(_head(yaw, roll, scale, x, y), face)
    (x1, y1), (x2, y2) = points.min(axis=0), points.max(axis=0)
    return Box(float(x1), float(y1), float(x2 - x1), float(y2 - y1)), points


def _head(yaw: float, roll: float, scale: float, x: float, y: float) -> npt.NDArray[np.float64]:
    """From a cut-out to the picture: the head turned around its upright axis, tilted, scaled and put at (x, y)."""
    middle = np.array(FACE.center)
    angle, tilt, far = np.deg2rad(yaw), np.deg2rad(roll), 4.0 * CANVAS / 2
    to_middle = np.array([[1, 0, -middle[0]], [0, 1, -middle[1]], [0, 0, 1]])
    turned = np.array([[far * np.cos(angle), 0, 0], [0, far, 0], [np.sin(angle), 0, far]])
    cos, sin = scale * np.cos(tilt), scale * np.sin(tilt)
    placed = np.array([[cos, -sin, x], [sin, cos, y], [0, 0, 1]])
    return np.asarray(placed @ turned @ to_middle)


def _carry(matrix: npt.NDArray[np.float64], points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    carried = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return np.asarray(carried[:, :2] / carried[:, 2:])


def _truth(
    index: int, placed: Sequence[tuple[_Visit, Box, npt.NDArray[np.float64]]], variant: Variant, time: float
) -> TrueFace:
    visit, box, _ = placed[index]
    inside = _overlap(box, Box(0, 0, variant.width, variant.height))
    hidden = sum(_overlap(box, other) for _, other, _ in placed[index + 1 :])
    counted = inside - hidden >= 1 - _HIDDEN
    if counted and visit.counted_since is None:
        visit.counted_since = time
    age = 0.0 if visit.counted_since is None else time - visit.counted_since
    return TrueFace(visit.number, visit.actor.name, visit.actor.known, box, counted, age)


def _overlap(box: Box, other: Box) -> float:
    """Share of the box that lies in the other."""
    width = min(box.right, other.right) - max(box.x, other.x)
    height = min(box.bottom, other.bottom) - max(box.y, other.y)
    return max(0.0, width) * max(0.0, height) / box.area


# Background


def _background(variant: Variant, random: np.random.Generator) -> Image:
    """A scene larger than a frame: blotches of several sizes, with some edges."""
    height, width = variant.height * 2, variant.width * 2
    scene = np.zeros((height, width, 3), np.float32)
    for cell, strength in ((160, 70.0), (40, 35.0), (8, 18.0)):
        shape = (height // cell + 2, width // cell + 2)
        # Mostly of one colour, as rooms are.
        blotches = random.standard_normal((*shape, 1)) + 0.3 * random.standard_normal((*shape, 3))
        blotches = blotches.astype(np.float32)
        scene += strength * cv2.resize(blotches, (width, height), interpolation=cv2.INTER_CUBIC)
    scene += 120
    for _ in range(30):
        x, y = int(random.integers(width)), int(random.integers(height))
        w, h = (int(v) for v in random.integers(20, 200, 2))
        cv2.rectangle(scene, (x, y), (x + w, y + h), random.uniform(30, 220, 3).tolist(), -1)
    return np.clip(scene, 0, 255).astype(np.uint8)


def _behind(scene: Image, variant: Variant, time: float) -> Image:
    """The part of the scene that a slowly swaying camera sees."""
    x = round(variant.width * (0.5 + 0.45 * np.sin(0.25 * time)))
    y = round(variant.height * (0.5 + 0.45 * np.sin(0.17 * time)))
    return scene[y : y + variant.height, x : x + variant.width].copy()
