"""The calibration of a gallery as it lies in its database: measured on its templates, then stored with it."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial

import numpy as np

from knownface.errors import CalibrationError, TooFewStrangersError
from knownface.evaluation.calibration import Calibration, calibrate, recognised
from knownface.evaluation.faces import FaceSet
from knownface.evaluation.look_alikes import gallery_faces, named_strangers
from knownface.gallery import EnrolledFaces, Gallery, GalleryCalibration
from knownface.scorings import DEFAULT_SCORING, Scoring
from knownface.types import CohortSpread, DecisionRule

_LEAST_RECOGNITION = 0.5
"""Of what the estimate recognises, a calibration must recognise so much."""
_SHOWN = 10

_log = logging.getLogger(__name__)


def calibrate_gallery(
    gallery: Gallery,
    strangers: FaceSet | None = None,
    *,
    fpir: float = 0.01,
    confidence: float = 0.95,
    scoring: Scoring = DEFAULT_SCORING,
    cohort: CohortSpread | None = None,
    undetected_strangers: int = 0,
    now: datetime | None = None,
) -> Calibration:
    """Choose a gallery's parameters and store them with it; from then on it is searched with them.

    Parameters that recognise less than half of what the estimate from the enrolled people alone recognises are not
    stored: somebody among the strangers is probably enrolled.

    Args:
        gallery: At least one person.
        strangers: People who are not in the gallery, their sources as SHA-256; files that are enrolled are left out.
        fpir: The share of searches by strangers that may end with a name.
        confidence: Of that rate.
        scoring: What the gallery is to be searched with.
        cohort: Of the embedder that filled the gallery, where one was measured.
        undetected_strangers: Pictures of strangers in which no face was found; reported, and part of no rate.
        now: When; the present if left out.

    Raises:
        GalleryEmptyError: Nobody is enrolled.
        TooFewStrangersError: The rate cannot be guaranteed; what was stored before stays, and the hint says what can.
        CalibrationError: Too few of the known would be recognised; the strangers nearest to them are named.
        InputError, SettingsError: As :func:`knownface.evaluation.calibrate`.
        ContractMismatchError: The gallery was filled by another embedder meanwhile.
    """
    gallery.index.check_not_empty()
    enrolled = gallery.template_store.enrolled_faces()
    if strangers is not None:
        strangers = _without_enrolled(strangers, enrolled)
    faces = gallery_faces(enrolled)
    measure = partial(
        calibrate,
        faces,
        strangers,
        confidence=confidence,
        scoring=scoring,
        cohort=cohort,
        undetected_gallery=gallery.template_store.pictures_without_face(),
        undetected_strangers=undetected_strangers,
        now=now,
    )
    try:
        result = measure(fpir=fpir)
    except TooFewStrangersError as error:
        raise _with_what_is_possible(error, measure) from error
    except CalibrationError as error:
        if strangers is None:
            raise
        raise _who_is_enrolled(error.message, enrolled, strangers) from error
    if strangers is not None:
        _check_recognition(result, enrolled, strangers, estimate_gallery(gallery, fpir, scoring, cohort))
    gallery.set_calibration(for_gallery(result, enrolled))
    return result


def _with_what_is_possible(error: TooFewStrangersError, measure: Callable[..., Calibration]) -> TooFewStrangersError:
    """The refusal, with the rate that can be promised by those at hand and what it would cost."""
    possible = None
    if error.possible is not None:
        with contextlib.suppress(CalibrationError):
            possible = measure(fpir=error.possible)
    if possible is None:
        told = "With those at hand nothing useful can be promised."
    else:
        told = f"With those at hand an FPIR of {error.possible:g} can be promised (--fpir {error.possible:g})"
        told += "." if possible.tpir is None else f"; {possible.tpir:.1%} of the known faces are recognised then."
    return TooFewStrangersError(
        error.message, f"{error.hint} {told}", needed=error.needed, possible=error.possible if possible else None
    )


def _check_recognition(
    result: Calibration, enrolled: EnrolledFaces, strangers: FaceSet, estimate: float | None
) -> None:
    """Refuse a calibration that strangers who are enrolled after all have made useless."""
    if result.tpir is None or estimate is None or result.rule.threshold >= estimate:
        return
    usual = recognised(gallery_faces(enrolled), estimate, result.rule.scoring)
    if usual is None or result.tpir >= _LEAST_RECOGNITION * usual:
        return
    raise _who_is_enrolled(
        f"These strangers would allow a threshold of {result.rule.threshold:.2f} only, at which {result.tpir:.0%} of "
        f"the known faces are recognised; at the estimate from the enrolled people, {estimate:.2f}, {usual:.0%} are.",
        enrolled,
        strangers,
    )


def _who_is_enrolled(message: str, enrolled: EnrolledFaces, strangers: FaceSet) -> CalibrationError:
    near = named_strangers(enrolled, strangers, DecisionRule(1, 2, 2.0, scoring="nearest"))[:_SHOWN]
    listed = ", ".join(f"{strangers.people[one.row]} (like {one.name}, {one.distance:.2f})" for one in near)
    return CalibrationError(
        f"{message} Nearest are: {listed}.",
        "Look whether some of them are enrolled after all, and leave those out: "
        'not_strangers="NAME"; or accept a higher rate.',
    )


def estimate_gallery(
    gallery: Gallery, fpir: float, scoring: Scoring = DEFAULT_SCORING, cohort: CohortSpread | None = None
) -> float | None:
    """The threshold at which about a share of strangers gets a name, estimated from the people enrolled alone.

    Args:
        gallery: Some people.
        fpir: That share, above 0 and below 1.
        scoring: What the gallery is searched with.
        cohort: Of the embedder that filled the gallery, where one was measured.

    Returns:
        A distance; None where too few people are enrolled (see :mod:`knownface.decision.estimate`).
    """
    gallery.index.measure()
    snapshot = gallery.index.snapshot()
    if snapshot.spread is None or scoring not in snapshot.spread.by_scoring:
        return None
    people = snapshot.spread.people_among(len(snapshot.names))
    return snapshot.spread.by_scoring[scoring].threshold(fpir, people, cohort)


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


def _without_enrolled(strangers: FaceSet, enrolled: EnrolledFaces) -> FaceSet:
    same = np.isin(strangers.sources.astype(str), enrolled.source_sha256)
    if same.any():
        _log.warning("%d faces of strangers come from files that are enrolled; they were left out.", int(same.sum()))
    return strangers.take(~same)
