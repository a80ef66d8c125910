"""Another network for the templates that are there: from their files, videos and kept pictures."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import toy_plugin
from knownface import FaceRecognizer
from knownface.detection import FaceDetector, choose_detector
from knownface.embedding import FaceEmbedder, load_embedder
from knownface.enrolment import Migration, renew_kept_faces
from knownface.errors import ContractMismatchError, ModelError
from knownface.events import (
    RetentionPolicy,
    SampleCandidate,
    SampleRule,
    SeenTrack,
    SightingLog,
    accept_offers,
    group_unknowns,
    list_offers,
    name_unknown,
    offer_sample,
)
from knownface.events.recording import jpeg
from knownface.gallery import Gallery, NewHeld
from knownface.live import LiveSession, SessionOptions
from knownface.media import read_image
from knownface.models import ModelStore
from knownface.pipeline import embed_crops, examine, kept_picture
from knownface.settings import load_settings
from knownface.types import Image

Run = Callable[..., Any]


@contextmanager
def opened(embedder: str, **settings: Any) -> Iterator[tuple[Gallery, FaceDetector, FaceEmbedder]]:
    read = load_settings(**settings)
    store = ModelStore(read.models, read.cache)
    with Gallery.open(read.gallery) as gallery:
        yield gallery, choose_detector(read, store)[0], load_embedder(embedder, store)


def migrate(embedder: str, *, leave_out: bool = False, **settings: Any) -> Migration:
    with opened(embedder, **settings) as (gallery, detector, network):
        migration = Migration(gallery, detector, network, leave_out=leave_out)
        for _ in migration:
            pass
        return migration


def vectors(gallery: str | Path) -> dict[tuple[str, float | None], Any]:
    with Gallery.open(gallery) as there:
        held = there.vectors()
        sources = {t.id: (t.source_sha256, t.frame_time) for p in there.people() for t in there.templates(p.id)}
        return {sources[i]: v for i, v in zip(held.templates.tolist(), held.embeddings, strict=True)}


def test_the_vectors_are_those_that_enrolling_anew_would_give(enrolled_toys: Path, tmp_path: Path) -> None:
    gallery = os.environ["KNOWNFACE_GALLERY"]
    assert migrate("toy-coarse").change is not None
    with FaceRecognizer.open(tmp_path / "anew.db", embedder="toy-coarse") as anew:
        anew.load_known_faces(enrolled_toys)
    now, then = vectors(gallery), vectors(tmp_path / "anew.db")
    assert now.keys() == then.keys()
    for key, vector in then.items():
        np.testing.assert_array_equal(now[key], vector)


def test_a_program_that_has_the_gallery_open_follows(enrolled_toys: Path) -> None:
    picture = enrolled_toys / "Zoë" / "one.png"
    with FaceRecognizer.open() as running:
        assert running.identify(picture)[0].name == "Zoë"
        before = running.review_picture(picture)
        old = running.embedder.contract
        migrate("toy-coarse")
        with pytest.raises(ContractMismatchError, match="filled by toy-coarse"):
            running.decide(before.embeddings, made_by=old)
        assert running.identify(picture)[0].name == "Zoë"
        assert running.embedder.contract.name == "toy-coarse"
        assert any("toy-coarse from now on" in note for note in running.notes)
        with pytest.raises(ContractMismatchError, match="brought over to toy-coarse"):
            running.enrol_reviewed("Eve", before)
        assert running.add_known_face("Eve", toy_plugin.picture(9, 9)) == 1
        assert running.verify_person(picture, "Zoë").same


def test_python_changes_the_network_and_goes_on(enrolled_toys: Path) -> None:
    told: list[tuple[int, int]] = []
    with FaceRecognizer.open() as recognizer, LiveSession(recognizer, SessionOptions(detect_every=1)) as camera:
        frame = recognizer.review_picture(enrolled_toys / "Zoë" / "one.png").image
        times = (number / 10 for number in count())
        named = next(face for time in times for face in camera.frame(frame, time).faces if face.identity.label == "Zoë")
        (enrolled_toys / "Ben" / "one.png").unlink()
        stopped = recognizer.migrate("toy-coarse")
        assert stopped.change is None
        assert [lost.face.person for lost in stopped.lost.values()] == ["Ben"]
        assert recognizer.embedder.contract.name == "toy"
        done = recognizer.migrate("toy-coarse", leave_out=True, on_progress=lambda *now: told.append(now))
        assert done.change is not None
        assert told[-1] == (4, 4)
        time.sleep(0.1)
        results = [camera.frame(frame, time) for time in islice(times, 30)]
        assert {face.identity.label for result in results for face in result.faces} == {"Zoë"}
        assert {face.track_id for result in results for face in result.faces} == {named.track_id}
        [summary] = camera.end_tracks().ended
        assert summary.fingerprint == recognizer.embedder.contract.fingerprint


def test_what_is_lost_stops_the_change_unless_it_may_be_left_out(enrolled_toys: Path, knownface: Run) -> None:
    (enrolled_toys / "Zoë" / "one.png").unlink()
    shutil.copy(enrolled_toys / "Ben" / "one.png", enrolled_toys / "Eileen Collins" / "mirror.png")
    stopped = knownface("gallery", "migrate", "--embedder", "toy-coarse", "--report", "lost.csv")
    assert stopped.status == 1
    assert "Nothing was changed: 2 of 4" in stopped.out
    assert "The file is not there any more. No picture of the face was kept." in stopped.out
    assert Path("lost.csv").read_text(encoding="utf-8").count("another content") == 1
    assert "toy, 64 numbers" in knownface("gallery", "info").out
    done = knownface("gallery", "migrate", "--embedder", "toy-coarse", "--leave-out")
    assert "Templates of toy-coarse now: 2." in done.out
    assert "2 of 4 templates have a vector of toy-coarse already" in done.err
    assert "Your settings name the embedder toy" in done.err
    assert "Zoë" in knownface("people", "show", "Zoë").out
    assert "Set aside" in knownface("people", "show", "Zoë").out
    back = knownface("gallery", "migrate", "--embedder", "toy")
    assert "Templates of toy now: 4, 2 of them had been set aside." in back.out
    assert "2 vectors of other networks forgotten." in knownface("gallery", "migrate", "--discard").out


def test_a_picture_that_came_from_no_file_is_brought_over_by_what_was_kept_of_the_face(toy_engine: None) -> None:
    with FaceRecognizer.open() as recognizer:
        recognizer.add_known_face("Ann", toy_plugin.picture(0, 0))
    with FaceRecognizer.open(keep_crops=False) as recognizer:
        recognizer.add_known_face("Bob", toy_plugin.picture(1, 0))
    migration = migrate("toy-coarse", leave_out=True)
    [lost] = migration.lost.values()
    assert (lost.face.person, lost.reason) == (
        "Bob",
        "The picture came from no file. No picture of the face was kept.",
    )
    with FaceRecognizer.open(embedder="auto") as recognizer:
        assert recognizer.identify(toy_plugin.picture(0, 1))[0].name == "Ann"


def test_a_kept_face_gives_every_network_nearly_the_same(face_data: Path, model_folder: Path, alone: Path) -> None:
    read = load_settings(models=model_folder)
    store = ModelStore(read.models, read.cache)
    detector = choose_detector(read, store)[0]
    photos = [sorted(person.glob("*.jpg"))[0] for person in sorted((face_data / "lfw62").iterdir())[:4]]
    for name in ("sface-int8bq", "mobilefacenet", "dlib-resnet"):
        network = load_embedder(name, store)
        for photo in photos:
            for image in (read_image(photo), np.rot90(read_image(photo)).copy()):
                found = examine(image, detector, network)[0]
                kept = kept_picture(image, found)
                assert kept is not None
                cut, face = kept.read()
                assert face is not None
                one, other = embed_crops([found.crop, network.crop(cut, face)], network)
                assert np.linalg.norm(one - other) < 0.15


def test_a_network_that_needs_landmarks_is_refused_with_a_detector_without(
    enrolled_toys: Path, model_folder: Path
) -> None:
    with (
        opened("sface-int8bq", detector="dlib-hog", models=model_folder) as (gallery, detector, network),
        pytest.raises(ModelError, match="landmarks"),
    ):
        Migration(gallery, detector, network)


def test_what_waits_beside_the_templates_is_brought_over_too(enrolled_toys: Path) -> None:
    now = datetime.now(UTC)
    with FaceRecognizer.open() as recognizer:
        gallery = recognizer.gallery
        one, other = (str(recognizer.identify(toy_plugin.picture(n, 0))[0].name) for n in (2, 1))
        log = SightingLog(gallery, RetentionPolicy(pictures=True, unknown_faces=True))

        def seen(person: int, shot: int) -> tuple[Image, Any]:
            picture = toy_plugin.picture(person, shot)
            return picture, recognizer.review_picture(picture)

        picture, review = seen(2, 1)
        candidate = SampleCandidate(gallery.person(one).id, "door", now, review.embeddings[0], picture, 0.9, 6, 0)
        assert offer_sample(gallery, candidate, 2.0, rule=SampleRule(new=0)) == "offered"
        picture, review = seen(1, 5)
        [template] = review.templates()
        gallery.enrol([], held=[(other, NewHeld(template, "odd-picture", "Odd.", jpeg(picture)))])
        for number in range(2):
            picture, review = seen(8, number)
            at, unknown = now + timedelta(minutes=number), log.new_unknown_number()
            vector = review.embeddings[0]
            log.record([SeenTrack(f"{number}", "door", None, unknown, at, at, embedding=vector, picture=picture)])
        [before] = list_offers(gallery.database)

        assert recognizer.migrate("toy-coarse").change is not None
        [after] = list_offers(gallery.database)
        assert after.distance != before.distance
        assert accept_offers(gallery, [after.id], recognizer.person_review).added == 1
        assert gallery.held_store.accept([held.id for held in gallery.held_store.list()]) == 1
        [group] = group_unknowns(gallery, recognizer.rule.threshold)
        assert len(group.numbers) == 2
        [held_vector] = gallery.vectors(other).embeddings[-1:]
        again = recognizer.review_picture(toy_plugin.picture(1, 5))
        assert np.linalg.norm(held_vector - again.embeddings[0]) < 0.1
        assert renew_kept_faces(gallery, recognizer.detector, recognizer.embedder, 10**8) == 0
        name_unknown(gallery, group.numbers, "Fay", recognizer.person_review)
        (enrolled_toys / "Ben" / "one.png").unlink()
        back = recognizer.migrate("toy", leave_out=True)  # what came from no file has its picture with it
        assert [lost.face.source for lost in back.lost.values()] == []
        recognizer.gallery.migration.discard()
        assert {lost.face.person for lost in recognizer.migrate("toy-coarse").lost.values()} == {"Ben"}


def _waiting(gallery: Path) -> int:
    """Vectors that a stopped run has left, read beside it."""
    with closing(sqlite3.connect(f"file:{gallery}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT count(*) FROM template_vectors").fetchone()[0])


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_killed_twice_it_goes_on_where_it_was(toy_engine: None, alone: Path, knownface: Run) -> None:
    gallery = Path(os.environ["KNOWNFACE_GALLERY"])
    with FaceRecognizer.open() as recognizer:
        recognizer.load_known_faces(toy_plugin.people(alone / "people", 60, 4))
    words = ["gallery", "migrate", "--embedder", "toy-coarse", "--batch-size", "1", "--threads", "1"]
    left = 0
    for _ in range(2):
        program = subprocess.Popen([sys.executable, "-m", "knownface", *words], stderr=subprocess.DEVNULL)
        while _waiting(gallery) < left + 20 and program.poll() is None:
            time.sleep(0.001)
        program.kill()
        assert program.wait() == -signal.SIGKILL
        assert 20 <= _waiting(gallery) - left < 200
        left = _waiting(gallery)
        with FaceRecognizer.open() as old:  # the answers are the old ones
            assert old.identify(toy_plugin.picture(7, 1))[0].name == "p7"
    done = knownface(*words)
    assert f"{left} of 240 templates have a vector of toy-coarse already" in done.err
    assert "Templates of toy-coarse now: 240." in done.out
    with FaceRecognizer.open(embedder="auto") as new:
        assert new.identify(toy_plugin.picture(7, 1))[0].name == "p7"


@pytest.mark.slow
def test_real_faces_from_photos_and_a_video(face_data: Path, model_folder: Path, alone: Path, tmp_path: Path) -> None:
    """SFace after dlib, whose detector finds other boxes: nobody is lost, and the answers are SFace's."""
    folder, probes = alone / "people", []
    for person in sorted((face_data / "lfw62").iterdir())[:6]:
        photos = sorted(person.glob("*.jpg"))
        for photo in photos[:3]:
            (folder / person.name).mkdir(parents=True, exist_ok=True)
            shutil.copy(photo, folder / person.name)
        probes += [(person.name.replace("_", " "), photo) for photo in photos[3:5]]
    (folder / "Walker").mkdir()
    shutil.copy(face_data / "two_people" / "face-demographics-walking-and-pause.mp4", folder / "Walker")
    settings: dict[str, Any] = {"gallery": str(tmp_path / "g.db"), "models": model_folder}
    with FaceRecognizer.open(**settings, embedder="dlib-resnet", detector="dlib-hog") as recognizer:
        recognizer.load_known_faces(folder, faces="largest")
        count, of_video = len(recognizer.gallery), len(recognizer.gallery.templates("Walker"))
    migration = migrate("sface-int8bq", **settings)
    assert migration.lost == {}
    assert migration.change is not None
    assert migration.change.templates == count
    assert of_video >= 3
    with FaceRecognizer.open(**settings) as recognizer:
        assert recognizer.embedder.contract.name == "sface-int8bq"
        named = [max(recognizer.identify(photo), key=lambda f: f.box.area).name == name for name, photo in probes]
    assert sum(named) >= len(named) - 1


