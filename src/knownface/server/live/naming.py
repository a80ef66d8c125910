"""Naming a face that is, or was just, in front of a camera: its best pictures are enrolled, its sightings renamed."""

from __future__ import annotations

import hashlib

from knownface.errors import NotFoundError
from knownface.events.recording import jpeg
from knownface.events.unknowns import Named, name_unknown
from knownface.gallery import NewTemplate
from knownface.recognizer import FaceRecognizer
from knownface.server.live.streams import Stream
from knownface.tracking import Sample

MOST_TEMPLATES = 5
"""Pictures of a track that are enrolled: more of the same minute teach little."""


def name_track(recognizer: FaceRecognizer, stream: Stream, track_id: int, name: str) -> Named:
    """Names a track.

    Args:
        recognizer: For whose gallery the face is enrolled.
        stream: Where the track is.
        track_id: Which one.
        name: Of somebody in the gallery, or of a new person.

    Raises:
        NotFoundError: There is no such track, or it left too long ago.
        BadNameError, NameTakenError: The name cannot be this person's.
    """
    track = stream.recent.find(track_id)
    if track is None or not track.evidence:
        raise NotFoundError("This face is not here any more.", "Have the person look into the camera again.")
    gallery = recognizer.gallery
    gallery.bind(recognizer.follow().contract)
    templates = [_template(sample, stream.source) for sample in track.evidence[:MOST_TEMPLATES]]
    seen = track.pictures[:MOST_TEMPLATES]
    pictures = {t.source_sha256: jpeg(p) for t, p in zip(templates, seen, strict=False) if p is not None}
    unknown, keep_crops = track.identity.unknown, recognizer.settings.keeps_crops
    numbers, review = [] if unknown is None else [unknown], recognizer.person_review
    return name_unknown(gallery, numbers, name, review, faces=templates, pictures=pictures, keep_crops=keep_crops)


def _template(sample: Sample, source: str) -> NewTemplate:
    return NewTemplate(
        vector=sample.embedding,
        source=f"live: {source}",
        source_sha256=hashlib.sha256(sample.embedding.tobytes()).hexdigest(),
        quality=sample.quality.score,
        fingerprint=sample.fingerprint,
    )
