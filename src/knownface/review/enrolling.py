"""Enrolling embeddings that nobody has a picture file of, such as those of an Unknown, with the same review."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from knownface.errors import FaceError
from knownface.gallery import Gallery, NewHeld, NewTemplate, PersonKey
from knownface.media.face_picture import FacePicture
from knownface.quality import QualityLimits
from knownface.review.person import Offer, PersonReview
from knownface.review.picture import PoorPictureError
from knownface.review.together import review_people


@dataclass(frozen=True, slots=True)
class EnrolledTemplates:
    """What became of embeddings that a person was to be enrolled from.

    Attributes:
        added: Templates that were not there already.
        held: How many are held back.
        refused: How many were refused.
        reasons: Why; those of what is held back come first.
    """

    added: int
    held: int
    refused: int
    reasons: tuple[FaceError, ...]


@dataclass(frozen=True, slots=True)
class ReviewedTemplates:
    """What may become of embeddings that a person is to be enrolled from.

    Attributes:
        certain: To be enrolled.
        held: To be held back.
        doubts: Why they are held back.
        refused: Why the others are refused.
    """

    certain: tuple[NewTemplate, ...]
    held: tuple[NewHeld, ...] = ()
    doubts: tuple[FaceError, ...] = ()
    refused: tuple[FaceError, ...] = ()

    def enrolled(self, added: int) -> EnrolledTemplates:
        """What became of them, where so many were not there already."""
        return EnrolledTemplates(added, len(self.held), len(self.refused), (*self.doubts, *self.refused))


def review_templates(
    gallery: Gallery,
    how: PersonReview,
    person: PersonKey,
    templates: Sequence[NewTemplate],
    pictures: Mapping[str, bytes] | None = None,
    *,
    keep_crops: bool = True,
) -> ReviewedTemplates:
    """Review embeddings that a person is to be enrolled from: what is doubtful is to be held back or refused.

    Args:
        gallery: Where.
        how: The review.
        person: By name or id.
        templates: A file each, as the SHA-256 says.
        pictures: Of faces, JPEG, by the SHA-256 of their source, for whoever decides about what is held back.
        keep_crops: Whether they are kept with the templates too; see the setting of this name.
    """
    limits = QualityLimits()
    poor = [t for t in templates if t.quality is not None and t.quality < limits.score]
    good = [t for t in templates if t.quality is None or t.quality >= limits.score]
    refused: list[FaceError] = [PoorPictureError.of_score(t.quality or 0.0, limits) for t in poor]
    offers = [Offer(t.source, t.vector[None]) for t in good]
    opinions = review_people(gallery, how, [(person, offers)])[0]
    doubts = [None if how.mode == "off" else opinion.doubt for opinion in opinions]
    doubted = [(t, doubt) for t, doubt in zip(good, doubts, strict=True) if doubt is not None]
    held: list[NewHeld] = []
    if how.mode == "hold":
        held = [NewHeld(t, why.code, why.message, (pictures or {}).get(t.source_sha256)) for t, why in doubted]
    elif how.mode == "refuse":
        refused = [*(why for _, why in doubted), *refused]
    certain = [t for t, doubt in zip(good, doubts, strict=True) if doubt is None]
    if keep_crops and pictures:
        certain = [
            replace(t, picture=FacePicture(pictures[t.source_sha256], None)) if t.source_sha256 in pictures else t
            for t in certain
        ]
    why_held = tuple(why for _, why in doubted) if held else ()
    return ReviewedTemplates(tuple(certain), tuple(held), why_held, tuple(refused))
