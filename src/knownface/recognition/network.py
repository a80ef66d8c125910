"""The network of a recogniser is that of its gallery, also when the gallery is brought over to another one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

from knownface.embedding import FaceEmbedder, choose_embedder
from knownface.errors import ContractMismatchError, OutputError
from knownface.models import ModelStore
from knownface.pipeline import check_parts_fit
from knownface.recognition.parts import RecognizerParts
from knownface.types import EmbedderContract

if TYPE_CHECKING:
    from knownface.enrolment import Migration

Result = TypeVar("Result")


class NetworkOfGallery(RecognizerParts):
    """Parts of which the embedder follows the gallery."""

    def follow(self) -> FaceEmbedder:
        """The embedder of the gallery; another one than before where the gallery was brought over to it meanwhile.

        Whatever makes embeddings asks first. So a program that stays open follows a change of network, whoever made it.

        Raises:
            ModelError: Its weights are not here, or it does not go with the detector.
            ContractMismatchError: What is here by its name are other weights.
        """
        if self._is_gallerys(self.embedder):
            return self.embedder
        with self._following:
            if not self._is_gallerys(self.embedder):
                own = self.settings.model_copy(update={"embedder": "auto"})
                store = ModelStore(own.models, own.cache)
                self._use(choose_embedder(own, store, self.gallery.contract)[0])
        return self.embedder

    def migrate(
        self,
        embedder: str,
        *,
        leave_out: bool = False,
        threads: int | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Migration:
        """Bring the gallery over to another network without enrolling again, and go on with it.

        The gallery answers as before until all of it is there. What ends this early loses nothing: called again, it
        goes on where it was.

        Args:
            embedder: The new network, as the setting ``embedder`` names it.
            leave_out: Whether templates whose faces are not found again are set aside and the change is made; else
                nothing is changed where there is one.
            threads: That read files; None as the settings say.
            on_progress: Called with the templates that are done or lost, and all there are.

        Returns:
            What came of it: ``change`` is None if nothing was changed, and ``lost`` says why.

        Raises:
            ModelError: The network cannot be had, or needs landmarks that the detector does not give.
            GalleryEmptyError: Nobody is enrolled, or no face at all was found again.
        """
        from knownface.enrolment import Migration, MigrationOptions, renew_kept_faces

        own = self.settings.model_copy(update={"embedder": embedder})
        network, _ = choose_embedder(own, ModelStore(own.models, own.cache))
        how = MigrationOptions(own.batch_size, threads or self.threads, own.max_pixels)
        migration = Migration(self.gallery, self.detector, network, how, leave_out=leave_out)
        for _ in migration:
            if on_progress is not None:
                on_progress(migration.done + len(migration.lost), migration.total)
        if migration.change is not None:
            with self._following:
                self._use(network)
            with contextlib.suppress(OutputError):  # it is built again when it is needed
                self.gallery.build_index()
            renew_kept_faces(self.gallery, self.detector, network, own.max_pixels)
        return migration

    def _is_gallerys(self, embedder: FaceEmbedder) -> bool:
        snapshot = self.gallery.index.snapshot()
        own = snapshot.contract if snapshot.holds_vectors else None
        return own is None or own.fingerprint == embedder.contract.fingerprint

    def _use(self, embedder: FaceEmbedder) -> None:
        check_parts_fit(self.detector, embedder)
        self.gallery.bind(embedder.contract)
        self.embedder = embedder
        name = embedder.contract.name
        self._notes = (*self._notes, f"Embedder {name} from now on: the gallery was brought over to it.")
        if self.parameters.source in {"embedder", "estimated"}:
            self.gallery.index.measure()

    def _by_one_network(self, work: Callable[[FaceEmbedder], Result]) -> Result:
        """Work that compares embeddings with the gallery, again if that was brought to another network meanwhile."""
        embedder = self.follow()
        try:
            return work(embedder)
        except ContractMismatchError:
            if (other := self.follow()) is embedder:
                raise
            return work(other)

    @contextlib.contextmanager
    def _same_network(self, contract: EmbedderContract) -> Iterator[None]:
        """Raise afterwards if the gallery was brought to another network meanwhile: what was found means nothing then.

        Raises:
            ContractMismatchError: It was.
        """
        try:
            yield
        finally:
            self.gallery.template_store.check_contract(contract)
