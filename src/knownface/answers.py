"""What recognition answers: who is on a picture, whether two are one, what a picture is good for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from knownface.accuracy import Accuracy
from knownface.errors import FaceError, KnownFaceError
from knownface.gallery import NewTemplate
from knownface.pipeline import ExaminedFace, kept_picture
from knownface.quality import FaceQuality
from knownface.types import Box, Decision, Embeddings, Face, Image, Liveness, finite

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Identification:
    """A face of a picture and who it is.

    Attributes:
        face: Where it is.
        decision: Who it is, and why.
        quality: How good its picture is.
        liveness: Whether it looks alive; None where that is not checked.
        embedding: Float32 unit vector, shape (dim,), where embeddings were asked for; else None.
        accuracy: How often a stranger would get a name too, where the setting ``show_accuracy`` asks and there is a
            name; else None.
    """

    face: Face
    decision: Decision
    quality: FaceQuality
    liveness: Liveness | None = None
    embedding: Embeddings | None = None
    accuracy: Accuracy | None = None

    def __repr__(self) -> str:
        x, y, width, height = self.box.as_list()
        return f"<{self.name or 'Unknown'} at distance {self.distance:.3f}, box {x:g} {y:g} {width:g} {height:g}>"

    @property
    def name(self) -> str | None:
        """The person's name, or None for Unknown."""
        return self.decision.name

    @property
    def distance(self) -> float:
        """To the nearest template of the person named, or of anybody when Unknown; 0 to 2."""
        return self.decision.distance

    @property
    def box(self) -> Box:
        """Where the face is, in pixels of the picture."""
        return self.face.box

    def to_dict(self) -> dict[str, Any]:
        """As the REST service answers it, with every candidate; for JSON and tables."""
        decision = self.decision
        return {
            **self.face.to_dict(),
            "quality": self.quality.to_dict(),
            "person_id": decision.person_id,
            "name": decision.name,
            "distance": finite(decision.distance),
            "votes": decision.votes,
            "stage": decision.stage,
            "reason": decision.reason,
            "candidates": [candidate.to_dict() for candidate in decision.candidates],
            "liveness": None if self.liveness is None else self.liveness.to_dict(),
            **({} if self.accuracy is None else {"accuracy": self.accuracy.to_dict()}),
        }


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether two pictures show the same person.

    Attributes:
        same: The answer: ``distance`` is at most ``threshold``.
        distance: Of the two embeddings, 0 to 2.
        threshold: That was in force.
        ruled_out: Whether a counter-example of the person was nearer than the person's own templates.
        liveness: Whether the face looks alive; None where that is not checked.
        barred: Whether the answer is no since it does not.
        accuracy: Which share of strangers would pass too, where the setting ``show_accuracy`` asks; else None.
    """

    same: bool
    distance: float
    threshold: float
    ruled_out: bool = False
    liveness: Liveness | None = None
    barred: bool = False
    accuracy: Accuracy | None = None

    @property
    def reason(self) -> str:
        """The answer in a sentence."""
        if self.barred:
            return "The face does not look alive: it may be a photo or a screen."
        if self.ruled_out:
            return "A picture that is known not to be this person is nearer than any that is."
        if self.same:
            return f"The distance {self.distance:.3f} is within the threshold {self.threshold:.3f}."
        return f"The distance {self.distance:.3f} is beyond the threshold {self.threshold:.3f}."

    def to_dict(self) -> dict[str, Any]:
        """As the REST service answers it."""
        numbers = {"distance": finite(self.distance), "threshold": finite(self.threshold)}
        live = None if self.liveness is None else self.liveness.to_dict()
        sure = {} if self.accuracy is None else {"accuracy": self.accuracy.to_dict()}
        return {"same": self.same, **numbers, "reason": self.reason, "liveness": live, **sure}


@dataclass(frozen=True, slots=True, eq=False)
class PictureReview:
    """What a picture that somebody is to be enrolled from is good for.

    Attributes:
        image: The picture as it is shown; its faces may lie on their side in it.
        source: What the gallery is to call it.
        sha256: Hex digest of its content, by which it is known again.
        faces: Every face found, largest first.
        chosen: Those that a person may be enrolled from; none if it was refused.
        embeddings: Of the chosen faces, float32, shape (n, dim).
        error: Why it is refused or doubtful, or None. A doubtful picture has chosen faces all the same.
        unclear: Whether one of the chosen faces is the person and the picture alone does not tell which.
        note: What to know about a picture without an error; mostly empty.
        fingerprint: Of the embedder that made the embeddings.
    """

    image: Image
    source: str
    sha256: str
    faces: tuple[ExaminedFace, ...]
    chosen: tuple[ExaminedFace, ...]
    embeddings: Embeddings
    error: FaceError | None
    unclear: bool = False
    note: str = ""
    fingerprint: str = ""

    @property
    def label(self) -> str:
        """What the picture is called, for people."""
        return self.source.replace("\\", "/").rpartition("/")[2] or "the picture"

    def _number(self, face: ExaminedFace) -> int:
        """Which face of the picture it is, so that each of a group photo can be a counter-example."""
        return next(number for number, each in enumerate(self.faces) if each is face)

    def templates(self, *, negative: bool = False, keep_crops: bool = False) -> list[NewTemplate]:
        """The chosen faces as templates, or as counter-examples.

        Args:
            negative: They are counter-examples.
            keep_crops: Whether the faces themselves are kept with them, if they come from no file.
        """
        keep_crops = keep_crops and not Path(self.source).is_absolute()
        return [
            NewTemplate(
                vector=vector,
                source=self.source,
                source_sha256=self.sha256,
                face_index=self._number(face) if negative else index,
                box=face.face.box,
                quality=face.quality.score,
                negative=negative,
                picture=kept_picture(self.image, face) if keep_crops else None,
                fingerprint=self.fingerprint,
            )
            for index, (face, vector) in enumerate(zip(self.chosen, self.embeddings, strict=True))
        ]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Answer(Generic[Item]):
    """What came of one picture among many.

    Attributes:
        item: The picture as it was asked for.
        image: The picture itself, if it was to be kept.
        faces: Who is on it, largest face first.
        error: Why the picture could not be used, or None.
        size: Width and height of the picture in pixels, or None with an error.
    """

    item: Item
    image: Image | None
    faces: tuple[Identification, ...]
    error: KnownFaceError | None = None
    size: tuple[int, int] | None = None

    def faces_or_error(self) -> tuple[Identification, ...]:
        """Who is on the picture.

        Raises:
            KnownFaceError: It could not be used.
        """
        if self.error is not None:
            raise self.error
        return self.faces

    def __repr__(self) -> str:
        return f"<Answer for {self.item}: {self.error if self.error is not None else list(self.faces)}>"
