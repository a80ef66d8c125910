"""Naming a face that is, or was just, in front of a camera: its best pictures are enrolled, its sightings renamed."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass

from knownface.errors import NotFoundError, UnknownSightingError
from knownface.events.recording import jpeg
from knownface.events.unknowns import name_unknown
from knownface.gallery import NewTemplate, Person
from knownface.recognizer import FaceRecognizer
from knownface.server.live.streams import Stream
from knownface.server.pictures import PictureStore
from knownface.tracking import Sample

MOST_TEMPLATES = 5
"""Pictures of a track that are enrolled: more of the same minute teach little."""


@dataclass(frozen=True, slots=True)
class NamedTrack:
    """What naming a track did.

    Attributes:
        person: Who it is now.
        enrolled: Templates that the person got.
        sightings: Sightings that were given to the person.
    """

    person: Person
    enrolled: int
    sightings: int


def name_track(
    recognizer: FaceRecognizer, pictures: PictureStore | None, stream: Stream, track_id: int, name: str
) -> NamedTrack:
    """Names a track.

    Args:
        recognizer: For whose gallery the face is enrolled.
        pictures: Keeps the best picture; None keeps none.
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
    gallery.bind(recognizer.embedder.contract)
    templates = [_template(sample, stream.source) for sample in track.evidence[:MOST_TEMPLATES]]
    enrolled = gallery.add_templates(name, templates)
    person = gallery.person(name)
    if track.picture is not None and pictures is not None:
        best = templates[0].source_sha256
        of_best = [t.id for t in gallery.templates(person.id) if t.source_sha256 == best]
        pictures.keep(dict.fromkeys(of_best, jpeg(track.picture)))
    renamed = 0
    if track.identity.unknown is not None:
        with contextlib.suppress(UnknownSightingError):  # what is not recorded need not be renamed
            renamed = name_unknown(gallery, [track.identity.unknown], person.name, enrol=False).sightings
    return NamedTrack(gallery.person(person.id), enrolled, renamed)


def _template(sample: Sample, source: str) -> NewTemplate:
    return NewTemplate(
        vector=sample.embedding,
        source=f"live: {source}",
        source_sha256=hashlib.sha256(sample.embedding.tobytes()).hexdigest(),
        quality=sample.quality.score,
    )
