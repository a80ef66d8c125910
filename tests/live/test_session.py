from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from knownface import FaceRecognizer
from knownface.live import FrameResult, LiveSession, SessionOptions
from knownface.media import read_image, read_video
from knownface.types import Frame, Image

WAITING = SessionOptions(wait_for_names=True, detect_every=1)


def push(session: LiveSession, frames: list[Image], start: float = 0.0) -> list[FrameResult]:
    return [session.frame(frame, start + n / 15) for n, frame in enumerate(frames)]


def labels(results: list[FrameResult]) -> list[list[str]]:
    return [[face.identity.label for face in result.faces] for result in results]


def test_a_face_is_boxed_in_every_frame_and_named_once_for_all(
    recognizer: FaceRecognizer, walking: list[Image]
) -> None:
    with LiveSession(recognizer, WAITING, source="door") as session:
        results = push(session, walking[:10])
        last = session.end_tracks()
    assert [len(result.faces) for result in results] == [1] * 10
    assert labels(results)[-1] == ["Eileen Collins"]
    xs = [result.faces[0].box.center[0] for result in results]
    assert xs == sorted(xs), "she walks to the right"
    [named] = [event for result in results for event in result.events]
    assert (named.kind, named.label, named.source) == ("named", "Eileen Collins", "door")
    assert named.at is not None, "pushed frames are live"
    [left] = last.events
    assert (left.kind, left.label) == ("left", "Eileen Collins")
    assert [track.identity.name for track in last.ended] == ["Eileen Collins"]


def test_names_two_looks_later_come_with_that_very_look(recognizer: FaceRecognizer, walking: list[Image]) -> None:
    options = SessionOptions(wait_for_names=True, names_two_looks_later=True)
    with LiveSession(recognizer, options) as session:
        named = []
        for number, image in enumerate(walking[:10]):
            frame = Frame(image, number / 15)
            result = session.advance(frame, session.detect(image) if number % 2 == 0 else None)
            named.append([face.identity.name for face in result.faces])
    # One picture is clear; it was taken in the first look, and counts from the third on, however soon it was embedded.
    assert named == [[None]] * 4 + [["Eileen Collins"]] * 6


def test_no_frame_waits_for_a_slow_embedder(recognizer: FaceRecognizer, walking: list[Image]) -> None:
    begun, go_on = threading.Event(), threading.Event()

    class Slow:
        def __init__(self) -> None:
            self.inner = recognizer.embedder
            self.contract = self.inner.contract

        def crop(self, *given):
            return self.inner.crop(*given)

        def embed(self, crops):
            begun.set()
            assert go_on.wait(60)
            return self.inner.embed(crops)

    recognizer.embedder = Slow()
    with LiveSession(recognizer, SessionOptions(detect_every=1)) as session:
        early = push(session, walking[:4])
        assert begun.wait(60)
        assert session.waiting == 1
        assert labels(early) == [[""]] * 4, "boxes come without names"
        go_on.set()
        while session.waiting and not session._worker._waiting[0][0].done():
            time.sleep(0.01)
        assert labels([session.frame(walking[4], 4 / 15)]) == [["Eileen Collins"]]


@pytest.mark.slow
def test_people_enrolled_and_removed_meanwhile(
    recognizer: FaceRecognizer, walking: list[Image], astronaut: Image
) -> None:
    recognizer.gallery.remove("Eileen Collins")
    with LiveSession(recognizer, WAITING) as session:
        assert labels(push(session, walking[:26]))[-1] == ["Unknown 1"]
        recognizer.add_known_face("E. M. Collins", astronaut)
        time.sleep(0.06)
        [named] = [e for r in push(session, walking[26:28], 26 / 15) for e in r.events]
        assert (named.kind, named.label) == ("named", "E. M. Collins")
        recognizer.gallery.remove("E. M. Collins")
        time.sleep(0.06)
        results = push(session, walking[28:30], 28 / 15)
        assert all(label != "E. M. Collins" for faces in labels(results) for label in faces)


