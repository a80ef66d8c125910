"""What readers of the page should know about the parameters in force, in the words of the page."""

from __future__ import annotations

from functools import partial

from fastapi import Request

from knownface.embedding import uncalibrated_note
from knownface.gallery import GalleryCalibration
from knownface.parameters import POOR_SHARE
from knownface.server.context import service_of
from knownface.server.pages.render import language_of
from knownface.server.texts import number, text


def rule_notes(request: Request) -> list[str]:
    """A sentence for each thing to know; none where a calibration is used as it was made."""
    service, language = service_of(request), language_of(request)
    recognizer, t = service.recognizer, partial(text, language)
    found, calibration, contract = recognizer.parameters, service.gallery.calibration, recognizer.embedder.contract
    threshold = number(language, found.rule.threshold, 2)
    notes = []
    if calibration is not None:
        if not calibration.fits(contract.fingerprint, found.rule.scoring):
            notes.append(t("notes.unused"))
        elif found.rule.threshold > calibration.rule.threshold or found.rule.margin < calibration.rule.margin:
            notes.append(t("notes.laxer"))
        thresholds = service.gallery.index.snapshot().thresholds.values()
        if laxer := sum(own > calibration.rule.threshold for own in thresholds):
            notes.append(t("notes.laxer_people", count=laxer))
        if calibration.outgrown:
            notes.append(t("notes.outgrown"))
    if found.source == "estimated":
        notes.append(t("notes.estimated", rate=_percent(language, found.fpir), count=found.people))
        if found.named is not None and found.named < POOR_SHARE:
            notes.append(t("notes.poor", network=contract.name, share=_percent(language, found.named)))
    elif found.source == "embedder":
        unmeasured = uncalibrated_note(contract)
        notes.append(t("notes.unmeasured" if unmeasured else "notes.usual", network=contract.name, threshold=threshold))
    elif found.source == "set" and calibration is None:
        notes.append(t("notes.set", threshold=threshold))
    return notes


def accuracy_note(request: Request) -> str | None:
    """How many strangers would get a name and who says so; None where the setting does not ask for it."""
    recognizer, language = service_of(request).recognizer, language_of(request)
    if not recognizer.settings.show_accuracy:
        return None
    known = recognizer.accuracy.overall
    if known.strangers_named is None:
        return text(language, "accuracy.unknown")
    sure = "" if known.confidence is None else _percent(language, known.confidence)
    rate = _percent(language, known.strangers_named)
    if known.by == "calibrated":
        return text(language, "accuracy.calibrated", rate=rate, sure=sure)
    return text(language, "accuracy.estimated", rate=rate)


def promise(request: Request, calibration: GalleryCalibration) -> str:
    """What a calibration promises."""
    language = language_of(request)
    rate, sure = _percent(language, calibration.wanted_fpir), _percent(language, calibration.confidence)
    return text(language, "calibration.promise", rate=rate, sure=sure)


def _percent(language: str, share: float) -> str:
    return number(language, 100 * share, 0 if share >= 0.01 else 1 if share >= 0.001 else 2)
