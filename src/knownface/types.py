"""The values that flow through knownface, from a frame to a decision.

Every value is a frozen, slotted dataclass: a stage makes one and hands it on, nobody writes to it afterwards.
Images are RGB ``uint8`` arrays of shape (height, width, 3); OpenCV's BGR exists only inside files that call
OpenCV. A distance is the Euclidean distance of unit vectors: 0 to 2, smaller is nearer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from knownface.scorings import DEFAULT_SCORING, Scoring

Image: TypeAlias = npt.NDArray[np.uint8]
"""RGB, ``uint8``, shape (height, width, 3)."""

Embeddings: TypeAlias = npt.NDArray[np.float32]
"""One unit vector a row: float32, shape (n, dim)."""

Landmarks: TypeAlias = npt.NDArray[np.float32]
"""Float32, shape (5, 2), x and y in pixels: left eye, right eye, nose, left and right mouth corner, as the
viewer sees them. A point that a detector does not know is NaN."""

Distances: TypeAlias = npt.NDArray[np.float32]
Ids: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the frame it came from; ``x`` and ``y`` are its upper left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """X of the right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Y of the lower edge."""
        return self.y + self.height

    @property
    def center(self) -> tuple[float, float]:
        """X and y of the middle."""
        return self.x + self.width / 2, self.y + self.height / 2

    @property
    def area(self) -> float:
        """Pixels covered; 0 for an empty box."""
        return max(self.width, 0.0) * max(self.height, 0.0)

    def as_list(self) -> list[float]:
        """``[x, y, width, height]`` rounded to a tenth of a pixel, as written to files."""
        return [round(v, 1) for v in (self.x, self.y, self.width, self.height)]

    def to_dict(self) -> dict[str, float]:
        """``x``, ``y``, ``width`` and ``height``, to a tenth of a pixel."""
        return dict(zip(("x", "y", "width", "height"), self.as_list(), strict=True))

    def pixels(self, width: int, height: int) -> list[int]:
        """``[x, y, width, height]`` in whole pixels, all of them within a picture of this width and height."""
        left, right = (min(max(round(v), 0), width) for v in (self.x, self.right))
        top, bottom = (min(max(round(v), 0), height) for v in (self.y, self.bottom))
        left, top = min(left, width - 1), min(top, height - 1)
        return [left, top, max(right - left, 1), max(bottom - top, 1)]


def finite(number: float | None, digits: int = 4) -> float | None:
    """A number as it is written to files: rounded, and None where it is infinite or NaN, which JSON does not have."""
    return round(number, digits) if number is not None and math.isfinite(number) else None


def box_iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes, 0 to 1."""
    width = min(a.right, b.right) - max(a.x, b.x)
    height = min(a.bottom, b.bottom) - max(a.y, b.y)
    if width <= 0 or height <= 0:
        return 0.0
    overlap = width * height
    return overlap / (a.area + b.area - overlap)


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A face that a detector found.

    Attributes:
        box: Where it is; may reach over the border of the image.
        landmarks: Five points (see :data:`Landmarks`).
        score: The detector's confidence. YuNet: 0 to 1; dlib's HOG: about 0 to 3.
    """

    box: Box
    landmarks: Landmarks
    score: float

    def __post_init__(self) -> None:
        shape = getattr(self.landmarks, "shape", None)
        if shape != (5, 2):
            found = type(self.landmarks).__name__ if shape is None else f"the shape {shape}"
            raise ValueError(f"landmarks must be an array of shape (5, 2), NaN where unknown, got {found}")

    def to_dict(self) -> dict[str, Any]:
        """As the REST service answers it: ``box``, and ``landmarks``, which are None where one is not known."""
        known = bool(np.isfinite(self.landmarks).all())
        points = [[round(x, 1), round(y, 1)] for x, y in self.landmarks.tolist()] if known else None
        return {"box": self.box.to_dict(), "landmarks": points}

    @classmethod
    def without_landmarks(cls, box: Box, score: float) -> Face:
        """A face of a detector that finds no landmarks."""
        return cls(box, np.full((5, 2), np.nan, dtype=np.float32), score)

    @classmethod
    def from_opencv_yunet(cls, row: npt.ArrayLike) -> Face:
        """A row of what ``cv2.FaceDetectorYN.detect`` returns.

        Args:
            row: 15 numbers: x, y, width, height, five points, score. OpenCV names the subject's right eye first, which
                is the one on the viewer's left.

        Raises:
            ValueError: The row has another shape.
        """
        numbers = _numbers(row, (15,), "a row of FaceDetectorYN")
        x, y, width, height = numbers[:4].tolist()
        return cls(Box(x, y, width, height), numbers[4:14].reshape(5, 2).copy(), float(numbers[14]))

    @classmethod
    def from_insightface(cls, face: Any) -> Face:
        """A face as ``insightface.app.FaceAnalysis.get`` returns it.

        Args:
            face: With ``bbox`` (left, top, right and bottom edge), ``kps`` (shape (5, 2), or None) and ``det_score``.

        Raises:
            ValueError: One of these has another shape.
        """
        left, top, right, bottom = _numbers(face.bbox, (4,), "bbox").tolist()
        box, score = Box(left, top, right - left, bottom - top), float(face.det_score)
        return (
            cls.without_landmarks(box, score)
            if face.kps is None
            else cls(box, _numbers(face.kps, (5, 2), "kps"), score)
        )

    @classmethod
    def from_dlib(cls, rectangle: Any, score: float = 1.0) -> Face:
        """A rectangle of one of dlib's detectors, which have no landmarks.

        Args:
            rectangle: A ``dlib.rectangle``; of a ``dlib.mmod_rectangle`` its ``rect``.
            score: As ``dlib.fhog_object_detector.run`` or ``mmod_rectangle.confidence`` has it.
        """
        box = Box(rectangle.left(), rectangle.top(), rectangle.width(), rectangle.height())
        return cls.without_landmarks(box, float(score))


def _numbers(values: npt.ArrayLike, shape: tuple[int, ...], what: str) -> npt.NDArray[np.float32]:
    numbers = np.asarray(values, dtype=np.float32)
    if numbers.shape != shape:
        raise ValueError(f"{what} must have the shape {shape}, got {numbers.shape}")
    return numbers


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a source.

    Attributes:
        image: The picture.
        time: Seconds from the start of the stream, from its own timestamps; None for a still photo.
        captured_at: Wall-clock time, timezone-aware UTC, where the source has it.
    """

    image: Image
    time: float | None = None
    captured_at: datetime | None = None


