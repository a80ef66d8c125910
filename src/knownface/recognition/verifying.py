"""Whether two pictures, or a picture and a person, are one (verification: one against one)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from knownface.answers import Verification
from knownface.decision import means_of_people
from knownface.embedding import FaceEmbedder
from knownface.errors import GalleryEmptyError, KnownFaceError
from knownface.gallery import PersonKey
from knownface.gallery.consents import require
from knownface.pipeline import ExaminedFace, embed, examine
from knownface.recognition.network import NetworkOfGallery
from knownface.recognition.sources import ImageSource
from knownface.review import FacePolicy, select_faces


class Verifying(NetworkOfGallery):
    """Pictures in, yes or no out."""

    def verify(self, first: ImageSource, second: ImageSource, *, faces: FacePolicy = "dominant") -> Verification:
        """Whether two pictures show the same person.

        Where only living faces may get a name, the first picture's must be one; the second may be a passport's.

        Raises:
            InputError: A picture cannot be read.
            NoFaceError, SeveralFacesError: A picture does not show which face is meant.
        """
        embedder = self.follow()
        chosen = [self._one_face(source, faces, embedder) for source in (first, second)]
        a, b = embed(chosen, embedder)
        distance = float(np.linalg.norm(a - b))
        return self._verified(chosen[0], distance, self.rule.threshold)

    def verify_person(self, image: ImageSource, person: PersonKey, *, faces: FacePolicy = "dominant") -> Verification:
        """Whether a picture shows a person of the gallery: the question at a door.

        The person's nearest template decides, or the mean of their templates where it is nearer and counts; by the
        person's own threshold where there is one. A nearer counter-example of the person makes it no.

        Raises:
            UnknownPersonError: There is no such person.
            ConsentError: The gallery demands the person's consent, and there is none.
            GalleryEmptyError: The person has no template.
            InputError: The picture cannot be read.
            NoFaceError, SeveralFacesError: It does not show which face is meant.
        """
        return self._by_one_network(lambda embedder: self._verify_person(image, person, faces, embedder))

    def _verify_person(
        self, image: ImageSource, person: PersonKey, faces: FacePolicy, embedder: FaceEmbedder
    ) -> Verification:
        known = self.gallery.person(person)
        with self.gallery.database.reading() as connection:
            require(connection, [known.id], "photos")
        theirs = self.gallery.vectors(known.id)
        own = theirs.embeddings
        if not len(own):
            raise GalleryEmptyError(f"{known.name!r} has no template to compare with.", "Enrol a picture first.")
        face = self._one_face(image, faces, embedder)
        probe = embed([face], embedder)[0]
        if self.rule.scoring == "nearest+mean":
            own = np.concatenate([own, means_of_people(own, theirs.templates, theirs.people)[1]])
        with self._same_network(embedder.contract):
            nearest = float(np.linalg.norm(own - probe, axis=1).min())
            negative = self.gallery.vectors(known.id, negative=True).embeddings
            ruled_out = len(negative) > 0 and float(np.linalg.norm(negative - probe, axis=1).min()) < nearest
        threshold = self.rule.threshold if known.threshold is None else known.threshold
        return self._verified(face, nearest, threshold, ruled_out=ruled_out)

    def _verified(
        self, face: ExaminedFace, distance: float, threshold: float, *, ruled_out: bool = False
    ) -> Verification:
        barred = self.liveness_rule.bars(face.live)
        same = distance <= threshold and not ruled_out and not barred
        live = self.liveness_rule.of(face.live)
        accuracy = self.accuracy.of_claim(distance, threshold) if self.settings.show_accuracy else None
        return Verification(same, distance, threshold, ruled_out, live, barred, accuracy)

    def _one_face(self, source: ImageSource, policy: FacePolicy, embedder: FaceEmbedder) -> ExaminedFace:
        try:
            return select_faces(examine(self._read(source), self.detector, embedder, self.liveness), policy)[0]
        except KnownFaceError as error:
            if isinstance(source, (str, Path)) and str(source) not in error.message:
                error.message = f"{source}: {error.message}"
            raise
