"""From a name to a detector that runs, and what ``auto`` means: YuNet, else dlib's HOG."""

from __future__ import annotations

from knownface.detection.base import FaceDetector
from knownface.errors import ModelError, ModelUnavailableError, SettingsError, UnknownModelError
from knownface.models import ModelStore
from knownface.models.at_hand import first_at_hand
from knownface.models.kinds import Kind, kind_of
from knownface.parts import DETECTORS, find_part, load_part, make_part, registered
from knownface.settings import Settings

DEFAULT = "yunet"
FALLBACK = "dlib-hog"
TIMEOUT = 1.5
"""Seconds that the address of a file has to answer; the Python index has its own."""


def choose_detector(settings: Settings, store: ModelStore) -> tuple[FaceDetector, str]:
    """The detector that the settings ask for, loaded, and in one line why it is that one.

    A name is an entry of the catalogue; a kind of the catalogue, such as ``yunet``, of which the first entry is taken
    that runs here and whose file is on this machine, else one that is fetched; a registered part; or
    ``module:Factory``. ``auto`` is YuNet if its file is here, or if its address or the Python index answers in time;
    else dlib's HOG.

    Raises:
        UnknownModelError: There is no such detector.
        ModelUnavailableError: The weights of the kind that was asked for cannot be had.
        PartError: What is registered or named cannot be imported, or is no detector.
        ModelError: The entry cannot be run.
        SettingsError: A score was set, or a thorough search, and the detector takes none.
    """
    auto = settings.detector == "auto"
    wanted = DEFAULT if auto else settings.detector
    found = _load(wanted, settings, store, in_time=auto) or (auto and _load(FALLBACK, settings, store))
    if not found:
        raise ModelUnavailableError(f"No file of {wanted} is on this machine, and none could be fetched.")
    detector, why = found
    if auto and detector.name == FALLBACK:
        why = f"Detector {FALLBACK}, since YuNet is not on this machine and cannot be fetched."
    return detector, why


def _load(
    name: str, settings: Settings, store: ModelStore, *, in_time: bool = False
) -> tuple[FaceDetector, str] | None:
    """The detector of a name and why it is that one, or None if the weights of a kind cannot be had.

    Args:
        name: An entry of the catalogue, a kind, a registered part, or ``module:Factory``.
        settings: In force.
        store: Where the weights are.
        in_time: Whether the weights of a kind are fetched only if their address answers within ``TIMEOUT``.
    """
    point = None if name in store.catalog else find_part(DETECTORS, name)
    if point is None:
        entry = store.entry(name)
        if entry.task != "detector":
            names = ", ".join(registered(DETECTORS))
            raise UnknownModelError(f"{name} is no face detector.", f"Choose auto, or one of {names}.")
        kind = kind_of(entry)
        if hindrance := kind.hindrance(entry):
            raise ModelError(f"{name} {hindrance}.", f'Choose detector="{entry.kind}".')
        return kind.make(entry, store.files(name), settings), f"Detector {name}, as asked for."
    factory = load_part(point)
    if isinstance(factory, Kind):
        return _of_kind(name, factory, settings, store, in_time=in_time)
    for setting, is_set in (("detector_score", settings.detector_score is not None), ("thorough", settings.thorough)):
        if is_set:
            raise SettingsError(f"The detector {name} takes no {setting}.", "Leave it out, or choose yunet.")
    return make_part(point, factory, FaceDetector), f"Detector {name}, as asked for."


def _of_kind(
    name: str, kind: Kind[FaceDetector], settings: Settings, store: ModelStore, *, in_time: bool
) -> tuple[FaceDetector, str] | None:
    fitting = [
        entry
        for entry in store.catalog.values()
        if (entry.task, entry.kind) == ("detector", name) and not kind.hindrance(entry)
    ]
    found = first_at_hand(fitting, store, TIMEOUT if in_time else None)
    if found is None:
        return None
    entry, where = found
    return kind.make(entry, store.files(entry.name), settings), f"Detector {entry.name}, {where}."