CropPolicy: TypeAlias = Literal["square", "aligned", "chip", "enlarged"]
"""``square``: a loose square around the box (CLIP); ``aligned``: warped onto the five-point template of ArcFace;
``chip``: dlib's own chip from dlib's own landmarks; ``enlarged``: the box grown within the picture (liveness)."""


@dataclass(frozen=True, slots=True)
class CohortSpread:
    """How alike an embedder finds pictures of different people, measured on a cohort.

    Attributes:
        deviation: Standard deviation of the cosines of their embeddings.
        skewness: Of the same.
        averaging: By what share of 1 - R² means of pictures are nearer to other people than these are, in squares
            (:mod:`knownface.decision.averaging`); None if nobody measured.
    """

    deviation: float
    skewness: float
    averaging: float | None = None


@dataclass(frozen=True, slots=True)
class DecisionRule:
    """The parameters of ``classify_face``; see :mod:`knownface.decision`.

    Attributes:
        k1: Nearest templates that vote first, at least 1.
        k2: Nearest templates that vote if the first vote fails; greater than k1.
        threshold: Largest distance, 0 to 2, at which a name is given. Smaller is stricter.
        margin: By how much the nearest template of anyone else must be farther than the winner's; 0 is off.
        scoring: What the distances are measured to.
    """

    k1: int
    k2: int
    threshold: float
    margin: float = 0.0
    scoring: Scoring = DEFAULT_SCORING

    def __post_init__(self) -> None:
        if self.k1 < 1 or self.k2 <= self.k1:
            raise ValueError(f"k1 and k2 must satisfy 1 <= k1 < k2, got k1={self.k1}, k2={self.k2}")
        if not 0.0 <= self.threshold <= 2.0:
            raise ValueError(f"threshold must lie between 0 and 2, got {self.threshold}")
        if not 0.0 <= self.margin <= 2.0:
            raise ValueError(f"margin must lie between 0 and 2, got {self.margin}")


