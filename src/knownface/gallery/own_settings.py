"""Settings that stand in the gallery itself, for every program that opens it and was told nothing else.

What a program is told (options, ``KNOWNFACE_*`` variables, ``knownface.toml``) counts more; defaults count less.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, delete, select

from knownface.errors import BadSettingError
from knownface.settings import Settings
from knownface.storage import Database, insert_new
from knownface.storage.schema import META_SETTINGS, meta

CHANGEABLE: Final = (
    "fpir",
    "threshold",
    "review",
    "samples",
    "show_accuracy",
    "keep_pictures",
    "keep_unknown_faces",
    "retention_days",
    "unseen_days",
    "template_days",
    "attendance_days",
)
"""The settings that may stand in a gallery: those that can change while a program runs."""


@dataclass(frozen=True, slots=True)
class OwnSetting:
    """A setting of a gallery.

    Attributes:
        value: As :class:`knownface.settings.Settings` takes it.
        by: Who set it.
        at: UTC.
    """

    value: Any
    by: str
    at: datetime


def own_settings(database: Database) -> dict[str, OwnSetting]:
    """The settings that stand in a gallery, by name."""
    with database.reading() as connection:
        return _read(connection)


def settings_in_force(database: Database, settings: Settings) -> Settings:
    """What the program was told, else what stands in the gallery, else the default.

    ``model_fields_set`` of the result still names what the program was told.
    """
    return _over(settings, own_settings(database))


def _over(settings: Settings, own: Mapping[str, OwnSetting]) -> Settings:
    told = set(settings.model_fields_set)
    merged = settings.model_copy(update={name: kept.value for name, kept in own.items() if name not in told})
    merged.model_fields_set.intersection_update(told)
    return merged


def change_own_settings(database: Database, settings: Settings, changes: Mapping[str, Any], by: str) -> Settings:
    """Set what stands in a gallery.

    Args:
        database: The gallery's.
        settings: Those in force.
        changes: Names of :data:`CHANGEABLE` and values; what is in force already is left as it is.
        by: Who sets it.

    Returns:
        The settings that are in force then.

    Raises:
        BadSettingError: One is fixed by what the program was told, or they do not fit together.
    """
    wanted = {name: value for name, value in changes.items() if value != getattr(settings, name)}
    fixed = sorted(wanted.keys() & settings.model_fields_set)
    if fixed:
        raise BadSettingError(f"The setting {fixed[0]} is fixed by an option, a variable or the settings file.")
    try:
        Settings.model_validate({**{name: getattr(settings, name) for name in CHANGEABLE}, **wanted})
    except ValueError as error:
        raise BadSettingError("These settings do not fit together.", str(error)) from error
    now = datetime.now(UTC)
    with database.writing() as connection:
        own = {**_read(connection), **{name: OwnSetting(value, by, now) for name, value in wanted.items()}}
        rows = {name: [kept.value, kept.by, kept.at.isoformat()] for name, kept in own.items()}
        connection.execute(delete(meta).where(meta.c.key == META_SETTINGS))
        insert_new(connection, meta, [{"key": META_SETTINGS, "value": json.dumps(rows)}])
    return _over(settings, own)


def _read(connection: Connection) -> dict[str, OwnSetting]:
    kept = connection.scalar(select(meta.c.value).where(meta.c.key == META_SETTINGS))
    rows = {} if kept is None else json.loads(kept)
    return {
        name: OwnSetting(value, by, datetime.fromisoformat(at))
        for name, (value, by, at) in rows.items()
        if name in CHANGEABLE
    }
