"""The same review, in the same words, on every way into a gallery."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner
from fastapi import UploadFile
from PIL import Image as PilImage

import toy_plugin
from knownface import FaceRecognizer
from knownface.cli import cli
from knownface.errors import DoubtfulError, RejectedPictureError
from knownface.events import RetentionPolicy, SeenTrack, SightingLog, accept_offers, list_offers, name_unknown
from knownface.media import write_image
from knownface.pipeline import ExaminedFace, embed, examine
from knownface.server import uploads
from knownface.server.live.naming import name_track
from knownface.server.running import open_service
from knownface.storage.events_schema import offers
from knownface.tracking import Sample
from knownface.types import Image

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
Way = Callable[[FaceRecognizer, str, Image, Path], object]


@pytest.fixture
def recognizer(alone: Path, toy_engine: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaceRecognizer]:
    """Ada is enrolled with four pictures, and Bob with two."""
    monkeypatch.setenv("KNOWNFACE_KEEP_UNKNOWN_FACES", "true")
    with FaceRecognizer.open() as opened:
        for person, name, shots in ((0, "Ada", 4), (1, "Bob", 2)):
            for shot in range(shots):
                opened.add_known_face(name, toy_plugin.picture(person, shot))
        yield opened


def face_of(recognizer: FaceRecognizer, picture: Image) -> tuple[ExaminedFace, np.ndarray]:
    [face] = examine(picture, recognizer.detector, recognizer.embedder)
    return face, embed([face], recognizer.embedder)[0]


def by_folder(recognizer: FaceRecognizer, name: str, picture: Image, place: Path) -> None:
    write_image(place / "new" / name / "new.png", picture)
    recognizer.load_known_faces(place / "new")


def by_python(recognizer: FaceRecognizer, name: str, picture: Image, place: Path) -> None:
    try:
        recognizer.add_known_face(name, picture)
    except DoubtfulError:
        return


def by_name(recognizer: FaceRecognizer, name: str, picture: Image, place: Path) -> None:
    write_image(place / "new.png", picture)
    CliRunner().invoke(cli, ["enroll", "--as", name, str(place / "new.png")])


def by_service(recognizer: FaceRecognizer, name: str, picture: Image, place: Path) -> None:
    content = io.BytesIO()
    PilImage.fromarray(picture).save(content, "PNG")

    def upload() -> UploadFile:
        return UploadFile(io.BytesIO(content.getvalue()), filename="new.png")

    with open_service(recognizer) as (service, _):
        person = recognizer.gallery.add_person(name).id
        before, found = (
            uploads.compare(service, person, [uploads.examine_to_enrol(service, "dominant", upload())], insist=False)[0]
            for _ in range(2)
        )
        done = uploads.enrol(service, person, False, found)
        assert str(before.error) == str(done.error)  # the words before saving are those after it


def by_unknown(recognizer: FaceRecognizer, name: str, picture: Image, place: Path) -> None:
    _, embedding = face_of(recognizer, picture)
    _log(recognizer).record([SeenTrack("track", "door", None, 1, NOON, NOON, embedding=embedding, quality=0.5)])
    name_unknown(recognizer.gallery, [1], name, recognizer.person_review)


def _log(recognizer: FaceRecognizer) -> SightingLog:
    return SightingLog(recognizer.gallery, RetentionPolicy.from_settings(recognizer.settings))


def by_live(recognizer: FaceRecognizer, name: str, picture: Image, place: Path) -> None:
    face, embedding = face_of(recognizer, picture)
    track = SimpleNamespace(
        evidence=[Sample(1, 0.0, embedding, face.quality)], pictures=[picture], identity=SimpleNamespace(unknown=None)
    )
    stream = SimpleNamespace(recent=SimpleNamespace(find=lambda _: track), source="door")
    name_track(recognizer, stream, 1, name)  # type: ignore[arg-type]


def by_offer(recognizer: FaceRecognizer, name: str, picture: Image, place: Path) -> None:
    _, embedding = face_of(recognizer, picture)
    values = {
        "person_id": recognizer.gallery.add_person(name).id,
        "fingerprint": recognizer.embedder.contract.fingerprint,
        "source": "door",
        "seen_at": NOON,
        "distance": 0.5,
        "quality": 0.9,
        "state": "offered",
        "vector": embedding.astype("<f4").tobytes(),
        "picture": b"jpeg",
    }
    with recognizer.gallery.database.writing() as connection:
        connection.execute(offers.insert().values(values))
    [offer] = list_offers(recognizer.gallery.database)
    accept_offers(recognizer.gallery, [offer.id], recognizer.person_review)


WAYS: list[Way] = [by_folder, by_name, by_python, by_service, by_unknown, by_live, by_offer]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("name", "person", "reason", "words"),
    [
        ("Ada", 2, "odd-picture", "It does not look like the other pictures of 'Ada': the nearest of 4 enrolled is"),
        ("Ada", 1, "looks-like-other", "It looks like 'Bob', who is enrolled already (distance 0."),
        ("Cy", 1, "looks-like-other", "It looks like 'Bob', who is enrolled already (distance 0."),
    ],
)
def test_a_picture_of_somebody_else_is_held_back(
    recognizer: FaceRecognizer, alone: Path, way: Way, name: str, person: int, reason: str, words: str
) -> None:
    before = len(recognizer.gallery)
    way(recognizer, name, toy_plugin.picture(person, 9), alone)
    [held] = recognizer.gallery.held_store.list(name)
    assert (held.reason, held.detail[: len(words)]) == (reason, words)
    assert len(recognizer.gallery) == before
    assert recognizer.gallery.held_store.accept([held.id]) == 1
    assert len(recognizer.gallery) == before + 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("name", "person"), [("Ada", 0), ("Dee", 3)])
def test_a_picture_of_the_person_is_enrolled(
    recognizer: FaceRecognizer, alone: Path, way: Way, name: str, person: int
) -> None:
    before = len(recognizer.gallery)
    way(recognizer, name, toy_plugin.picture(person, 9), alone)
    assert recognizer.gallery.held_store.list() == []
    assert len(recognizer.gallery) == before + 1


def test_a_picture_that_was_rejected_is_answered_as_such_until_somebody_insists(
    recognizer: FaceRecognizer, alone: Path
) -> None:
    write_image(alone / "new.png", toy_plugin.picture(1, 9))
    with pytest.raises(DoubtfulError):
        recognizer.add_known_face("Ada", alone / "new.png")
    [held] = recognizer.gallery.held_store.list()
    recognizer.gallery.held_store.reject([held.id])
    with open_service(recognizer) as (service, _), (alone / "new.png").open("rb") as file:
        ada = recognizer.gallery.person("Ada").id
        examined = uploads.examine_to_enrol(service, "dominant", UploadFile(file, filename="new.png"))
        done = uploads.enrol(service, ada, False, uploads.compare(service, ada, [examined], insist=False)[0])
        assert (done.status, done.error and done.error.code) == ("refused", "rejected")
    with pytest.raises(RejectedPictureError):
        recognizer.add_known_face("Ada", alone / "new.png")
    assert recognizer.gallery.held_store.list() == []
    assert recognizer.add_known_face("Ada", alone / "new.png", insist=True) == 1


def test_what_is_too_poor_is_not_learnt_from_an_unknown(recognizer: FaceRecognizer) -> None:
    _, embedding = face_of(recognizer, toy_plugin.picture(0, 9))
    _log(recognizer).record([SeenTrack("track", "door", None, 1, NOON, NOON, embedding=embedding, quality=0.07)])
    named = name_unknown(recognizer.gallery, [1], "Ada", recognizer.person_review)
    assert (named.sightings, named.enrolled, named.held, named.refused) == (1, 0, 0, 1)
    assert [str(reason) for reason in named.reasons] == ["The picture is too poor (quality 0.07, 0.15 is needed)."]