@dataclass(frozen=True, slots=True)
class EmbedderContract:
    """What makes two embeddings comparable, and what is known about the network that makes them.

    Attributes:
        name: Name in the catalogue, such as ``clip-vit-b32``.
        dim: Length of an embedding.
        crop: What part of the picture the network sees.
        fingerprint: Hex digest over the weights and the preprocessing. Embeddings of different fingerprints are
            never compared.
        licence: What the publisher of the weights states.
        rule: Parameters that suit this embedder's space.
        calibrated: Whether ``rule`` was measured on faces; False for CLIP.
        nearest_threshold: Threshold for the scoring ``nearest``; None where the rule's suits both.
        cohort: How alike it finds different people; None if nobody measured that, and as a gallery stores a contract.
    """

    name: str
    dim: int
    crop: CropPolicy
    fingerprint: str
    licence: str
    rule: DecisionRule
    calibrated: bool
    nearest_threshold: float | None = None
    cohort: CohortSpread | None = field(default=None, compare=False)

    def rule_for(self, scoring: Scoring) -> DecisionRule:
        """The parameters that suit this embedder's space with a scoring."""
        own = self.nearest_threshold if scoring == "nearest" else None
        return replace(self.rule, threshold=self.rule.threshold if own is None else own, scoring=scoring)


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """The nearest templates of n probes, ordered by distance, then template id.

    Where fewer than k were found the ids are -1 and the distance is infinite.

    Attributes:
        distances: Float32, shape (n, k).
        templates: Int64, shape (n, k).
        people: Int64, shape (n, k): whose templates they are.
    """

    distances: Distances
    templates: Ids
    people: Ids

    def __post_init__(self) -> None:
        if not self.distances.shape == self.templates.shape == self.people.shape or self.distances.ndim != 2:
            raise ValueError(
                "distances, templates and people must share one shape (n, k), got "
                f"{self.distances.shape}, {self.templates.shape}, {self.people.shape}"
            )


Purpose: TypeAlias = Literal["photos", "live", "attendance"]
"""What somebody may consent to: being named in photos and videos, being named and recorded by live cameras, being
counted as present."""

Reason: TypeAlias = Literal[
    "named", "too far", "margin", "taken", "not this person", "empty gallery", "not live", "no consent"
]
"""Why a decision is what it is. ``named``: somebody qualified. ``too far``: the nearest template lies beyond the
threshold. ``margin``: somebody else is nearly as near. ``taken``: who would have been named was given to a nearer
face of the same picture. ``not this person``: a counter-example of the only candidate was nearer than its own
templates. ``empty gallery``: there was nothing to compare with. ``not live``: the face did not look alive, and only
living faces may get a name; it was compared with nobody."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person considered for a face.

    Attributes:
        person_id: Who.
        votes: Templates of this person among the neighbours that voted.
        distance: To this person's nearest template, 0 to 2.
        name: The person's name; None where nobody of this id is in the gallery any more.
    """

    person_id: int
    votes: int
    distance: float
    name: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As the REST service answers it."""
        return {
            "person_id": self.person_id,
            "name": self.name,
            "distance": finite(self.distance),
            "votes": self.votes,
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided for one face, and why.

    Attributes:
        person_id: Who it is, or None for Unknown.
        name: The person's name, or None for Unknown.
        distance: To the nearest template of the person named, or of anybody when Unknown; infinite when the
            gallery is empty. Of a track, whose pictures are averaged, counted as that of a single picture
            (:mod:`knownface.decision.averaging`).
        votes: Templates that voted for the person named; 0 when Unknown.
        stage: 1 or 2, the vote that decided; 0 when Unknown.
        reason: Why.
        runner_up: The best of the others, or None.
        candidates: Everybody among the k2 nearest, best first.
    """

    person_id: int | None
    name: str | None
    distance: float
    votes: int
    stage: int
    reason: Reason
    runner_up: Candidate | None = None
    candidates: tuple[Candidate, ...] = field(default=(), repr=False)


NOT_LIVE = Decision(person_id=None, name=None, distance=math.inf, votes=0, stage=0, reason="not live")
"""The decision for a face that may get no name since it does not look alive."""


@dataclass(frozen=True, slots=True)
class Liveness:
    """Whether a face looks alive, or like a print or screen that is held up.

    Attributes:
        score: 0 (surely an attack) to 1 (surely live), of one picture or of several together.
        threshold: The smallest score that counts as live.
    """

    score: float
    threshold: float

    @property
    def live(self) -> bool:
        """The answer."""
        return self.score >= self.threshold

    def to_dict(self) -> dict[str, Any]:
        """As the REST service answers it."""
        return {"live": self.live, "score": finite(self.score), "threshold": finite(self.threshold)}
