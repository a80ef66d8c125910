"""People who may be one: found once for what the gallery holds, since it compares everybody with everybody."""

from __future__ import annotations

import threading
from typing import Final

from knownface.recognizer import FaceRecognizer
from knownface.review.alike import AlikePair, AlikePeople, alike_pairs, who_they_are


class AlikeSearch:
    """The pairs, kept until templates or the threshold change; any thread may call.

    20,000 people of five templates take 3 seconds of one processor, in which one who asks waits for another.
    """

    def __init__(self, recognizer: FaceRecognizer) -> None:
        self._recognizer: Final = recognizer
        self._lock = threading.Lock()
        self._of: object = None
        self._pairs: list[AlikePair] = []

    def pairs(self) -> list[AlikePeople]:
        """Who may be one, the most alike first; without those of whom somebody said that they are two."""
        recognizer = self._recognizer
        gallery, rule = recognizer.gallery, recognizer.rule
        with self._lock:
            now = gallery.index.snapshot().revision, rule
            if now != self._of:
                self._pairs, self._of = alike_pairs(gallery, recognizer.embedder.contract, rule), now
            return who_they_are(gallery, self._pairs)