@pytest.mark.slow
def test_two_runs_at_once_do_no_harm(toy_engine: None, alone: Path) -> None:
    with FaceRecognizer.open() as recognizer:
        recognizer.load_known_faces(toy_plugin.people(alone / "people", 40, 3))
    words = ["gallery", "migrate", "--embedder", "toy-coarse", "--batch-size", "2", "--threads", "1"]
    command = [sys.executable, "-m", "knownface", *words]
    programs = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for program in programs:
        said, complaint = program.communicate(timeout=120)
        assert program.returncode == 0, complaint
        assert "Templates of toy-coarse now: 120." in said
    with FaceRecognizer.open(embedder="auto") as new, FaceRecognizer.open(":memory:", embedder="toy-coarse") as anew:
        anew.load_known_faces(alone / "people")
        assert len(new.gallery) == 120
        assert [other.templates for other in new.gallery.migration.others()] == [120]
        [one], [other] = (each.identify(toy_plugin.picture(7, 9)) for each in (new, anew))
        assert (one.name, one.distance) == (other.name, pytest.approx(other.distance, abs=1e-6))


@pytest.mark.slow
def test_a_full_disk_is_told_and_the_next_run_goes_on(toy_engine: None, alone: Path, knownface: Run) -> None:
    resource = pytest.importorskip("resource", reason="limits of POSIX")
    gallery = Path(os.environ["KNOWNFACE_GALLERY"])
    with FaceRecognizer.open() as recognizer:
        recognizer.load_known_faces(toy_plugin.people(alone / "people", 60, 4))
    words = ["gallery", "migrate", "--embedder", "toy-coarse", "--batch-size", "4", "--threads", "1"]

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    command = [sys.executable, "-m", "knownface", *words]
    full = subprocess.run(command, capture_output=True, text=True, preexec_fn=little_room, check=False)
    assert full.returncode == 11, full
    assert "Check that the disk has room" in full.stderr
    left = _waiting(gallery)
    assert 0 < left < 240
    with FaceRecognizer.open() as old:
        assert old.identify(toy_plugin.picture(7, 1))[0].name == "p7"
    done = knownface(*words)
    assert f"{left} of 240 templates have a vector of toy-coarse already" in done.err
    assert "Templates of toy-coarse now: 240." in done.out
