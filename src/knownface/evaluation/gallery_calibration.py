"""The calibration of a gallery as it lies in its database: measured on its templates, then stored with it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from knownface.decision.estimate import estimate_threshold
from knownface.evaluation.calibration import Calibration, calibrate
from knownface.evaluation.faces import FaceSet, search
from knownface.gallery import EnrolledFaces, Gallery, GalleryCalibration
from knownface.types import DEFAULT_SCORING, CohortSpread, DecisionRule, Ids, Scoring

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NamedStranger:
    """A stranger who would get a name: a false alarm, or somebody who is enrolled after all.

    Attributes:
        row: Which of the strangers' faces.
        name: The name that it would get.
        distance: To the nearest template of that person.
    """

    row: int
    name: str
    distance: float


def gallery_faces(enrolled: EnrolledFaces) -> FaceSet:
    """A gallery's templates for evaluation: people by their ids, sources by the content of their files."""
    return FaceSet(enrolled.embeddings, enrolled.people, enrolled.source_sha256)


def calibrate_gallery(
    gallery: Gallery,
    strangers: FaceSet | None = None,
    *,
    fpir: float = 0.01,
    confidence: float = 0.95,
    scoring: Scoring = DEFAULT_SCORING,
    undetected_strangers: int = 0,
    now: datetime | None = None,
) -> Calibration:
    """Choose a gallery's parameters and store them with it; from then on it is searched with them.

    Args:
        gallery: At least one person.
        strangers: People who are not in the gallery, their sources as SHA-256; files that are enrolled are left out.
        fpir: The share of searches by strangers that may end with a name.
        confidence: Of that rate.
        scoring: What the gallery is to be searched with.
        undetected_strangers: Pictures of strangers in which no face was found; reported, and part of no rate.
        now: When; the present if left out.

    Raises:
        GalleryEmptyError: Nobody is enrolled.
        TooFewStrangersError: The rate cannot be guaranteed; what was stored before stays.
        CalibrationError, InputError, SettingsError: As :func:`knownface.evaluation.calibrate`.
        ContractMismatchError: The gallery was filled by another embedder meanwhile.
    """
    gallery.index.check_not_empty()
    enrolled = gallery.template_store.enrolled_faces()
    if strangers is not None:
        strangers = _without_enrolled(strangers, enrolled)
    result = calibrate(
        gallery_faces(enrolled),
        strangers,
        fpir=fpir,
        confidence=confidence,
        scoring=scoring,
        undetected_gallery=gallery.template_store.pictures_without_face(),
        undetected_strangers=undetected_strangers,
        now=now,
    )
    gallery.set_calibration(for_gallery(result, enrolled))
    return result


def estimate_gallery(gallery: Gallery, fpir: float, cohort: CohortSpread | None = None) -> float | None:
    """The threshold at which about a share of strangers gets a name, estimated from the people enrolled alone.

    Args:
        gallery: At least one person.
        fpir: That share, above 0 and below 1.
        cohort: Of the embedder that filled the gallery, where one was measured.

    Returns:
        A distance; None where too few people are enrolled (see :mod:`knownface.decision.estimate`).

    Raises:
        GalleryEmptyError: Nobody is enrolled.
    """
    gallery.index.check_not_empty()
    enrolled = gallery.template_store.enrolled_faces()
    return estimate_threshold(enrolled.embeddings, enrolled.people, fpir, cohort)


def for_gallery(result: Calibration, enrolled: EnrolledFaces) -> GalleryCalibration:
    """A result as a gallery keeps it.

    Args:
        result: Measured on these faces.
        enrolled: Not empty.
    """
    assert enrolled.contract is not None  # noqa: S101 - no template without a contract
    return GalleryCalibration(
        rule=result.rule,
        fingerprint=enrolled.contract.fingerprint,
        wanted_fpir=result.wanted_fpir,
        fpir_bound=result.fpir_bound,
        confidence=result.confidence,
        people=result.people,
        templates=result.templates,
        last_person=int(enrolled.people.max()),
        last_template=int(enrolled.templates.max()),
        sentence=result.sentence,
        details=result.as_dict(),
        calibrated_at=result.calibrated_at,
    )


def named_strangers(enrolled: EnrolledFaces, strangers: FaceSet, rule: DecisionRule) -> list[NamedStranger]:
    """The strangers who would get a name by these parameters, nearest first."""
    faces = gallery_faces(enrolled)
    _, codes = np.unique(strangers.people, return_inverse=True)
    # Numbers that no person has: strangers share nobody's name here.
    apart = FaceSet(strangers.embeddings, int(enrolled.people.max()) + 1 + codes, strangers.sources)
    searches = search(faces, apart, rule.k2, scoring=rule.scoring)
    answers: Ids = searches.answers(rule)
    names = dict(zip(enrolled.people.tolist(), enrolled.names.tolist(), strict=True))
    near = searches.neighbours
    found = []
    for row in np.flatnonzero(answers >= 0).tolist():
        distance = near.distances[row][near.people[row] == answers[row]].min()
        found.append(NamedStranger(row, names[int(searches.labels[answers[row]])], float(distance)))
    return sorted(found, key=lambda stranger: stranger.distance)


def _without_enrolled(strangers: FaceSet, enrolled: EnrolledFaces) -> FaceSet:
    same = np.isin(strangers.sources.astype(str), enrolled.source_sha256)
    if same.any():
        _log.warning("%d faces of strangers come from files that are enrolled; they were left out.", int(same.sum()))
    return strangers.take(~same)
