"""Enrolling people from pictures, with the review of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from knownface.answers import PictureReview
from knownface.errors import ContractMismatchError, DoubtfulError, RejectedPictureError
from knownface.gallery import NewHeld, PersonKey
from knownface.picture_review import examined_picture, with_opinion
from knownface.recognition.network import NetworkOfGallery
from knownface.recognition.sources import ImageSource, path_of, sha256_of_source
from knownface.review import FacePolicy, Offer, ReviewRules, review_people

if TYPE_CHECKING:
    from knownface.enrolment import EnrolmentOptions, EnrolmentReport


class Enrolling(NetworkOfGallery):
    """Pictures in, templates of people out."""

    def load_known_faces(self, directory: str | Path, *, faces: FacePolicy = "dominant") -> EnrolmentReport:
        """Enrol a folder that holds one folder a person, with pictures or videos in it or in its ``train``.

        Returns:
            A review of every file; what was enrolled before is left as it is.

        Raises:
            UnreadableError: The folder is missing or holds nobody.
        """
        from knownface.enrolment import EnrolmentReport, enrol_people, scan_people

        scan = scan_people(directory)
        options = self.enrolment_options(faces)
        reviews = enrol_people(scan.people, self.gallery, self.detector, self.follow(), options)
        return EnrolmentReport((*scan.refused, *reviews))

    def enrolment_options(self, faces: FacePolicy = "dominant") -> EnrolmentOptions:
        """How files are examined, by the settings."""
        from knownface.enrolment import EnrolmentOptions

        own = self.settings
        return EnrolmentOptions(ReviewRules(faces), own.batch_size, self.threads, own.max_pixels, self.person_review)

    def add_known_face(
        self,
        name: str,
        image: ImageSource,
        *,
        faces: FacePolicy = "dominant",
        is_not: bool = False,
        insist: bool = False,
        face: int | None = None,
    ) -> int:
        """Enrol one picture of a person, who is made if new.

        Args:
            name: Whose face it is.
            image: The picture.
            faces: Which of several faces is meant.
            is_not: The picture is a counter-example: somebody who is taken for this person and is not.
            insist: Enrol it also if it may show somebody else.
            face: Which face of a group photo, from 1, the largest first; decides instead of ``faces``.

        Returns:
            Templates added: 0 if this picture was enrolled before.

        Raises:
            InputError: The picture cannot be read.
            DoubtfulError: It may show somebody else; by the setting ``review`` it is held back until somebody decides.
            FaceError: It shows no face, several, or one too poor to enrol.
            BadNameError, NameTakenError: The name cannot be this person's.
        """
        found = self.review_picture(
            image, faces=faces, source=path_of(image), person=name, insist=insist or is_not, face=face
        )
        added = self.enrol_reviewed(name, found, is_not=is_not)
        if found.error is not None:
            raise found.error
        return added

    def review_picture(
        self,
        image: ImageSource,
        *,
        faces: FacePolicy = "dominant",
        source: str = "",
        person: PersonKey | None = None,
        insist: bool = False,
        face: int | None = None,
    ) -> PictureReview:
        """Review a picture that somebody is to be enrolled from, without enrolling.

        Args:
            image: The picture.
            faces: Which of several faces is meant.
            source: What the gallery is to call it; shown to users.
            person: Who is to be enrolled; None is somebody new.
            insist: Do not ask whether it is this person.
            face: Which face of a group photo, from 1, the largest first; decides instead of ``faces``.

        Raises:
            InputError: The picture cannot be read. What its faces lack is in the review's ``error``.
        """
        found = self.examine_picture(image, faces=faces, source=source, face=face)
        return self.compare_pictures(person, [found], insist=insist)[0]

    def examine_picture(
        self, image: ImageSource, *, faces: FacePolicy = "dominant", source: str = "", face: int | None = None
    ) -> PictureReview:
        """The review of a picture by itself: which face is meant, and is it good enough.

        Raises:
            InputError: The picture cannot be read. What its faces lack is in the review's ``error``.
        """
        pixels = self._read(image)
        sha256 = sha256_of_source(image, pixels)
        return examined_picture(pixels, source, sha256, self.detector, self.follow(), ReviewRules(faces), face)

    def compare_pictures(
        self, person: PersonKey | None, pictures: Sequence[PictureReview], *, insist: bool = False
    ) -> list[PictureReview]:
        """The review of pictures together: is it this person, and which of several faces is it.

        Args:
            person: Whom all of them are to show; None is somebody new.
            pictures: As :meth:`examine_picture` returned them.
            insist: Do not ask whether it is this person, only which of several faces.

        Raises:
            ContractMismatchError: The gallery was brought over to another network since they were examined.
        """
        usable = [picture for picture in pictures if len(picture.embeddings)]
        network = self.follow().contract
        if any(picture.fingerprint != network.fingerprint for picture in usable):
            raise ContractMismatchError(
                f"The gallery {self.gallery.location} was brought over to {network.name} meanwhile.",
                "Examine the pictures again.",
            )
        offers = [Offer(picture.label, picture.embeddings, not picture.unclear) for picture in usable]
        with self._same_network(network):
            opinions = iter(review_people(self.gallery, self.person_review, [(person, offers)])[0])
        asked = self.settings.review != "off" and not insist
        found = [with_opinion(p, next(opinions), asked=asked) if len(p.embeddings) else p for p in pictures]
        rejected = set() if insist or person is None else self.gallery.held_store.rejected(person)
        text = "Somebody looked at this picture before, and said that it does not show the person."
        return [replace(p, error=RejectedPictureError(text)) if p.sha256 in rejected else p for p in found]

    def enrol_reviewed(self, person: PersonKey, found: PictureReview, *, is_not: bool = False) -> int:
        """Enrol a person from the chosen faces of a review.

        A doubtful picture adds nothing; by the setting ``review`` it is held back until somebody decides.

        Args:
            person: Who; of a name, a person who is made if new.
            found: What :meth:`review_picture` said.
            is_not: The faces are counter-examples.

        Returns:
            Templates added: 0 if this picture was enrolled before, is refused or held back.

        Raises:
            BadNameError, NameTakenError: The name cannot be this person's.
            UnknownPersonError: There is nobody of this id.
        """
        from knownface.events.recording import jpeg

        self.gallery.bind(self.follow().contract)
        templates = found.templates(negative=is_not, keep_crops=self.settings.keeps_crops)
        if found.error is None:
            return self.gallery.add_templates(person, templates)
        if isinstance(found.error, DoubtfulError) and self.settings.review == "hold":
            held = [
                (person, NewHeld(template, found.error.code, found.error.message, jpeg(face.crop)))
                for template, face in zip(templates, found.chosen, strict=True)
            ]
            self.gallery.enrol([], held=held)
        return 0
