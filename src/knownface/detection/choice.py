"""From a name to a detector that runs, and what ``auto`` means: YuNet, else dlib's HOG."""

from __future__ import annotations

import logging

import cv2

from knownface.detection.base import FaceDetector
from knownface.detection.hog import HogDetector
from knownface.detection.yunet import YuNetDetector
from knownface.errors import ModelAlteredError, ModelError, ModelUnavailableError, OutputError, UnknownModelError
from knownface.models import ModelEntry, ModelStore
from knownface.models.download import hub_answers, url_answers
from knownface.settings import Settings

log = logging.getLogger(__name__)

TIMEOUT = 1.5
"""Seconds that the address of YuNet's file has to answer."""


def choose_detector(settings: Settings, store: ModelStore) -> tuple[FaceDetector, str]:
    """The detector that the settings ask for, loaded, and in one line why it is that one.

    ``yunet`` is whichever of YuNet's files fits the OpenCV that is installed: one from the models folder or the
    cache, else one that is fetched. ``auto`` is YuNet if its file is here or its address answers, else dlib's HOG.

    Raises:
        UnknownModelError: There is no such detector.
        ModelUnavailableError: YuNet was asked for by name and cannot be had.
    """
    wanted = settings.detector
    if wanted == HogDetector.name:
        return HogDetector(), f"Detector {wanted}, as asked for."
    if wanted not in {"auto", "yunet"}:
        entry = store.entry(wanted)
        if entry.task != "detector":
            raise UnknownModelError(f"{wanted} is no face detector.", "Choose yunet, dlib-hog or auto.")
        if not _fits(entry):
            raise ModelError(f"{wanted} does not fit OpenCV {cv2.__version__}.", "Choose --detector yunet.")
        return YuNetDetector(store.files(wanted)["network"], name=wanted), f"Detector {wanted}, as asked for."
    fitting = [entry for entry in store.catalog.values() if entry.task == "detector" and _fits(entry)]
    for entry in fitting:
        path = store.find(entry.name)
        if path is not None:
            return YuNetDetector(path, name=entry.name), f"Detector {entry.name}, from {path}."
    return _fetched(fitting, store, must=wanted == "yunet")


def _fetched(fitting: list[ModelEntry], store: ModelStore, *, must: bool) -> tuple[FaceDetector, str]:
    for entry in fitting:
        file = entry.files[0]
        if must or (file.hub and hub_answers(file.hub, TIMEOUT)) or (file.url and url_answers(file.url, TIMEOUT)):
            try:
                return YuNetDetector(store.fetch(entry.name), name=entry.name), f"Detector {entry.name}, fetched."
            except (ModelUnavailableError, ModelAlteredError, OutputError) as error:
                log.info("%s could not be fetched: %s", entry.name, error.message)
    if must:
        raise ModelUnavailableError("YuNet's file is not on this machine and could not be fetched.")
    return HogDetector(), f"Detector {HogDetector.name}, since YuNet is not on this machine and cannot be fetched."


def _fits(entry: ModelEntry) -> bool:
    if entry.opencv is None:
        return False
    installed = tuple(int(part) for part in cv2.__version__.split(".")[:2])
    return entry.opencv.at_least <= installed and (entry.opencv.below is None or installed < entry.opencv.below)
