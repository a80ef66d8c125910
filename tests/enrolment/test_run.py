"""Enrolment: reviews, and that nothing is done twice or lost."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from knownface import FaceRecognizer
from knownface.enrolment import EnrolmentReport, FileReview
from knownface.media import write_image
from knownface.pipeline import map_in_order
from knownface.types import Image


@pytest.fixture
def recognizer(alone: Path) -> Iterator[FaceRecognizer]:
    with FaceRecognizer.open(embedder="dlib-resnet", detector="dlib-hog") as opened:
        yield opened


def by_name(report: EnrolmentReport) -> dict[str, FileReview]:
    return {review.path.name: review for review in report.reviews}


def test_reasons(recognizer: FaceRecognizer, people: Path, astronaut: Image, strangers: list[Image]) -> None:
    folder = people / "Eileen Collins"
    (folder / "empty.jpg").write_bytes(b"")
    whole = cv2.imencode(".jpg", astronaut[..., ::-1])[1].tobytes()
    (folder / "truncated.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "text.png").write_text("this is no picture")
    write_image(folder / "landscape.png", np.full((200, 300, 3), 90, np.uint8))
    write_image(folder / "two.png", np.hstack([strangers[0], strangers[1]]))
    write_image(folder / "blurred.png", cv2.GaussianBlur(astronaut, (0, 0), 3.5))
    write_image(folder / "pixel.png", astronaut[:1, :1])
    found = by_name(recognizer.load_known_faces(people))
    reasons = {name: review.reason for name, review in found.items() if review.status == "refused"}
    assert reasons == {
        "empty.jpg": "unreadable",
        "truncated.jpg": "unreadable",
        "text.png": "unsupported",
        "landscape.png": "no-face",
        "two.png": "several-faces",
        "blurred.png": "too-blurred",
        "pixel.png": "no-face",
    }
    assert all(review.text for review in found.values() if review.status == "refused")
    again = recognizer.load_known_faces(people)
    assert {n: r.reason for n, r in by_name(again).items() if r.status == "refused"} == reasons
    assert again.templates == 0
    assert again.count("known") == 4


@pytest.mark.parametrize(("policy", "count"), [("dominant", 0), ("largest", 1), ("only", 0), ("all-same-person", 2)])
def test_policies_for_several_faces(
    recognizer: FaceRecognizer, alone: Path, strangers: list[Image], policy: str, count: int
) -> None:
    write_image(alone / "p" / "Ada" / "two.png", np.hstack([strangers[0], strangers[1]]))
    report = recognizer.load_known_faces(alone / "p", faces=policy)  # type: ignore[arg-type]
    assert report.templates == count


@pytest.mark.slow
def test_a_dominant_face_is_taken_beside_a_small_one(
    recognizer: FaceRecognizer, alone: Path, astronaut: Image, strangers: list[Image]
) -> None:
    picture = cv2.resize(astronaut, (1024, 1024))
    picture[-90:, :90] = strangers[1]
    write_image(alone / "p" / "Eileen" / "both.png", picture)
    assert recognizer.load_known_faces(alone / "p").templates == 1
    assert recognizer.identify(astronaut)[0].name == "Eileen"


def test_other_rules_look_again_at_what_was_refused(
    recognizer: FaceRecognizer, alone: Path, strangers: list[Image]
) -> None:
    write_image(alone / "p" / "Ada" / "two.png", np.hstack([strangers[0], strangers[1]]))
    assert recognizer.load_known_faces(alone / "p").count("refused") == 1
    assert recognizer.load_known_faces(alone / "p", faces="largest").templates == 1


def test_one_more_person_costs_that_person_only(
    recognizer: FaceRecognizer, people: Path, strangers: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    recognizer.load_known_faces(people)
    write_image(people / "Cleo" / "one.png", strangers[2])
    seen: list[tuple[int, ...]] = []
    detect = recognizer.detector.detect
    monkeypatch.setattr(recognizer.detector, "detect", lambda image: (seen.append(image.shape), detect(image))[1])
    report = recognizer.load_known_faces(people)
    assert (report.templates, report.count("known")) == (1, 4)
    assert len(seen) == 1


def test_the_same_file_twice_for_one_person_and_under_two_people(recognizer: FaceRecognizer, people: Path) -> None:
    shutil.copy(people / "Ben" / "one.png", people / "Ben" / "copy.png")
    (people / "Benjamin").mkdir()
    shutil.copy(people / "Ben" / "one.png", people / "Benjamin" / "same.png")
    report = recognizer.load_known_faces(people)
    assert {p.name: p.templates for p in recognizer.gallery.people()}["Ben"] == 1
    assert sorted(r.status for r in report.reviews if r.person == "Ben") == ["enrolled", "known"]
    [held] = [review for review in report.reviews if review.status == "held"]
    assert (held.person, held.reason) == ("Benjamin", "looks-like-other")
    assert "'Ben', who is enrolled" in held.text
    [waiting] = recognizer.gallery.held_store.list()
    assert recognizer.gallery.held_store.accept([waiting.id]) == 1
    assert {p.name: p.templates for p in recognizer.gallery.people()}["Benjamin"] == 1
    assert recognizer.load_known_faces(people).count("known") == len(report.reviews)


def test_a_folder_that_differs_from_a_known_person_in_letter_case_is_refused(
    recognizer: FaceRecognizer, people: Path
) -> None:
    recognizer.load_known_faces(people)
    (people / "Ben").rename(people / "BEN")
    report = recognizer.load_known_faces(people)
    assert [r.reason for r in report.reviews if r.person == "BEN"] == ["name-taken"]
    assert "Ben" in [p.name for p in recognizer.gallery.people()]


def test_names_with_spaces_accents_and_signs(recognizer: FaceRecognizer, alone: Path, astronaut: Image) -> None:
    name = 'Ève O\'Brien, 3rd; "x" & 日本'
    write_image(alone / "p" / name / "a.png", astronaut)
    recognizer.load_known_faces(alone / "p")
    assert recognizer.identify(astronaut)[0].name == name


@pytest.mark.slow
def test_a_video_teaches_a_person(recognizer: FaceRecognizer, alone: Path, astronaut: Image) -> None:
    folder = alone / "p" / "Eileen"
    folder.mkdir(parents=True)
    writer = cv2.VideoWriter(str(folder / "clip.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 10, (512, 512))
    for i in range(30):
        writer.write(np.roll(astronaut[..., ::-1], i, axis=1))
    writer.release()
    report = recognizer.load_known_faces(alone / "p")
    assert report.templates == 6
    times = [template.frame_time for template in recognizer.gallery.templates("Eileen")]
    assert times == pytest.approx([0.0, 0.5, 1.0, 1.5, 2.0, 2.5])
    assert recognizer.load_known_faces(alone / "p").count("known") == 1


@pytest.mark.slow
def test_frames_of_a_video_that_show_somebody_else_are_left_out(
    recognizer: FaceRecognizer, alone: Path, astronaut: Image, strangers: list[Image]
) -> None:
    folder = alone / "p" / "Eileen"
    folder.mkdir(parents=True)
    other = np.full_like(astronaut, 127)
    other[200:290, 200:290] = strangers[1]
    writer = cv2.VideoWriter(str(folder / "clip.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 10, (512, 512))
    for i in range(40):
        writer.write((other if 20 <= i < 30 else astronaut)[..., ::-1])
    writer.release()
    [review] = recognizer.load_known_faces(alone / "p").reviews
    assert review.templates == 6
    assert "2 frames that show somebody else" in review.text


def test_a_video_without_a_face_is_refused_with_a_reason(recognizer: FaceRecognizer, alone: Path) -> None:
    folder = alone / "p" / "Nobody"
    folder.mkdir(parents=True)
    writer = cv2.VideoWriter(str(folder / "clip.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 10, (320, 240))
    for _ in range(20):
        writer.write(np.full((240, 320, 3), 90, np.uint8))
    writer.release()
    [review] = recognizer.load_known_faces(alone / "p").reviews
    assert (review.status, review.reason) == ("refused", "no-face")
    assert "None of 4 frames" in review.text


class TestMapInOrder:
    def test_order_is_kept_and_reading_ahead_is_bounded(self) -> None:
        begun: list[int] = []

        def items() -> Iterator[int]:
            for i in range(50):
                begun.append(i)
                yield i

        results = map_in_order(lambda i: i * i, items(), threads=3, ahead=5)
        for i in range(50):
            assert next(results) == i * i
            assert len(begun) <= i + 7

    def test_an_error_comes_at_its_items_turn(self) -> None:
        results = map_in_order(lambda i: 1 // i, [2, 1, 0, 1], threads=2, ahead=4)
        assert [next(results), next(results)] == [0, 1]
        with pytest.raises(ZeroDivisionError):
            next(results)
