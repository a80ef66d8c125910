"""From a name to an embedder that runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from knownface.embedding.base import FaceEmbedder
from knownface.embedding.joined import JoinedEmbedder
from knownface.errors import ModelError, PartError
from knownface.models.catalog import measured_joins
from knownface.models.entry import ModelEntry
from knownface.models.joins import JoinName, join_name, parse_join, relative_weights, usual_weights
from knownface.models.kinds import Kind, kind_of
from knownface.models.session import Device
from knownface.models.store import ModelStore
from knownface.parts import EMBEDDERS, find_part, is_script, load_part, make_part
from knownface.settings import Settings
from knownface.types import EmbedderContract


def load_embedder(
    name: str,
    store: ModelStore,
    device: Device = "auto",
    batch_size: int = 32,
    threads: int | None = None,
    *,
    int8: bool = True,
) -> FaceEmbedder:
    """The embedder of that name, from files that are on this machine; nothing is fetched.

    Args:
        name: Of the catalogue, the user's own networks included; of a registered part; ``module:Factory``; or several
            of these joined, as ``A+B`` or with weights ``A+B:2`` (:mod:`knownface.embedding.joined`).
        store: Where the files are.
        device: Where the network runs.
        batch_size: Faces that the network sees at once, at most.
        threads: Processors to use; None: all that this process may use.
        int8: Whether it may compute in 8 bits; see :func:`knownface.models.feeding.computes_in_int8`.

    Raises:
        UnknownModelError: There is no such name.
        ModelUnavailableError: Its files are not here; the hint says how to get them.
        ModelAlteredError: One of them has another content.
        PartError: What is registered or named cannot be imported, or is no embedder.
        ModelError: It is no embedder, or cannot be run.
    """
    wanted = parse_join(name)
    if len(wanted.parts) > 1:
        with ThreadPoolExecutor(len(wanted.parts)) as pool:  # each is read and optimised by one processor
            load = partial(load_embedder, store=store, device=device, batch_size=batch_size, threads=threads, int8=int8)
            parts = list(pool.map(load, wanted.parts))
        return _joined(wanted, parts, store)
    point = None if name in store.catalog else find_part(EMBEDDERS, name)
    factory = None if point is None else load_part(point)
    if point is None or isinstance(factory, Kind):
        entry = store.entry(name)
        _check_task(entry)  # before its files are asked for
        cache = store.folder.parent
        settings = Settings.model_construct(
            device=device, batch_size=batch_size, threads=threads, cache=cache, int8=int8
        )
        return embedder_of(entry, store.files(name), settings)
    embedder: FaceEmbedder = make_part(point, factory, FaceEmbedder)
    given: object = embedder.contract
    if not isinstance(given, EmbedderContract):
        raise PartError(f"The embedder {name} has {given!r} for its contract, expected an EmbedderContract.")
    if not is_script(name) and embedder.contract.name != name:
        raise PartError(
            f"The embedder that is registered as {name} has the name {embedder.contract.name!r} in its contract.",
            "Both must be the same, so that a gallery that it fills can be opened again.",
        )
    return embedder


def _joined(wanted: JoinName, parts: Sequence[FaceEmbedder], store: ModelStore) -> JoinedEmbedder:
    names = [part.contract.name for part in parts]
    weights = relative_weights(wanted.weights or usual_weights(names, store.catalog))
    return JoinedEmbedder(parts, weights, measured_joins().get(join_name(names, weights)))


def embedder_of(entry: ModelEntry, files: Mapping[str, Path], settings: Settings) -> FaceEmbedder:
    """An embedder of the catalogue, made of these files by part.

    Raises:
        ModelError: It is no embedder, or cannot be run.
    """
    _check_task(entry)
    embedder: FaceEmbedder = kind_of(entry).make(entry, files, settings)
    return embedder


def _check_task(entry: ModelEntry) -> None:
    if entry.task != "embedder":
        raise ModelError(f"{entry.name} is no embedder.", "`knownface models list` shows the task of every model.")