def test_a_stricter_rule_takes_names_back_at_once(recognizer: FaceRecognizer, walking: list[Image]) -> None:
    with LiveSession(recognizer, WAITING) as session:
        assert labels(push(session, walking[:6]))[-1] == ["Eileen Collins"]
        recognizer.settings = recognizer.settings.model_copy(update={"threshold": 1e-6})
        time.sleep(0.1)  # it is looked for twenty times a second
        assert labels(push(session, walking[6:7], start=0.4)) == [["Unknown 1"]]


def test_a_track_ends_with_the_evidence_that_its_name_stands_on(
    recognizer: FaceRecognizer, walking: list[Image]
) -> None:
    with LiveSession(recognizer, WAITING) as session:
        push(session, walking[:5])
        [track] = session.end_tracks().ended
    assert track.evidence
    assert recognizer.classify_face(track.evidence[0].embedding).name == "Eileen Collins"


@pytest.mark.slow
def test_no_frame_waits_for_the_number_of_an_unknown(recognizer: FaceRecognizer, walking: list[Image]) -> None:
    recognizer.gallery.remove("Eileen Collins")
    go_on = threading.Event()

    def slow_number() -> int:
        assert go_on.wait(60)
        return 42

    with LiveSession(recognizer, SessionOptions(detect_every=1), new_number=slow_number) as session:
        for n, frame in enumerate(walking[:26]):
            assert labels([session.frame(frame, n / 15)]) == [[""]]
            while session.waiting and not session._worker._waiting[0][0].done():
                time.sleep(0.001)
        go_on.set()
        [left] = session.end_tracks().events
        assert left.label == "Unknown 42"


def test_the_faces_of_unknowns_can_be_kept_before_anybody_is_enrolled(alone: Path) -> None:
    with FaceRecognizer.open(embedder="dlib-resnet", detector="dlib-hog") as recognizer:
        assert recognizer.gallery.contract is None
        with LiveSession(recognizer, WAITING):
            assert recognizer.gallery.contract == recognizer.embedder.contract


@pytest.mark.slow
def test_all_tracks_are_reported_every_half_second(recognizer: FaceRecognizer, walking: list[Image]) -> None:
    with LiveSession(recognizer, WAITING) as session:
        results = push(session, walking[:20])
    reported = [n for n, result in enumerate(results) if result.present is not None]
    assert reported == [0, 8, 16]
    assert [track.identity.name for track in results[16].present] == ["Eileen Collins"]


@pytest.mark.slow
def test_two_sessions_on_one_recogniser(recognizer: FaceRecognizer, walking: list[Image]) -> None:
    told: dict[int, list[list[str]]] = {}

    def run(number: int) -> None:
        with LiveSession(recognizer, WAITING) as session:
            told[number] = labels(push(session, walking[: 6 + number]))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told[0][-1] == told[1][-1] == ["Eileen Collins"]


@pytest.mark.slow
def test_the_singer_is_named_in_his_close_shots_and_nobody_in_the_audience(face_data: Path, model_folder: Path) -> None:
    with FaceRecognizer.open(":memory:", embedder="mobilefacenet", models=model_folder) as recognizer:
        for folder in sorted((face_data / "hamilton" / "people").iterdir()):
            recognizer.add_known_face(folder.name, read_image(folder / "portrait.png"))
        with LiveSession(recognizer, SessionOptions(wait_for_names=True, detect_every=2)) as session:
            shown = []
            for number, frame in enumerate(read_video(face_data / "hamilton" / "clip.mp4")):
                result = session.advance(frame, session.detect(frame.image) if number % 2 == 0 else None)
                time = frame.time - 0.844  # the picture begins so much after the sound
                shown.append((time, {f.identity.name for f in result.faces} - {None}))
    assert all(names == {"lin manuel miranda"} for time, names in shown if 4.0 <= time <= 6.9)
    assert not any(names for time, names in shown if time >= 7.2)


def test_frames_of_odd_sizes(recognizer: FaceRecognizer) -> None:
    with LiveSession(recognizer, WAITING) as session:
        for number, shape in enumerate([(1, 1), (40, 3), (3, 500), (240, 320)]):
            assert session.frame(np.zeros((*shape, 3), np.uint8), float(number)).faces == ()
