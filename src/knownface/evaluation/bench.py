"""What every evaluation needs from the settings: a detector, an embedder and the cache, opened together."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from knownface.detection import choose_detector
from knownface.embedding import FaceEmbedder, choose_embedder, load_embedder
from knownface.evaluation.embeddings import FaceReader
from knownface.evaluation.face_cache import open_cache
from knownface.models import ModelStore
from knownface.models.session import usable_processors
from knownface.settings import Settings, load_settings

DEFAULT_EVERY = 0.5
"""Seconds between the frames of a video that are looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class Bench:
    """Where evaluations run.

    Attributes:
        reader: Embeds files.
        store: Where weights are.
        settings: In force.
        notes: Which embedder and detector were chosen, and why.
    """

    reader: FaceReader
    store: ModelStore
    settings: Settings
    notes: tuple[str, ...]

    def with_embedder(self, name: str) -> FaceReader:
        """The same detector and cache with another embedder.

        Raises:
            ModelUnavailableError: Its weights are not here.
            ModelError: It cannot be run.
        """
        settings = self.settings
        embedder = load_embedder(
            name, self.store, settings.device, settings.batch_size, settings.threads, int8=settings.int8
        )
        return replace(self.reader, embedder=embedder)

    @property
    def embedder(self) -> FaceEmbedder:
        """The one chosen."""
        return self.reader.embedder

    def facts(self) -> Mapping[str, str | float]:
        """What a reader needs to repeat a run on other files."""
        contract = self.embedder.contract
        return {
            "Embedder": f"{contract.name}, {contract.dim} numbers, licence {contract.licence}",
            "Fingerprint of weights and preprocessing": contract.fingerprint,
            "Detector": self.reader.detector.name,
            "Face of a picture": "the largest",
            "Seconds between frames of a video": self.reader.every,
        }


@contextlib.contextmanager
def open_bench(*, every: float = DEFAULT_EVERY, use_cache: bool = True, **overrides: Any) -> Iterator[Bench]:
    """Load the detector and the embedder that the settings name.

    Args:
        every: Seconds between the frames of a video that are looked at.
        use_cache: Whether embeddings are taken from the cache folder and put there.
        **overrides: Fields of :class:`knownface.settings.Settings`.

    Raises:
        SettingsError: A setting makes no sense.
        ModelError: Weights are missing or altered.
        OutputError: The cache cannot be written.
    """
    settings = load_settings(**overrides)
    store = ModelStore(settings.models, settings.cache)
    embedder, why_embedder = choose_embedder(settings, store)
    detector, why_detector = choose_detector(settings, store)
    with open_cache(settings) if use_cache else contextlib.nullcontext() as cache:
        reader = FaceReader(
            detector,
            embedder,
            every=every,
            threads=settings.threads or usable_processors(),
            batch_size=settings.batch_size,
            max_pixels=settings.max_pixels,
            cache=cache,
        )
        yield Bench(reader, store, settings, (why_embedder, why_detector))
