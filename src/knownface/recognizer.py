"""``FaceRecognizer``: detector, embedder, gallery and decision in one piece; what most programs import."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias, TypeVar, overload

import numpy as np
import numpy.typing as npt
from PIL import Image as PilImage

from knownface.answers import Answer, Identification, Item, PictureReview, Verification
from knownface.batches import DEFAULT_EVERY, BatchOptions, answer_in_batches, identified
from knownface.deciding import decide_embeddings, unit_vector
from knownface.decision import means_of_people
from knownface.decision.averaging import part_left
from knownface.detection import FaceDetector, choose_detector
from knownface.embedding import FaceEmbedder, choose_embedder
from knownface.enrolment import (
    EnrolmentOptions,
    EnrolmentReport,
    Migration,
    MigrationOptions,
    enrol_people,
    renew_kept_faces,
    scan_people,
)
from knownface.errors import (
    ContractMismatchError,
    DoubtfulError,
    GalleryEmptyError,
    KnownFaceError,
    OutputError,
    RejectedPictureError,
)
from knownface.events.recording import jpeg
from knownface.files import sha256_of
from knownface.gallery import Gallery, NewHeld, PersonKey
from knownface.gallery.consents import require
from knownface.gallery.liveness import read_liveness_calibration
from knownface.liveness import LivenessCheck, choose_liveness, rule_of
from knownface.media import expand_paths, kind_of, read_image, read_video
from knownface.models import ModelStore
from knownface.models.session import usable_processors
from knownface.parameters import RuleInForce, notes_on, rule_in_force
from knownface.picture_review import examined_picture, with_opinion
from knownface.pipeline import ExaminedFace, check_parts_fit, embed, examine
from knownface.review import (
    FacePolicy,
    Offer,
    PersonReview,
    ReviewRules,
    review_people,
    select_faces,
)
from knownface.settings import Settings, load_settings
from knownface.types import Decision, DecisionRule, EmbedderContract, Embeddings, Frame, Image, Purpose

Result = TypeVar("Result")

ImageSource: TypeAlias = str | Path | bytes | PilImage.Image | Image
"""A path, an encoded file's bytes, a PIL image, or an RGB ``uint8`` array of shape (height, width, 3). What OpenCV
reads is BGR: pass ``array[:, :, ::-1]``."""


class FaceRecognizer:
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
        stored = None if liveness is None else read_liveness_calibration(gallery.database, liveness.fingerprint)
        self.liveness_rule = rule_of(self.settings, liveness, stored.threshold if stored else None)
        check_parts_fit(detector, embedder)
        gallery.template_store.check_contract(embedder.contract)
        self._notes = tuple(notes)
        self._parameters: tuple[Any, Any, Any, RuleInForce] | None = None
        self._following = threading.Lock()
        if self.parameters.source in {"embedder", "estimated"}:
            gallery.index.measure()

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
            store = ModelStore(settings.models, settings.cache)
            embedder, why_embedder = choose_embedder(settings, store, opened.contract, on_download)
            detector, why_detector = choose_detector(settings, store)
            check, why_check = choose_liveness(settings, store) if settings.liveness != "off" else (None, "")
            notes = tuple(filter(None, (why_embedder, why_detector, why_check)))
            return cls(opened, detector, embedder, settings, notes, check)
        except BaseException:
            opened.close()
            raise

    def close(self) -> None:
        """Close the gallery."""
        self.gallery.close()

    def __repr__(self) -> str:
        return f"<FaceRecognizer with {self.detector.name}, {self.embedder.contract.name} and {self.gallery!r}>"

    def __enter__(self) -> FaceRecognizer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Parameters

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
    def rule(self) -> DecisionRule:
        """The parameters alone."""
        return self.parameters.rule

    @property
    def notes(self) -> tuple[str, ...]:
        """What was chosen and why, and what is to be known about the parameters; for people, one line each."""
        gallery = self.gallery
        about = notes_on(gallery.index.snapshot(), gallery.calibration, self.embedder.contract, self.settings)
        return (*self._notes, *about)

    # The network

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

    # Enrolment

    def load_known_faces(self, directory: str | Path, *, faces: FacePolicy = "dominant") -> EnrolmentReport:
        """Enrol a folder that holds one folder a person, with pictures or videos in it or in its ``train``.

        Returns:
            A review of every file; what was enrolled before is left as it is.

        Raises:
            UnreadableError: The folder is missing or holds nobody.
        """
        scan = scan_people(directory)
        options = self.enrolment_options(faces)
        reviews = enrol_people(scan.people, self.gallery, self.detector, self.follow(), options)
        return EnrolmentReport((*scan.refused, *reviews))

    def enrolment_options(self, faces: FacePolicy = "dominant") -> EnrolmentOptions:
        """How files are examined, by the settings."""
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
            image, faces=faces, source=_path_of(image), person=name, insist=insist or is_not, face=face
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
        sha256 = _sha256_of(image, pixels)
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

    def build_index(self) -> int:
        """Build the search index and save it beside the gallery; returns the number of templates in it.

        Never needed: the index keeps itself in step. It saves the next start the work.
        """
        return self.gallery.build_index()

    # Naming

    @overload
    def identify(
        self, image: ImageSource, *, allow_repeats: bool = ..., top: int = ..., with_embeddings: bool = ...
    ) -> list[Identification]: ...
    @overload
    def identify(
        self,
        image: list[Any] | tuple[Any, ...],
        *,
        allow_repeats: bool = ...,
        top: int = ...,
        with_embeddings: bool = ...,
    ) -> list[list[Identification]]: ...
    def identify(
        self, image: Any, *, allow_repeats: bool = False, top: int = 0, with_embeddings: bool = False
    ) -> list[Identification] | list[list[Identification]]:
        """Name the faces of one picture, largest first; or of each picture of a list or tuple.

        Args:
            image: The picture: a path, bytes, a Pillow image, or an array, which is RGB (OpenCV's BGR as
                ``array[:, :, ::-1]``); or a list of these, which is worked through on every processor.
            allow_repeats: Whether one person may be given to several faces, as on a poster.
            top: As for :meth:`decide`.
            with_embeddings: Whether each face holds its :attr:`~knownface.answers.Identification.embedding`.

        Raises:
            InputError: A picture cannot be read.
        """
        options: dict[str, Any] = {"allow_repeats": allow_repeats, "top": top, "with_embeddings": with_embeddings}
        if isinstance(image, (list, tuple)):
            return [list(answer.faces_or_error()) for answer in self.identify_many(image, self._read, **options)]
        pixels = self._read(image)

        def named(embedder: FaceEmbedder) -> list[Identification]:
            faces = examine(pixels, self.detector, embedder, self.liveness)
            decide = partial(self.decide, allow_repeats=allow_repeats, top=top, made_by=embedder.contract)
            vectors = embed(faces, embedder)
            return identified(faces, vectors, decide, self.liveness_rule, keep_embeddings=with_embeddings)

        return self._by_one_network(named)

    def identify_many(
        self,
        items: Iterable[Item],
        load: Callable[[Item], Image],
        *,
        allow_repeats: bool = False,
        top: int = 0,
        keep_images: bool = False,
        with_embeddings: bool = False,
    ) -> Iterator[Answer[Item]]:
        """Name the faces of many pictures, several at a time, in order.

        Args:
            items: Paths, frames or whatever ``load`` takes; read only as far ahead as needed.
            load: Gives the RGB image of an item; called on several threads.
            allow_repeats: As for :meth:`identify`.
            top: As for :meth:`decide`.
            keep_images: Whether answers hold their picture.
            with_embeddings: As for :meth:`identify`.

        Yields:
            One answer an item; a picture that cannot be used has its error in it.
        """
        embedder = self.follow()
        return answer_in_batches(
            items,
            load,
            self.detector,
            embedder,
            partial(self.decide, allow_repeats=allow_repeats, top=top, made_by=embedder.contract),
            BatchOptions(
                self.settings.batch_size,
                self.threads,
                keep_images,
                with_embeddings,
                self.liveness,
                self.liveness_rule,
            ),
        )

    def identify_folder(self, folder: str | Path, **options: Any) -> Iterator[Answer[Path]]:
        """Name the faces of every photo of a folder and of those below it, in natural order.

        Args:
            folder: Which; its videos are left out.
            **options: As for :meth:`identify_many`.

        Raises:
            UnreadableError: The folder is missing or may not be read.
        """
        photos = (path for path in expand_paths([folder]) if kind_of(path) == "image")
        return self.identify_many(photos, self._read, **options)

    def identify_video(
        self, video: str | Path, *, every: float | None = DEFAULT_EVERY, **options: Any
    ) -> Iterator[Answer[Frame]]:
        """Name the faces of a video frame by frame; a :class:`knownface.Watcher` follows them from frame to frame.

        Args:
            video: The file.
            every: Seconds between the frames that are examined; None examines all.
            **options: As for :meth:`identify_many`.

        Yields:
            One answer a frame; ``answer.item.time`` is its time in seconds.

        Raises:
            InputError: The video cannot be read.
        """
        return self.identify_many(read_video(video, every), lambda frame: frame.image, **options)

    def classify_face(self, embedding: Embeddings) -> Decision:
        """Decide one embedding, float32 of shape (dim,); it need not be of unit length."""
        return self.decide(unit_vector(embedding, self.embedder.contract.dim)[None])[0]

    def decide(
        self,
        embeddings: Embeddings,
        lengths: npt.ArrayLike | None = None,
        *,
        allow_repeats: bool = False,
        top: int = 0,
        made_by: EmbedderContract | None = None,
        purpose: Purpose = "photos",
    ) -> list[Decision]:
        """Decide the faces of one picture by their embeddings.

        A mean of several pictures lies nearer to everybody than one picture does: with ``lengths`` its distances are
        counted as those of a single picture (:mod:`knownface.decision.averaging`), so that the same threshold, margin
        and promise hold.

        Args:
            embeddings: Unit vectors, float32, shape (n, dim).
            lengths: Shape (n,): of each, how long the mean of its pictures' unit vectors was before it was scaled to 1;
                1 for a single picture. None where all are.
            allow_repeats: As for :meth:`identify`.
            top: How many candidates each decision lists at least, where the gallery has so many people; 0: those
                who are among the k2 nearest templates anyway.
            made_by: Contract of the embedder that made them; None is that of the recogniser's own.
            purpose: What the names are for, where the gallery demands consent.

        Raises:
            ContractMismatchError: The gallery is of another network.
        """
        options: dict[str, Any] = {"allow_repeats": allow_repeats, "top": top, "purpose": purpose}
        with self._same_network(made_by or self.embedder.contract):
            now = self.parameters
            left = None if lengths is None else part_left(lengths, now.averaging)
            return decide_embeddings(self.gallery, now.rule, embeddings, left=left, **options)

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

    # Inside

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
        return Verification(same, distance, threshold, ruled_out, self.liveness_rule.of(face.live), barred)

    @property
    def person_review(self) -> PersonReview:
        """How what a person is enrolled from is compared, by the settings."""
        return PersonReview.of(self.parameters, self.settings.review)

    @property
    def threads(self) -> int:
        """Worker threads."""
        return self.settings.threads or usable_processors()

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

    def _read(self, source: ImageSource) -> Image:
        return read_image(source, self.settings.max_pixels)

    def _one_face(self, source: ImageSource, policy: FacePolicy, embedder: FaceEmbedder) -> ExaminedFace:
        try:
            return select_faces(examine(self._read(source), self.detector, embedder, self.liveness), policy)[0]
        except KnownFaceError as error:
            if isinstance(source, (str, Path)) and str(source) not in error.message:
                error.message = f"{source}: {error.message}"
            raise


def _path_of(image: ImageSource) -> str:
    return str(Path(image).absolute()) if isinstance(image, (str, Path)) else ""


def _sha256_of(image: ImageSource, pixels: Image) -> str:
    """The SHA-256 by which a picture is known again: of the file, or of the pixels where there is none."""
    if isinstance(image, (str, Path)):
        return sha256_of(image)
    return hashlib.sha256(image if isinstance(image, bytes) else pixels.tobytes()).hexdigest()
