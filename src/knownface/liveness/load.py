"""From the settings to a liveness check that runs."""

from __future__ import annotations

from knownface.errors import ModelUnavailableError, UnknownModelError
from knownface.liveness.base import NOT_CHECKED, LivenessCheck, LivenessRule
from knownface.models import ModelStore
from knownface.models.at_hand import first_at_hand
from knownface.models.kinds import Kind, kind_of
from knownface.parts import LIVENESS, find_part, load_part, make_part
from knownface.settings import Settings


def choose_liveness(settings: Settings, store: ModelStore) -> tuple[LivenessCheck, str]:
    """The liveness check that the settings ask for, loaded, and in one line why it is that one.

    ``auto`` is the first one of the catalogue whose file is on this machine, else the first that can be fetched. It is
    asked for by whoever switched liveness on, so nothing stands in for it where none can be had.

    Raises:
        ModelUnavailableError: No weights are here, and none can be fetched; the hint says what to do.
        UnknownModelError: There is no such check.
        PartError: What is registered or named cannot be imported, or is no liveness check.
        ModelError: It cannot be run.
    """
    name = settings.liveness_check
    point = None if name == "auto" or name in store.catalog else find_part(LIVENESS, name)
    if point is not None and not isinstance(factory := load_part(point), Kind):
        return make_part(point, factory, LivenessCheck), f"Liveness check {name}, as asked for."
    if name == "auto":
        found = first_at_hand([entry for entry in store.catalog.values() if entry.task == "liveness"], store)
        if found is None:
            raise ModelUnavailableError(
                "No liveness check is on this machine, and none could be fetched.",
                "Put MiniFASNetV2.onnx into the folder of KNOWNFACE_MODELS; `knownface models list` has its source.",
            )
        entry, where = found
        why = f"Liveness check {entry.name}, {where}."
    else:
        entry, why = store.entry(name), f"Liveness check {name}, as asked for."
    if entry.task != "liveness":
        raise UnknownModelError(
            f"{name} is no liveness check.", "`knownface models list` shows the task of every model."
        )
    check: LivenessCheck = kind_of(entry).make(entry, store.files(entry.name), settings)
    return check, why


def rule_of(settings: Settings, check: LivenessCheck | None, calibrated: float | None = None) -> LivenessRule:
    """What follows from the scores of a check, by the settings; nothing without a check.

    Args:
        settings: ``liveness`` and ``liveness_threshold`` are used.
        check: In use.
        calibrated: The threshold that was chosen for it, if one was.
    """
    if check is None:
        return NOT_CHECKED
    thresholds = (settings.liveness_threshold, calibrated, check.threshold)
    threshold = next(value for value in thresholds if value is not None)
    return LivenessRule(threshold, settings.liveness == "require")
