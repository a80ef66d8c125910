"""FaceRecognizer with dlib's weights, which every machine has, on real faces."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PilImage

from dlib_parts import dlib_recognizer
from knownface import FaceRecognizer, FunctionDetector, FunctionEmbedder, Gallery
from knownface.deciding import decide_embeddings
from knownface.errors import (
    BadNameError,
    ContractMismatchError,
    GalleryEmptyError,
    InputError,
    ModelError,
    NoFaceError,
    PartError,
    SettingsError,
    SeveralFacesError,
    UnknownModelError,
    UnreadableError,
)
from knownface.gallery import NewTemplate
from knownface.media import VideoWriter, read_image, write_image
from knownface.scorings import Scoring
from knownface.tables import table_of
from knownface.types import Embeddings, Image, Neighbours


@pytest.fixture
def recognizer(alone: Path) -> Iterator[FaceRecognizer]:
    with dlib_recognizer(":memory:") as opened:
        yield opened


@pytest.fixture
def knows_eileen(recognizer: FaceRecognizer, astronaut: Image) -> FaceRecognizer:
    assert recognizer.add_known_face("Eileen Collins", astronaut) == 1
    return recognizer


def test_auto_falls_back_to_what_packages_bring_and_says_so(alone: Path) -> None:
    with FaceRecognizer.open(":memory:") as opened:
        assert opened.embedder.contract.name == "dlib-resnet-mirror"
        assert opened.detector.name == "dlib-hog"
        assert "dlib-resnet-mirror" in opened.notes[0]
        assert "dlib-hog" in opened.notes[1]


def test_a_known_face_is_named_in_an_altered_picture(knows_eileen: FaceRecognizer, astronaut: Image) -> None:
    dark = (astronaut[:, ::-1] * 0.4).astype(np.uint8)
    [found] = knows_eileen.identify(dark)
    assert found.name == "Eileen Collins"
    assert 0 < found.distance < knows_eileen.rule.threshold
    assert found.decision.reason == "named"


def test_strangers_are_unknown(knows_eileen: FaceRecognizer, strangers: list[Image]) -> None:
    found = [face for stranger in strangers[:12] for face in knows_eileen.identify(stranger)]
    assert len(found) >= 10
    assert [face.name for face in found] == [None] * len(found)
    assert {face.decision.reason for face in found} == {"too far"}


@pytest.mark.slow
def test_an_image_may_be_path_bytes_pil_or_array(
    knows_eileen: FaceRecognizer, astronaut: Image, tmp_path: Path
) -> None:
    path = write_image(tmp_path / "a.png", astronaut) or tmp_path / "a.png"
    buffer = io.BytesIO()
    PilImage.fromarray(astronaut).save(buffer, "PNG")
    distances = {
        round(knows_eileen.identify(source)[0].distance, 5)
        for source in (path, str(path), buffer.getvalue(), PilImage.fromarray(astronaut), astronaut)
    }
    assert distances == {0.0}


def test_the_same_picture_twice_adds_nothing(knows_eileen: FaceRecognizer, astronaut: Image) -> None:
    assert knows_eileen.add_known_face("Eileen Collins", astronaut) == 0
    assert knows_eileen.gallery.person("Eileen Collins").templates == 1


def test_one_person_is_given_to_one_face_of_a_picture(knows_eileen: FaceRecognizer, astronaut: Image) -> None:
    twice = np.hstack([astronaut, astronaut[:, ::-1]])
    named = [face.name for face in knows_eileen.identify(twice)]
    assert sorted(named, key=str) == ["Eileen Collins", None]
    assert [f.name for f in knows_eileen.identify(twice, allow_repeats=True)] == ["Eileen Collins"] * 2


@pytest.mark.slow
def test_a_counter_example_takes_the_name_away(knows_eileen: FaceRecognizer, astronaut: Image) -> None:
    mirrored = np.ascontiguousarray(astronaut[:, ::-1])
    assert knows_eileen.identify(mirrored)[0].name == "Eileen Collins"
    assert knows_eileen.add_known_face("Eileen Collins", mirrored, is_not=True) == 1
    [found] = knows_eileen.identify(mirrored)
    assert (found.name, found.decision.reason) == (None, "not this person")
    assert knows_eileen.identify(astronaut)[0].name == "Eileen Collins"


def test_a_person_may_have_a_threshold_of_their_own(knows_eileen: FaceRecognizer, astronaut: Image) -> None:
    mirrored = np.ascontiguousarray(astronaut[:, ::-1])
    knows_eileen.gallery.set_threshold("Eileen Collins", 0.001)
    assert knows_eileen.identify(mirrored)[0].name is None


def test_many_at_once_is_the_same_as_one_by_one(
    knows_eileen: FaceRecognizer, astronaut: Image, strangers: list[Image]
) -> None:
    pictures = [astronaut, *strangers[:5], np.zeros((50, 50, 3), np.uint8)]

    def load(index: int) -> Image:
        if index == 3:
            raise UnreadableError("the fourth cannot be read")
        return pictures[index]

    answers = list(knows_eileen.identify_many(range(len(pictures)), load, keep_images=True))
    assert [answer.item for answer in answers] == list(range(len(pictures)))
    assert answers[3].error is not None
    assert answers[3].faces == ()
    for index, answer in enumerate(answers):
        if index != 3:
            assert answer.image is pictures[index]
            alone = knows_eileen.identify(pictures[index])
            assert [f.name for f in answer.faces] == [f.name for f in alone]
            np.testing.assert_allclose([f.distance for f in answer.faces], [f.distance for f in alone], atol=1e-5)


def test_a_broken_detector_ends_a_run_and_is_no_fault_of_a_picture(alone: Path, astronaut: Image) -> None:
    embedder = FunctionEmbedder(lambda crops: crops.mean(axis=(1, 2)), dim=3, crop="square")
    broken = FunctionDetector(lambda image: [(0, 0, -1, 5, 0.9)], name="broken", gives_landmarks=False)
    with FaceRecognizer(Gallery.open(":memory:"), broken, embedder) as recognizer:
        with pytest.raises(PartError, match="The detector broken returned a box of -1x5"):
            list(recognizer.identify_many([1, 2], lambda item: astronaut))
        write_image(alone / "PEOPLE" / "Ada" / "a.png", astronaut)
        with pytest.raises(PartError, match="The detector broken"):
            recognizer.load_known_faces(alone / "PEOPLE")
        recognizer.detector = FunctionDetector(lambda image: [(100, 50, 200, 200, 0.9)], name="broken")
        assert recognizer.load_known_faces(alone / "PEOPLE").templates == 1  # nothing was remembered


def test_classify_face_decides_an_embedding(knows_eileen: FaceRecognizer) -> None:
    vector = knows_eileen.gallery.vectors().embeddings[0]
    decision = knows_eileen.classify_face(vector * 3)
    assert (decision.name, decision.stage, decision.votes) == ("Eileen Collins", 1, 1)
    assert knows_eileen.classify_face(-vector).name is None


def test_a_face_is_compared_with_each_persons_mean_too(recognizer: FaceRecognizer) -> None:
    recognizer.gallery.bind(recognizer.embedder.contract)
    axes = np.eye(recognizer.embedder.contract.dim, dtype=np.float32)
    threshold = recognizer.rule.threshold
    # Two photos, each a little too far from the face between them.
    turn = 2 * np.arcsin(1.1 * threshold / 2)
    photos = [np.cos(turn) * axes[0] + sign * np.sin(turn) * axes[1] for sign in (-1, 1)]
    for name, vectors in (("Ada", photos), ("Ben", [axes[2], axes[3]])):
        new = [NewTemplate(vector.astype(np.float32), f"{i}", f"{name}{i}") for i, vector in enumerate(vectors)]
        recognizer.gallery.add_templates(name, new)
    between, photo = axes[:1], photos[0][None].astype(np.float32)
    [found] = recognizer.decide(between)
    assert (found.name, found.votes) == ("Ada", 1)
    assert found.distance == pytest.approx(0, abs=1e-3)
    assert recognizer.decide(photo)[0].name == "Ada"
    assert [d.reason for d in recognizer.decide(np.concatenate([between, between]))] == ["named", "taken"]
    assert recognizer.decide(axes[5:6])[0].name is None
    plain = replace(recognizer.rule, scoring="nearest")
    assert decide_embeddings(recognizer.gallery, plain, between)[0].reason == "too far"


def test_who_is_enrolled_by_another_program_during_a_decision_is_named(
    alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "gallery.db"
    with dlib_recognizer(file) as recognizer, Gallery.open(file) as same:
        axes = np.eye(recognizer.embedder.contract.dim, dtype=np.float32)
        same.bind(recognizer.embedder.contract)
        same.add_templates("Ada", [NewTemplate(axes[0], "ada", "ada")])
        search = recognizer.gallery.index.search

        def late(embeddings: Embeddings, k: int, scoring: Scoring) -> Neighbours:
            if len(same.names) == 1:
                same.add_templates("Ben", [NewTemplate(axes[1], "ben", "ben")])
            return search(embeddings, k, scoring)

        monkeypatch.setattr(recognizer.gallery.index, "search", late)
        assert [decision.name for decision in recognizer.decide(axes[:2])] == ["Ada", "Ben"]


def test_means_hide_nobody_from_a_face_whose_person_is_taken(recognizer: FaceRecognizer) -> None:
    recognizer.gallery.bind(recognizer.embedder.contract)
    axes = np.eye(recognizer.embedder.contract.dim, dtype=np.float32)

    def turned(axis: int, share: float) -> np.ndarray:
        angle = 2 * np.arcsin(share * recognizer.rule.threshold / 2)
        return (np.cos(angle) * axes[0] + np.sin(angle) * axes[axis]).astype(np.float32)

    # Four photos and their mean are nearer to both faces than the only one of the other person.
    for name, vectors in (("Ada", [turned(i, 0.2) for i in range(1, 5)]), ("Ben", [turned(5, 0.9)])):
        new = [NewTemplate(vector, f"{i}", f"{name}{i}") for i, vector in enumerate(vectors)]
        recognizer.gallery.add_templates(name, new)
    faces = np.stack([axes[0], turned(5, 0.1)])
    assert sorted(str(d.name) for d in recognizer.decide(faces)) == ["Ada", "Ben"]


def test_an_aligned_network_refuses_a_detector_without_landmarks(alone: Path, model_folder: Path) -> None:
    with pytest.raises(ModelError, match="five landmarks"):
        FaceRecognizer.open(":memory:", embedder="mobilefacenet", detector="dlib-hog", models=model_folder)


@pytest.mark.slow
def test_top_tells_people_beyond_the_k2_nearest_templates(
    knows_eileen: FaceRecognizer, astronaut: Image, strangers: list[Image]
) -> None:
    for count in range(4):
        darker = (astronaut * (0.9 - 0.1 * count)).astype(np.uint8)
        knows_eileen.add_known_face("Eileen Collins", darker)
        knows_eileen.add_known_face(f"stranger {count}", strangers[count])
    vector = knows_eileen.gallery.vectors().embeddings[:1]
    assert len(knows_eileen.decide(vector)[0].candidates) == 1
    [decision] = knows_eileen.decide(vector, top=4)
    assert len({c.person_id for c in decision.candidates}) == len(decision.candidates) == 4
    assert [c.votes > 0 for c in decision.candidates] == [True, False, False, False]
    assert [c.distance for c in decision.candidates] == sorted(c.distance for c in decision.candidates)
    assert len(knows_eileen.decide(vector, top=50)[0].candidates) == 5


@pytest.mark.parametrize("bad", ["abc", np.zeros(128), np.ones(5), np.full(128, np.nan)])
def test_what_is_no_embedding_is_refused(recognizer: FaceRecognizer, bad: np.ndarray) -> None:
    with pytest.raises(InputError, match="128 finite numbers"):
        recognizer.classify_face(bad)


def test_an_empty_gallery_knows_nobody(recognizer: FaceRecognizer, astronaut: Image) -> None:
    [found] = recognizer.identify(astronaut)
    assert (found.name, found.decision.reason) == (None, "empty gallery")


@pytest.mark.slow
def test_verify(recognizer: FaceRecognizer, astronaut: Image, strangers: list[Image], tmp_path: Path) -> None:
    same = recognizer.verify(astronaut, np.ascontiguousarray(astronaut[:, ::-1]))
    assert same.same
    assert "within the threshold" in same.reason
    other = recognizer.verify(astronaut, strangers[0])
    assert not other.same
    assert other.distance > other.threshold
    blank = tmp_path / "blank.png"
    write_image(blank, np.zeros((80, 80, 3), np.uint8))
    with pytest.raises(NoFaceError, match=r"blank\.png"):
        recognizer.verify(astronaut, blank)
    with pytest.raises(SeveralFacesError):
        recognizer.verify(astronaut, np.hstack([astronaut, astronaut]))


@pytest.mark.parametrize("name", ["", "  ", "Unknown", "unKNOWN", "a\x00b", "x" * 201])
def test_a_name_that_cannot_be_is_refused(recognizer: FaceRecognizer, astronaut: Image, name: str) -> None:
    with pytest.raises(BadNameError):
        recognizer.add_known_face(name, astronaut)
    assert recognizer.gallery.people() == []


def test_load_known_faces_reviews_every_file(alone: Path, people: Path, recognizer: FaceRecognizer) -> None:
    (people / "Ben" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    report = recognizer.load_known_faces(people)
    assert report.count("enrolled") == 4
    assert report.count("refused") == 1
    assert {p.name: p.templates for p in recognizer.gallery.people()} == {"Eileen Collins": 2, "Zoë": 1, "Ben": 1}
    assert recognizer.load_known_faces(people).templates == 0


def test_a_gallery_keeps_to_the_embedder_that_filled_it(alone: Path, astronaut: Image, model_folder: Path) -> None:
    with FaceRecognizer.open("g.db", embedder="dlib-resnet") as opened:
        opened.add_known_face("Eileen Collins", astronaut)
        assert opened.build_index() == 1
    with pytest.raises(ContractMismatchError, match=r"dlib-resnet.*mobilefacenet|mobilefacenet.*dlib-resnet"):
        FaceRecognizer.open("g.db", embedder="mobilefacenet", models=model_folder)
    with FaceRecognizer.open("g.db", models=model_folder) as opened:
        assert opened.embedder.contract.name == "dlib-resnet"
        assert "filled" in opened.notes[0]
        assert opened.identify(astronaut)[0].name == "Eileen Collins"


def test_bad_settings_are_refused_before_anything_is_made(alone: Path) -> None:
    with pytest.raises(SettingsError):
        FaceRecognizer.open("g.db", threshold=5)
    with pytest.raises(UnknownModelError, match="mobilefacenet"):
        FaceRecognizer.open(":memory:", embedder="mobilfacenet")
    with pytest.raises(GalleryEmptyError):
        FaceRecognizer.open("missing.db", create=False)
    assert not (alone / "g.db").exists()
    assert not (alone / "missing.db").exists()


def test_many_pictures_a_folder_and_a_video_are_named_at_once(enrolled_toys: Path, tmp_path: Path) -> None:
    photos = [enrolled_toys / "Ben" / "one.png", enrolled_toys / "Zoë" / "one.png"]
    frames = [read_image(photos[0])] * 4
    video = tmp_path / "ben.mp4"
    with VideoWriter(video, 4.0, ffmpeg=None) as writer:
        for frame in frames:
            writer.write(frame)
    with FaceRecognizer.open() as recognizer:
        assert [[face.name for face in faces] for faces in recognizer.identify(photos)] == [["Ben"], ["Zoë"]]
        assert recognizer.identify([]) == []
        with pytest.raises(UnreadableError, match=r"none\.png"):
            recognizer.identify([photos[0], "none.png"])
        answers = list(recognizer.identify_folder(enrolled_toys))
        assert [(a.item.parent.name, a.faces[0].name) for a in answers if a.item.parent.name == "Ben"] == [
            ("Ben", "Ben")
        ]
        assert len(answers) == 4
        seen = list(recognizer.identify_video(video, every=0.5))
        assert [answer.item.time for answer in seen] == [0.0, 0.5]


def test_an_embedding_is_there_where_it_is_asked_for(enrolled_toys: Path) -> None:
    photo = enrolled_toys / "Ben" / "one.png"
    with FaceRecognizer.open() as recognizer:
        [face] = recognizer.identify(photo, with_embeddings=True)
        [[same]] = recognizer.identify([photo], with_embeddings=True)
        assert face.embedding is not None
        assert recognizer.classify_face(face.embedding).name == "Ben"
        np.testing.assert_allclose(face.embedding, same.embedding, atol=1e-6)
        assert recognizer.identify(photo)[0].embedding is None


def test_answers_become_dictionaries_and_tables(enrolled_toys: Path) -> None:
    with FaceRecognizer.open() as recognizer:
        [face] = recognizer.identify(enrolled_toys / "Ben" / "one.png", top=2)
        told = face.to_dict()
        assert set(told["box"]) == {"x", "y", "width", "height"}
        assert "Ben" in {candidate["name"] for candidate in told["candidates"]}
        assert repr(face).startswith("<Ben at distance 0.0")
        assert "3 people, 4 templates" in repr(recognizer)
        rows = [
            {"file": a.item.name, **f.to_dict()} for a in recognizer.identify_folder(enrolled_toys) for f in a.faces
        ]
    table = table_of(rows)
    assert table.columns[:5] == ["file", "box_x", "box_y", "box_width", "box_height"]
    assert len(table.rows) == 4
    pytest.importorskip("pandas", reason="pandas is not installed")
    assert sorted(table.to_pandas()["name"]) == ["Ben", "Eileen Collins", "Eileen Collins", "Zoë"]
