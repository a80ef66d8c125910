"""``Recorder``: what is seen, stored in the gallery's database."""

from __future__ import annotations

from collections.abc import Callable

from knownface.events import Alerts, RetentionPolicy, SightingLog
from knownface.live.sinks.sightings import SampleOffers, SightingRecorder
from knownface.live.values import LiveEvent, Sink
from knownface.recognizer import FaceRecognizer


class Recorder:
    """Stores what the streams of a recogniser show: sightings, alerts and offered samples.

    Args:
        recognizer: Who knows the people; its settings say what is kept.

    Attributes:
        sightings: The sightings of its gallery.
        new_unknown_number: Gives the number of another Unknown, unique in the gallery.
    """

    def __init__(self, recognizer: FaceRecognizer) -> None:
        self._recognizer = recognizer
        self.sightings = SightingLog(recognizer.gallery, RetentionPolicy.from_settings(recognizer.settings))
        self.new_unknown_number = self.sightings.new_unknown_number

    def sinks(self, source: str, on_alert: Callable[[LiveEvent], None]) -> list[Sink]:
        """The sinks that record one stream.

        Args:
            source: What sightings call the stream; without passwords.
            on_alert: Called with every alert as an event.
        """
        gallery, settings = self._recognizer.gallery, self._recognizer.settings
        alerts = Alerts(gallery.database, self._threshold)
        sinks: list[Sink] = [SightingRecorder(self.sightings, source, alerts, on_alert)]
        if settings.samples != "off":
            accept = settings.samples == "accept"
            sinks.append(SampleOffers(gallery, source, self._threshold, accept=accept, keep_crops=settings.keeps_crops))
        return sinks

    def _threshold(self) -> float:
        return self._recognizer.rule.threshold
