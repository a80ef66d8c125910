"""Settings that are changed while the service runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from knownface.errors import BadSettingError
from knownface.events import RetentionPolicy
from knownface.gallery.own_settings import CHANGEABLE, OwnSetting, change_own_settings, own_settings
from knownface.server.access import Caller
from knownface.server.context import Service

CONSENT: Final = "consent"
"""Stands in the gallery in its own right, whoever opens it."""


def set_in(service: Service) -> dict[str, OwnSetting]:
    """The settings that stand in the gallery and are in force, with who set them and when."""
    told = service.recognizer.settings.model_fields_set
    return {name: own for name, own in own_settings(service.database).items() if name not in told}


def fixed_in(service: Service) -> list[str]:
    """The changeable settings that the service was told otherwise, by an option, a variable or the file."""
    told = service.recognizer.settings.model_fields_set
    return [name for name in (*CHANGEABLE, CONSENT) if name in told]


def set_here(service: Service, caller: Caller, changes: Mapping[str, Any]) -> None:
    """Change settings, for this service at once and for others as they start, and note who did.

    Raises:
        BadSettingError: One is fixed, or they do not fit together.
    """
    recognizer, consents = service.recognizer, service.gallery.consents
    wanted = dict(changes)
    required = wanted.pop(CONSENT, None)
    demands = consents.required if required is None else required == "required"
    if demands != consents.required and recognizer.settings.consent is not None:
        raise BadSettingError("The setting consent is fixed by a variable or the settings file.")
    before = recognizer.settings
    recognizer.settings = change_own_settings(service.database, before, wanted, caller.actor.name)
    done = {name: value for name, value in wanted.items() if value != getattr(before, name)}
    if demands != consents.required:
        consents.require(demands)
        done[CONSENT] = required
    service.sightings.retention = RetentionPolicy.from_settings(recognizer.settings)
    if recognizer.parameters.source in {"embedder", "estimated"}:
        service.gallery.index.measure()
    if done:
        service.audit.note(caller.actor, "settings.change", **done)
