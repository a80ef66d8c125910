from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_onnx import flatten_network

from knownface.detection import choose_detector
from knownface.errors import FaceError, ModelError
from knownface.liveness import LivenessCheck, choose_liveness
from knownface.liveness.minifasnet import MiniFasNet, enlarged_crop
from knownface.media import read_image
from knownface.models import ModelStore
from knownface.models.contract import InputContract
from knownface.models.entry import LivenessDefaults, ModelEntry, WeightFile
from knownface.models.session import OnnxNetwork
from knownface.pipeline import find_faces
from knownface.settings import load_settings
from knownface.types import Box, Image

SIDES = st.integers(2, 60)


@given(SIDES, SIDES, st.floats(-20, 50), st.floats(-20, 50), st.floats(1, 40), st.floats(1, 40), st.floats(1, 4))
def test_the_crop_lies_in_the_picture_and_keeps_the_shape_of_the_box(
    width: int, height: int, x: float, y: float, across: float, down: float, factor: float
) -> None:
    box = Box(x, y, across, down)
    picture = np.zeros((height, width, 3), dtype=np.uint8)
    if box.right <= 0 or box.bottom <= 0 or x >= width or y >= height:
        with pytest.raises(FaceError, match="outside its picture"):
            enlarged_crop(picture, box, factor)
        return
    crop = enlarged_crop(picture, box, factor)
    grown = min(factor, (width - 1) / across, (height - 1) / down)
    assert crop.size
    assert abs(crop.shape[1] - max(1, grown * across)) <= 2
    assert abs(crop.shape[0] - max(1, grown * down)) <= 2


def _tiny(tmp_path: Path, *, dim: int = 3, mirror: bool = False) -> MiniFasNet:
    entry = ModelEntry(
        name="tiny",
        task="liveness",
        kind="minifasnet",
        title="Tiny",
        licence="none",
        files=(WeightFile(names=("tiny.onnx",), sha256="0" * 64),),
        input=InputContract(crop="enlarged", size=(8, 8), dim=dim, mirror=mirror),
        liveness=LivenessDefaults(live=1, threshold=0.5, calibrated=False),
    )
    assert entry.liveness is not None
    return MiniFasNet(entry, entry.liveness, OnnxNetwork(flatten_network(tmp_path / "tiny.onnx", ("n", 3, 8, 8))))


def test_a_network_with_other_outputs_is_refused(tmp_path: Path) -> None:
    check = _tiny(tmp_path)
    assert check.score([]).shape == (0,)
    with pytest.raises(ModelError, match="gave 192 outputs, its contract says 3"):
        check.score([np.zeros((8, 8, 3), dtype=np.uint8)])


def test_the_score_is_the_softmax_of_its_output_and_the_mirror_image_counts_as_much(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    crop = rng.integers(0, 9, (8, 8, 3), dtype=np.uint8)

    def softmax(picture: Image) -> float:
        outputs = np.exp(picture.transpose(2, 0, 1).reshape(-1).astype(float))
        return float(outputs[1] / outputs.sum())

    [alone] = _tiny(tmp_path, dim=192).score([crop])
    assert alone == pytest.approx(softmax(crop), rel=1e-4)
    one, other = (np.log(p / (1 - p)) for p in (softmax(crop), softmax(crop[:, ::-1])))
    [both] = _tiny(tmp_path, dim=192, mirror=True).score([crop])
    assert both == pytest.approx(1 / (1 + np.exp(-(one + other) / 2)), rel=1e-4)


def test_weights_that_are_not_here(alone: Path) -> None:
    from knownface.errors import ModelUnavailableError

    with pytest.raises(ModelUnavailableError, match="No liveness check is on this machine"):
        choose_liveness(load_settings(), ModelStore(None, alone))


@pytest.fixture(scope="module")
def check(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> LivenessCheck:
    return choose_liveness(load_settings(), ModelStore(model_folder, tmp_path_factory.mktemp("cache")))[0]


@pytest.mark.slow
def test_real_faces_and_attacks(face_data: Path, model_folder: Path, tmp_path: Path, check: LivenessCheck) -> None:
    detector, _ = choose_detector(load_settings(), ModelStore(model_folder, tmp_path))

    def passed(pattern: str) -> float:
        scores = []
        for path in sorted((face_data / "liveness" / "devel").glob(pattern))[::3]:
            image = read_image(path, 10**7)
            scores += check.score([check.crop(image, find_faces(image, detector)[0])]).tolist()
        assert len(scores) >= 20
        return float(np.mean(np.array(scores) >= check.threshold))

    assert passed("real/none/*") >= 0.9
    assert passed("attack/*/*mobile*") <= 0.1
