"""The kinds of the catalogue: what runs an entry's files. Each kind is declared in its own file and registered."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from knownface.errors import KnownFaceError, ModelError, PartError
from knownface.models.entry import CommercialUse, ModelEntry, Task
from knownface.models.session import try_network
from knownface.parts import DETECTORS, EMBEDDERS, LIVENESS, load_part, registered
from knownface.settings import Settings
from knownface.types import CropPolicy

log = logging.getLogger(__name__)

Part = TypeVar("Part")

_GROUPS: Mapping[Task, str] = {"detector": DETECTORS, "embedder": EMBEDDERS, "liveness": LIVENESS}


_TRIED_SIDE = 320
"""Pixels of the picture that a detector is tried with."""


def _none(entry: ModelEntry) -> str:  # noqa: ARG001
    return ""


@dataclass(frozen=True, slots=True)
class Kind(Generic[Part]):
    """How entries of one kind become a detector or embedder; what a file registers whose part has weights.

    Attributes:
        make: Gives the part of an entry, its files by what they are for, and the settings in force.
        crops: What an embedder's entry may have as ``input.crop``.
        files: What an entry's files must be for.
        hindrance: Why an entry cannot run on this machine, as the end of a sentence; empty if it can.
    """

    make: Callable[[ModelEntry, Mapping[str, Path], Settings], Part]
    crops: tuple[CropPolicy, ...] = ()
    files: tuple[str, ...] = ("network",)
    hindrance: Callable[[ModelEntry], str] = _none


def kind_of(entry: ModelEntry, where: str = "") -> Kind[Any]:
    """What runs an entry of the catalogue.

    Args:
        entry: The entry.
        where: The file that it is from, for errors.

    Raises:
        ModelError: Nothing of the kind is registered, or the entry is not what the kind asks for.
    """
    where = where or entry.name
    points = registered(_GROUPS[entry.task])
    kind = load_part(points[entry.kind]) if entry.kind in points else None
    hint = "The documentation's page on models describes every key of a model's contract."
    if not isinstance(kind, Kind):
        raise ModelError(
            f"{where}: kind must be one of {', '.join(points)} for a model whose task is {entry.task}.", hint
        )
    if entry.input is not None and entry.input.crop not in kind.crops:
        raise ModelError(f"{where}: input.crop must be {' or '.join(kind.crops)} for kind {entry.kind}.", hint)
    if not set(kind.files) <= {file.part for file in entry.files}:
        raise ModelError(f"{where}: kind {entry.kind} needs the files {' and '.join(kind.files)}.", hint)
    return kind


def try_entry(entry: ModelEntry, network: Path) -> None:
    """Run a network once on a grey picture, to see that its entry fits it.

    Raises:
        ModelError: It does not load, or returns something else than its kind does.
    """
    if entry.input is not None:
        try_network(network, entry.input)
        return
    kind = kind_of(entry)
    grey = np.full((_TRIED_SIDE, _TRIED_SIDE, 3), 127, dtype=np.uint8)
    try:
        detector = kind.make(entry, {"network": network}, Settings.model_construct())
        detector.detect(grey)
    except KnownFaceError:
        raise
    except Exception as error:
        log.info("%s as a detector of the kind %s: %s", network, entry.kind, error)
        raise ModelError(
            f"The network of {entry.name} cannot be run as a detector of the kind {entry.kind}.",
            "Check kind in its contract.",
        ) from error


@dataclass(frozen=True, slots=True)
class WeightlessPart:
    """A detector or embedder that is registered and needs no entry of the catalogue.

    From ``title`` on these are attributes of its factory, which need not have them.

    Attributes:
        name: That it is registered as.
        task: What it does.
        usable: Whether it can be imported.
        title: For people.
        licence: Of the part.
        licence_note: What else one should know; why it cannot be imported.
        commercial_use: Whether the licence allows it.
    """

    name: str
    task: Task
    usable: bool = True
    title: str = ""
    licence: str = ""
    licence_note: str = ""
    commercial_use: CommercialUse = "unclear"


def weightless_parts() -> Iterator[WeightlessPart]:
    """The registered parts that are no kinds of the catalogue."""
    for task, group in _GROUPS.items():
        for name, point in registered(group).items():
            try:
                factory = load_part(point)
            except PartError as error:
                yield WeightlessPart(name, task, usable=False, licence_note=error.message)
                continue
            if not isinstance(factory, Kind):
                title, licence, note = (str(getattr(factory, key, "")) for key in ("title", "licence", "licence_note"))
                allowed: Any = getattr(factory, "commercial_use", None)
                commercial_use: CommercialUse = allowed if allowed in {"yes", "no"} else "unclear"
                yield WeightlessPart(name, task, True, title, licence, note, commercial_use)
