"""``FaceRecognizer``: detector, embedder, gallery and decision in one piece; what most programs import."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any

from knownface.detection import choose_detector
from knownface.embedding import choose_embedder
from knownface.gallery import Gallery
from knownface.gallery.own_settings import settings_in_force
from knownface.liveness import choose_liveness
from knownface.models import ModelStore
from knownface.recognition.enrolling import Enrolling
from knownface.recognition.naming import Naming
from knownface.recognition.verifying import Verifying
from knownface.settings import load_settings


class FaceRecognizer(Enrolling, Naming, Verifying):
    """Enrols people and names faces.

    Use :meth:`open`; the constructor is for callers that bring their own parts.

    Args:
        gallery: The people known.
        detector: Finds faces.
        embedder: Turns faces into embeddings; must be the one that filled the gallery.
        settings: k1, k2, threshold, margin, batch size, threads.
        notes: What was chosen and why, for people to read; what is to be known about the parameters is added.
        liveness: Scores how live faces look; the setting ``liveness`` says what follows. None does not.

    Raises:
        ContractMismatchError: Another embedder filled the gallery.

    Example:
        >>> from skimage import data  # doctest: +SKIP
        >>> with FaceRecognizer.open(":memory:") as recognizer:  # doctest: +SKIP
        ...     _ = recognizer.add_known_face("Eileen Collins", data.astronaut())
        ...     print([face.name for face in recognizer.identify(data.astronaut())])
        ['Eileen Collins']
    """

    @classmethod
    def open(
        cls,
        gallery: str | Path | None = None,
        *,
        create: bool = True,
        on_download: Callable[[int, int | None], None] | None = None,
        **overrides: Any,
    ) -> FaceRecognizer:
        """Open a gallery with the detector and embedder that the settings name.

        Args:
            gallery: A file, a database URL or ``":memory:"``; None takes the setting.
            create: Whether a gallery that does not exist is made.
            on_download: Called with the bytes that are here, and that will be, while weights are fetched. Their
                licence is logged as a warning first.
            **overrides: Fields of :class:`knownface.settings.Settings`, such as ``embedder="mobilefacenet"``,
                ``threshold=1.0`` or ``device="cpu"``.

        Raises:
            SettingsError: A setting makes no sense.
            GalleryError: The gallery cannot be opened.
            ModelError: Weights are missing or altered.
            OutputError: The gallery's folder cannot be written.
            ContractMismatchError: The embedder asked for is not the one that filled the gallery.
        """
        settings = load_settings(gallery=None if gallery is None else str(gallery), **overrides)
        opened = Gallery.open_by(settings, create=create)
        try:
            settings = settings_in_force(opened.database, settings)
            store = ModelStore(settings.models, settings.cache)
            with ThreadPoolExecutor(2) as pool:  # ONNX Runtime reads networks while the index is read
                embedding = pool.submit(choose_embedder, settings, store, opened.contract, on_download)
                detection = pool.submit(choose_detector, settings, store)
                opened.index.prepare()
            embedder, why_embedder = embedding.result()
            detector, why_detector = detection.result()
            check, why_check = choose_liveness(settings, store) if settings.liveness != "off" else (None, "")
            notes = tuple(filter(None, (why_embedder, why_detector, why_check)))
            return cls(opened, detector, embedder, settings, notes, check)
        except BaseException:
            opened.close()
            raise

    def beside(self, gallery: str) -> FaceRecognizer:
        """Open another gallery by the same settings, with the same networks in memory where they are that gallery's.

        Args:
            gallery: A file or a database URL; it is made if need be. What filled it is what it is searched with.

        Raises:
            GalleryError: It cannot be opened.
            ModelError: Its network's weights are missing, or it does not go with the detector.
        """
        settings = self.settings.model_copy(update={"gallery": gallery, "embedder": "auto"})
        opened = Gallery.open_by(settings)
        try:
            embedder, stored = self.embedder, opened.contract
            if stored is not None and stored.fingerprint != embedder.contract.fingerprint:
                embedder, _ = choose_embedder(settings, ModelStore(settings.models, settings.cache), stored)
            return FaceRecognizer(opened, self.detector, embedder, settings, liveness=self.liveness)
        except BaseException:
            opened.close()
            raise

    def close(self) -> None:
        """Close the gallery."""
        self.gallery.close()

    def build_index(self) -> int:
        """Build the search index and save it beside the gallery; returns the number of templates in it.

        Never needed: the index keeps itself in step. It saves the next start the work.
        """
        return self.gallery.build_index()

    def __repr__(self) -> str:
        return f"<FaceRecognizer with {self.detector.name}, {self.embedder.contract.name} and {self.gallery!r}>"

    def __enter__(self) -> FaceRecognizer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
