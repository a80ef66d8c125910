"""The whole way with real networks: detector, tracker, embedder, gallery."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from knownface.detection import HogDetector
from knownface.media import read_video
from knownface.recognizer import FaceRecognizer
from knownface.tracking import FaceTracker, Sample, TrackedFace
from knownface.types import Frame, Image


def followed(
    recognizer: FaceRecognizer, tracker: FaceTracker, frames: Iterator[Frame], every: int = 1
) -> Iterator[tuple[float, tuple[TrackedFace, ...]]]:
    for number, frame in enumerate(frames):
        time = frame.time or 0.0
        faces = recognizer.detector.detect(frame.image) if number % every == 0 else None
        wanted = tracker.observe(frame.image, time, faces)
        vectors = recognizer.embedder.embed([recognizer.embedder.crop(frame.image, w.face) for w in wanted])
        tracker.learn(Sample(w.track_id, w.time, v, w.quality) for w, v in zip(wanted, vectors, strict=True))
        yield time, tracker.visible()


@pytest.fixture
def hamilton(face_data: Path, model_folder: Path, alone: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = face_data / "hamilton"
    if not folder.is_dir():
        pytest.skip("the face data hold no video hamilton")
    monkeypatch.setenv("KNOWNFACE_MODELS", str(model_folder))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("every", [1, 3])
def test_the_singer_is_named_in_his_close_shot_and_nobody_in_the_audience(hamilton: Path, every: int) -> None:
    # The picture begins 0.84 s after the sound. Shots, from there on: a wide one to 0.63 s, the pianist in profile to
    # 2.70, the singer to 7.01, the audience to the end.
    with FaceRecognizer.open(":memory:", embedder="mobilefacenet", detector="yunet") as recognizer:
        recognizer.load_known_faces(hamilton / "people")
        tracker = FaceTracker(recognizer.decide, recognizer.rule.threshold)
        close, others = [], []
        for at, shown in followed(recognizer, tracker, read_video(hamilton / "clip.mp4"), every):
            time = at - 0.844
            large = [face.identity.label for face in shown if face.box.height > 90]
            if 3.5 <= time < 7.0:
                close.append(large)
            elif not 2.7 <= time < 7.1:
                others += [face.identity.label for face in shown]
        tracker.finish()
    assert all(labels == ["lin manuel miranda"] for labels in close)
    assert not any(label in ("lin manuel miranda", "alex lacamoire") for label in others if label)
    [singer] = [s for s in tracker.ended() if s.identity.state == "named"]
    assert singer.identity.changes == 0
    assert singer.last_time - singer.first_time > 4.0
    assert singer.best_distance is not None
    assert singer.best_distance < 0.95


@pytest.mark.slow
def test_a_face_that_moves_over_a_photo_keeps_its_name(
    alone: Path, astronaut: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    # dlib's detector and network come with packages, so this runs everywhere.
    with FaceRecognizer.open(":memory:", embedder="dlib-resnet", detector="dlib-hog") as recognizer:
        assert isinstance(recognizer.detector, HogDetector)
        recognizer.add_known_face("Eileen Collins", np.ascontiguousarray(astronaut[:, ::-1]))
        tracker = FaceTracker(recognizer.decide, recognizer.rule.threshold)
        portrait = astronaut[:300, 80:380]

        def frames() -> Iterator[Frame]:
            for i in range(10):
                scene = np.full((340, 480, 3), 90, np.uint8)
                scene[20:320, 10 + 12 * i : 310 + 12 * i] = portrait
                yield Frame(scene, i / 10)

        labels = [[face.identity.label for face in shown] for _, shown in followed(recognizer, tracker, frames(), 2)]
    assert all(len(shown) == 1 for shown in labels)
    assert labels[-1] == ["Eileen Collins"]
    assert {label for shown in labels[3:] for label in shown} == {"Eileen Collins"}
    tracker.finish()
    [summary] = tracker.ended()
    assert summary.picture is not None
