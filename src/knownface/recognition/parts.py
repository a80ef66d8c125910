"""The parts of a recogniser, and the parameters that they are used with."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from knownface.accuracy import AccuracyInForce, accuracy_in_force
from knownface.detection import FaceDetector
from knownface.embedding import FaceEmbedder
from knownface.gallery import Gallery
from knownface.gallery.liveness import read_liveness_calibration
from knownface.liveness import NOT_CHECKED, LivenessCheck, LivenessRule, rule_of
from knownface.media import read_image
from knownface.models.session import usable_processors
from knownface.parameters import RuleInForce, notes_on, rule_in_force
from knownface.pipeline import check_parts_fit
from knownface.recognition.sources import ImageSource
from knownface.review import PersonReview
from knownface.settings import Settings, load_settings
from knownface.types import DecisionRule, Image


class RecognizerParts:
    """Gallery, detector, embedder and liveness check that fit each other."""

    def __init__(
        self,
        gallery: Gallery,
        detector: FaceDetector,
        embedder: FaceEmbedder,
        settings: Settings | None = None,
        notes: Sequence[str] = (),
        liveness: LivenessCheck | None = None,
    ) -> None:
        self.settings = settings or load_settings()
        self.gallery = gallery
        self.detector = detector
        self.embedder = embedder
        self.liveness = liveness
        check_parts_fit(detector, embedder)
        gallery.template_store.check_contract(embedder.contract)
        self._notes = tuple(notes)
        self._parameters: tuple[Any, Any, Any, RuleInForce] | None = None
        self._accuracy: tuple[RuleInForce, AccuracyInForce] | None = None
        self._liveness_rule: tuple[Any, LivenessRule] | None = None
        self._following = threading.Lock()
        if self.parameters.source in {"embedder", "estimated"}:
            gallery.index.measure()

    @property
    def parameters(self) -> RuleInForce:
        """The parameters that the gallery, as it is now, is searched with, and where they come from."""
        snapshot, settings, embedder = self.gallery.index.snapshot(), self.settings, self.embedder
        known = self._parameters
        if known is None or known[0] is not snapshot or known[1] is not settings or known[2] is not embedder:
            known = snapshot, settings, embedder, rule_in_force(snapshot, embedder.contract, settings)
            self._parameters = known
        return known[3]

    @property
    def accuracy(self) -> AccuracyInForce:
        """How often a stranger would get a name from the gallery as it is now, and who says so."""
        parameters, known = self.parameters, self._accuracy
        if known is None or known[0] is not parameters:
            gallery = self.gallery
            about = gallery.index.snapshot(), gallery.calibration, self.embedder.contract, self.settings
            known = self._accuracy = parameters, accuracy_in_force(*about)
        return known[1]

    @property
    def liveness_rule(self) -> LivenessRule:
        """Who may get a name by how live they look, by the settings and the calibration of this moment."""
        if self.liveness is None:
            return NOT_CHECKED
        snapshot, known = self.gallery.index.snapshot(), self._liveness_rule
        if known is None or known[0] is not snapshot:
            stored = read_liveness_calibration(self.gallery.database, self.liveness.fingerprint)
            known = snapshot, rule_of(self.settings, self.liveness, stored.threshold if stored else None)
            self._liveness_rule = known
        return known[1]

    @property
    def rule(self) -> DecisionRule:
        """The parameters alone."""
        return self.parameters.rule

    @property
    def notes(self) -> tuple[str, ...]:
        """What was chosen and why, and what is to be known about the parameters; for people, one line each."""
        gallery = self.gallery
        about = notes_on(gallery.index.snapshot(), gallery.calibration, self.embedder.contract, self.settings)
        return (*self._notes, *about)

    @property
    def person_review(self) -> PersonReview:
        """How what a person is enrolled from is compared, by the settings."""
        return PersonReview.of(self.parameters, self.settings.review, self.embedder.contract.cohort)

    @property
    def threads(self) -> int:
        """Worker threads."""
        return self.settings.threads or usable_processors()

    def _read(self, source: ImageSource) -> Image:
        return read_image(source, self.settings.max_pixels)
