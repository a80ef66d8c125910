"""Detectors on real faces: sizes from 20 pixels to a close-up, nothing where there is nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from wheels import make_wheel, use_index, wheel_key

from knownface.detection import FaceDetector, HogDetector, YuNetDetector, choose_detector
from knownface.detection import yunet as yunet_module
from knownface.detection.views import ViewPlan
from knownface.errors import ModelError, ModelUnavailableError, SettingsError, UnknownModelError
from knownface.files import sha256_of
from knownface.media import read_image
from knownface.models import ModelStore
from knownface.settings import load_settings
from knownface.types import Box, Image, box_iou

skimage_data = pytest.importorskip("skimage.data", reason="scikit-image, which ships a real face, is not installed")


@pytest.fixture(scope="session")
def astronaut() -> Image:
    image: Image = np.ascontiguousarray(skimage_data.astronaut()[20:260, 100:340])
    return image


@pytest.fixture(scope="session")
def yunet(model_folder: Path) -> YuNetDetector:
    return YuNetDetector(model_folder / "yunet_n_640_640.onnx")


def resized(image: Image, scale: float) -> Image:
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def test_hog_finds_the_astronaut(astronaut: Image) -> None:
    [face] = HogDetector().detect(astronaut)
    assert 80 < face.box.center[0] < 160
    assert 60 < face.box.center[1] < 140
    assert np.isnan(face.landmarks).all()


def test_hog_finds_a_face_that_fills_the_picture(astronaut: Image) -> None:
    assert len(HogDetector().detect(np.ascontiguousarray(astronaut[50:170, 65:185]))) == 1


@pytest.mark.parametrize("size", [20, 40, 112, 300, 900])
def test_yunet_finds_faces_of_every_size(yunet: YuNetDetector, astronaut: Image, size: int) -> None:
    whole = yunet.detect(astronaut)[0].box
    scale = size / max(whole.width, whole.height)
    found = yunet.detect(resized(astronaut, scale))
    assert found
    expected = max(face.box.width for face in found[:1]) / scale
    assert expected == pytest.approx(whole.width, rel=0.35)


def test_yunet_finds_a_close_up_that_fills_a_large_picture(yunet: YuNetDetector, astronaut: Image) -> None:
    box = yunet.detect(astronaut)[0].box
    x, y, w, h = (int(v) for v in (box.x, box.y, box.width, box.height))
    close = resized(astronaut[y : y + h, x : x + w], 1600 / h)
    [face] = yunet.detect(close)[:1]
    assert face.box.height > 0.7 * close.shape[0]


def test_small_and_large_faces_of_one_large_picture(yunet: YuNetDetector, astronaut: Image) -> None:
    box = yunet.detect(astronaut)[0].box
    large = resized(astronaut, 8)
    small = resized(astronaut, 32 / box.height)
    large[-small.shape[0] :, : small.shape[1]] = small
    faces = yunet.detect(large)
    expected = Box(box.x * 8, box.y * 8, box.width * 8, box.height * 8)
    assert any(box_iou(face.box, expected) > 0.6 for face in faces)
    corner = [f for f in faces if f.box.right < small.shape[1] and f.box.y > large.shape[0] - small.shape[0]]
    assert len(corner) == 1


def test_landmarks_are_left_to_right_as_the_viewer_sees_them(yunet: YuNetDetector, astronaut: Image) -> None:
    left_eye, right_eye, nose, left_mouth, right_mouth = yunet.detect(astronaut)[0].landmarks
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert left_eye[1] < nose[1] < left_mouth[1]


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 3000, 3), (40, 40, 3), (240, 320, 3)])
def test_nothing_is_found_where_there_is_nothing(yunet: YuNetDetector, shape: tuple[int, int, int]) -> None:
    grey = np.full(shape, 127, dtype=np.uint8)
    assert yunet.detect(grey) == []
    assert HogDetector().detect(grey) == []


@pytest.mark.parametrize("kind", ["yunet", "hog"])
@pytest.mark.slow
def test_one_detector_may_be_used_by_several_threads(
    request: pytest.FixtureRequest, astronaut: Image, kind: str
) -> None:
    detector: FaceDetector = request.getfixturevalue("yunet") if kind == "yunet" else HogDetector()
    pictures = [resized(astronaut, s) for s in (0.8, 1.0, 1.3, 0.9) * 3]
    alone = [[f.box for f in detector.detect(p)] for p in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda p: [f.box for f in detector.detect(p)], pictures))
    assert together == alone


@pytest.mark.parametrize("scale", [0.31, 1.0, 1.5])
@pytest.mark.parametrize(
    "file", ["yunet_n_dynamic.onnx", "yunet_n_640_640.onnx", "face_detection_yunet_2023mar_int8bq.onnx"]
)
def test_yunet_finds_the_same_as_opencv_does_with_the_same_file(
    model_folder: Path, face_data: Path, file: str, scale: float
) -> None:
    path = model_folder / file
    if not path.is_file():
        pytest.skip(f"{file} is not in the models folder")
    detector = YuNetDetector(path)
    for picture in sorted((face_data / "portraits_probe").glob("*.jpg")):
        image = read_image(picture)
        image = resized(image, scale * 640 / max(image.shape))  # one view
        opencv = cv2.FaceDetectorYN.create(str(path), "", image.shape[1::-1], 0.6, 0.3, 5000)
        expected = opencv.detect(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1]
        expected = np.empty((0, 15)) if expected is None else expected
        faces = sorted(detector.detect(image), key=lambda face: -face.score)
        for face, row in zip(faces, expected, strict=True):
            box = face.box
            assert [box.x, box.y, box.width, box.height] == pytest.approx(row[:4], abs=0.01)
            assert face.landmarks.ravel() == pytest.approx(row[4:14], abs=0.01)
            assert face.score == pytest.approx(row[14], abs=1e-4)


def test_opencv_runs_what_onnx_runtime_cannot(
    yunet: YuNetDetector, model_folder: Path, astronaut: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yunet_module, "free_size_session", lambda path, device: None)
    by_opencv = YuNetDetector(model_folder / "yunet_n_640_640.onnx")
    for scale in (0.5, 1.0, 5.0):
        picture = resized(astronaut, scale)
        [expected], [found] = yunet.detect(picture)[:1], by_opencv.detect(picture)[:1]
        assert found.landmarks == pytest.approx(expected.landmarks, abs=0.01)
        assert found.score == pytest.approx(expected.score, abs=1e-4)


def test_several_faces_are_found_at_once(yunet: YuNetDetector, face_data: Path) -> None:
    faces = yunet.detect(read_image(face_data / "portraits_probe" / "obama_and_biden.jpg"))
    assert len(faces) >= 2
    assert [f.box.area for f in faces] == sorted((f.box.area for f in faces), reverse=True)


def test_a_file_that_is_no_network_is_refused_by_name(tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a network")
    with pytest.raises(ModelError, match=r"broken\.onnx"):
        YuNetDetector(broken)


def test_a_detectors_fingerprint_is_that_of_its_file_and_parameters(model_folder: Path) -> None:
    files = [model_folder / name for name in ("yunet_n_640_640.onnx", "yunet_n_dynamic.onnx")]
    detectors = [*(YuNetDetector(file) for file in files), YuNetDetector(files[0], plan=ViewPlan(640)), HogDetector()]
    assert len({detector.fingerprint for detector in detectors}) == len(detectors)
    assert YuNetDetector(files[0]).fingerprint == detectors[0].fingerprint


class TestChoice:
    def test_auto_takes_yunet_from_the_models_folder(self, model_folder: Path, tmp_path: Path) -> None:
        settings = load_settings(detector="auto", models=model_folder, cache=tmp_path)
        detector, why = choose_detector(settings, ModelStore(model_folder, tmp_path))
        assert detector.name.startswith("yunet")
        assert str(model_folder) in why

    def test_auto_takes_hog_without_a_network(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KNOWNFACE_OFFLINE", "1")
        settings = load_settings(detector="auto", models=tmp_path, cache=tmp_path)
        detector, why = choose_detector(settings, ModelStore(tmp_path, tmp_path))
        assert detector.name == "dlib-hog"
        assert "YuNet is not on this machine" in why

    def test_auto_takes_a_yunet_of_the_python_index_where_no_address_answers(
        self, model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        use_index(tmp_path / "index", monkeypatch)
        for variable in ("https_proxy", "HTTPS_PROXY", "HF_ENDPOINT"):
            monkeypatch.setenv(variable, "http://127.0.0.1:9")
        network = model_folder / "yunet_n_640_640.onnx"
        wheel = make_wheel(tmp_path / "index", network.read_bytes())
        store = ModelStore(None, tmp_path / "cache")
        (store.folder / "mine").mkdir(parents=True)
        (store.folder / "mine" / "contract.toml").write_text(
            'task = "detector"\nkind = "yunet"\ntitle = "Mine"\nlicence = "none"\n[[files]]\n'
            f'names = ["mine.onnx"]\nsha256 = "{sha256_of(network)}"\n{wheel_key(wheel)}\n'
        )
        detector, why = choose_detector(load_settings(detector="auto"), store)
        assert (detector.name, why) == ("mine", "Detector mine, fetched.")

    def test_yunet_by_name_is_refused_where_it_cannot_be_had(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KNOWNFACE_OFFLINE", "1")
        with pytest.raises(ModelUnavailableError):
            choose_detector(load_settings(detector="yunet"), ModelStore(tmp_path, tmp_path))

    def test_an_embedder_is_no_detector(self, tmp_path: Path) -> None:
        with pytest.raises(UnknownModelError, match="no face detector"):
            choose_detector(load_settings(detector="mobilefacenet"), ModelStore(None, tmp_path))

    def test_a_score_is_for_a_detector_that_takes_one(
        self, model_folder: Path, tmp_path: Path, astronaut: Image
    ) -> None:
        def found(score: float | None) -> int:
            settings = load_settings(detector="yunet", detector_score=score, models=model_folder, cache=tmp_path)
            return len(choose_detector(settings, ModelStore(model_folder, tmp_path))[0].detect(astronaut))

        assert (found(None), found(0.99)) == (1, 0)
        with pytest.raises(SettingsError, match="dlib-hog takes no detector_score"):
            choose_detector(load_settings(detector="dlib-hog", detector_score=0.5), ModelStore(None, tmp_path))
