"""A little world for tests: people with faces that look like something, and a gallery that really decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from knownface.decision import GalleryFacts, decide_picture
from knownface.quality import FaceQuality
from knownface.search import NumpyIndex
from knownface.tracking import FaceTracker, Sample, TrackedFace, TrackingOptions
from knownface.types import Box, Decision, DecisionRule, Embeddings, Face, Image, Neighbours

DIM = 64
RULE = DecisionRule(k1=1, k2=3, threshold=1.0)
WIDTH, HEIGHT = 320, 240
ADA, BEN = Box(40, 80, 50, 60), Box(200, 80, 50, 60)


def direction(person: str, seed: int = 0) -> np.ndarray:
    vector = np.random.default_rng([seed, *person.encode()]).standard_normal(DIM)
    return vector / np.linalg.norm(vector)


def picture_of(person: str, seed: int, noise: float = 0.6) -> Embeddings:
    """An embedding near the person's own direction: cosine of about 1 / sqrt(1 + noise ** 2)."""
    other = np.random.default_rng([seed, 7, *person.encode()]).standard_normal(DIM)
    vector = direction(person) + noise * other / np.linalg.norm(other)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def at_distance(vector: np.ndarray, distance: float) -> np.ndarray:
    """A unit vector so far away."""
    aside = np.random.default_rng(3).standard_normal(vector.size)
    aside -= (aside @ vector) * vector
    cosine = 1 - distance**2 / 2
    found = cosine * vector + np.sqrt(1 - cosine**2) * aside / np.linalg.norm(aside)
    return (found / np.linalg.norm(found)).astype(np.float32)


def of_quality(score: float) -> FaceQuality:
    """A picture of a quality score, 0 to 1."""
    return FaceQuality(112, 0.15, 0.5, 0.2, turn=0.0, cut_off=1.0 - score, detector_score=0.9)


def scene(number: int = 0) -> Image:
    coarse = np.random.default_rng([99, number]).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)


def draw(image: Image, person: str, box: Box) -> None:
    """Put a pattern that is the person's own into the box, as far as the picture reaches."""
    size = (max(1, round(box.width)), max(1, round(box.height)))
    coarse = np.random.default_rng([5, *person.encode()]).integers(0, 256, (5, 5, 3), dtype=np.uint8)
    face = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(1).integers(-20, 21, face.shape)
    face = np.clip(face.astype(int) + grain, 0, 255).astype(np.uint8)
    x, y = round(box.x), round(box.y)
    left, top = max(0, x), max(0, y)
    right, bottom = min(WIDTH, x + size[0]), min(HEIGHT, y + size[1])
    if left < right and top < bottom:
        image[top:bottom, left:right] = face[top - y : bottom - y, left - x : right - x]


def face_at(box: Box) -> Face:
    points = [(0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)]
    landmarks = np.array([(box.x + u * box.width, box.y + v * box.height) for u, v in points], np.float32)
    return Face(box, landmarks, 0.9)


class TestGallery:
    """People with three templates each, decided by the real rule; anybody may be added or removed."""

    __test__ = False

    def __init__(self, *people: str) -> None:
        self.names = dict(enumerate(people, start=1))

    def decide(self, embeddings: Embeddings, lengths: Sequence[float]) -> list[Decision]:
        index, owners = NumpyIndex(DIM), []
        for person_id, name in self.names.items():
            vectors = np.stack([picture_of(name, 1000 + i, noise=0.3) for i in range(3)])
            index.add(np.arange(len(owners), len(owners) + 3), vectors)
            owners += [person_id] * 3
        of = np.array([*owners, -1])  # where there are fewer than k, the index gives -1

        def search(k: int) -> Neighbours:
            distances, ids = index.search(embeddings, k)
            return Neighbours(distances, ids, of[ids])

        return decide_picture(embeddings, search, RULE, GalleryFacts(templates=len(owners), names=self.names))


@dataclass
class Stage:
    """Drives a tracker: who is where in each frame is told, what comes out is noted.

    ``people`` may be hidden from the detector; a person's box is drawn from far to near in the order given.
    """

    gallery: TestGallery
    options: TrackingOptions = field(default_factory=TrackingOptions)
    noise: float = 0.6
    scenery: int = 0
    rate: float = 25.0
    time: float = 0.0
    count: int = 0

    def __post_init__(self) -> None:
        self.tracker = FaceTracker(self.gallery.decide, RULE.threshold, self.options)
        self.wanted = self.scored = 0

    def frame(
        self, people: Mapping[str, Box], hidden: Sequence[str] = (), *, look: bool = True, learn: bool = True
    ) -> tuple[TrackedFace, ...]:
        image = scene(self.scenery)
        for person, box in people.items():
            draw(image, person, box)
        faces = {person: face_at(box) for person, box in people.items() if person not in hidden}
        who = {id(face): person for person, face in faces.items()}
        wanted = self.tracker.observe(image, self.time, list(faces.values()) if look else None)
        self.wanted += len(wanted)
        self.scored += sum(w.score for w in wanted)
        self.pending = [
            Sample(w.track_id, w.time, picture_of(who[id(w.face)], self.count, self.noise), w.quality) for w in wanted
        ]
        if learn:
            self.tracker.learn(self.pending)
        self.count += 1
        self.time = self.count / self.rate
        return self.tracker.visible()

    def labels(self, shown: Sequence[TrackedFace], people: Mapping[str, Box]) -> dict[str, str]:
        """The label shown nearest to each person."""
        near = {}
        for person, box in people.items():
            best = min(shown, key=lambda f: np.hypot(*np.subtract(f.box.center, box.center)), default=None)
            near[person] = "" if best is None else best.identity.label
        return near


def stage(*people: str, **options: float) -> Stage:
    return Stage(TestGallery(*(people or ("Ada", "Ben"))), TrackingOptions(**options))  # type: ignore[arg-type]


def moved(box: Box, dx: float, dy: float = 0.0) -> Box:
    return Box(box.x + dx, box.y + dy, box.width, box.height)
