"""Which index the settings choose, by its name: one of ours or of a package that registers its own."""

from __future__ import annotations

import logging
from typing import Protocol, cast

from knownface.errors import PartError, SettingsError
from knownface.gallery.index.copy import IndexChoice
from knownface.gallery.index.local import LocalIndex
from knownface.parts import INDEXES, find_part, load_part, registered
from knownface.search import VectorIndex
from knownface.settings import Settings

AUTO = "auto"
"""The setting ``index`` that chooses an index in this process by the number of templates."""

_FORMER = {"ivf": "compressed"}
"""Kinds of earlier versions, and those that are used in their place."""

_log = logging.getLogger(__name__)


class _ChosenBySettings(Protocol):
    def from_settings(self, settings: Settings) -> IndexChoice: ...


def chosen_index(settings: Settings) -> IndexChoice:
    """What the settings say about the index.

    An entry point of the group ``knownface.indexes`` names a class: a :class:`knownface.search.VectorIndex`, which is
    kept in this process, or one whose ``from_settings`` makes another :class:`IndexChoice`.

    Raises:
        SettingsError: There is no such index, or its settings do not fit together.
        PartError: It cannot be imported, or is no index.
    """
    name, most = settings.index, settings.templates_per_person
    if name == AUTO:
        return LocalIndex(templates_per_person=most)
    point = find_part(INDEXES, name)
    if point is None and name in _FORMER:
        _log.warning("The index %s is no more; %s is used in its place. Set index to auto.", name, _FORMER[name])
        name = _FORMER[name]
        point = find_part(INDEXES, name)
    if point is None:
        raise SettingsError(f"There is no index {name!r}.", f"There are: {', '.join([AUTO, *registered(INDEXES)])}.")
    part = load_part(point)
    if isinstance(part, type) and issubclass(part, VectorIndex):
        lacking = [*sorted(part.__abstractmethods__), *(n for n in ("name", "description") if not hasattr(part, n))]
        if lacking:
            raise PartError(f"The index {name} ({point.value}) cannot be used: it lacks {' and '.join(lacking)}.")
        return LocalIndex(part, settings.search_effort, most)
    if not hasattr(part, "from_settings"):
        raise PartError(f"The index {name} ({point.value}) cannot be used: it is no VectorIndex and no choice of one.")
    return cast("_ChosenBySettings", part).from_settings(settings)
