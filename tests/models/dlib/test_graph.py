from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import dlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knownface.errors import ModelError
from knownface.models import ModelStore
from knownface.models.dlib import dlib_as_onnx
from knownface.models.dlib.weights import read_dlib_network
from knownface.models.session import OnnxNetwork

NOWHERE = Path("/nonexistent")


@pytest.fixture(scope="module")
def weights() -> Path:
    return ModelStore(None, NOWHERE).files("dlib-resnet")["network"]


@pytest.fixture(scope="module")
def content(weights: Path) -> bytes:
    return weights.read_bytes()


@pytest.fixture(scope="module")
def network(weights: Path) -> OnnxNetwork:
    return OnnxNetwork(weights, content=dlib_as_onnx(weights), device="cpu")


@pytest.fixture(scope="module")
def reference(weights: Path) -> dlib.face_recognition_model_v1:
    return dlib.face_recognition_model_v1(str(weights))


def _chips(astronaut: np.ndarray | None = None) -> np.ndarray:
    rng = np.random.default_rng(3)
    chips = rng.integers(0, 256, (4, 150, 150, 3), dtype=np.uint8)
    chips[1] = chips[1] // 8 + 200
    chips[2] = 0
    chips[3] = 255
    return chips if astronaut is None else np.concatenate([chips, astronaut[None, 10:160, 140:290]])


def test_the_vectors_are_dlibs(
    network: OnnxNetwork, reference: dlib.face_recognition_model_v1, astronaut: np.ndarray
) -> None:
    chips = _chips(astronaut)
    theirs = np.array([reference.compute_face_descriptor(np.ascontiguousarray(chip)) for chip in chips])
    ours = network.run(chips.astype(np.float32))
    assert ours.shape == (len(chips), 128)
    assert np.abs(ours - theirs).max() <= 1e-5
    assert np.abs(theirs - theirs[0]).max(axis=1)[1:].min() > 0.05  # else one vector for all would pass


def test_a_chip_alone_and_among_others(network: OnnxNetwork) -> None:
    chips = _chips().astype(np.float32)
    alone = np.concatenate([network.run(chip[None]) for chip in chips])
    np.testing.assert_array_equal(network.run(chips), alone)


def test_the_file_is_sound(weights: Path, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="the package onnx is not installed")
    path = tmp_path / "dlib.onnx"
    path.write_bytes(dlib_as_onnx(weights))
    onnx.checker.check_model(str(path), full_check=True)


def test_the_file_is_the_same_every_time(weights: Path) -> None:
    assert dlib_as_onnx(weights) == dlib_as_onnx(weights)


def test_what_the_file_holds(weights: Path) -> None:
    network = read_dlib_network(weights)
    assert network.size == 150
    np.testing.assert_allclose(network.mean, [122.782, 117.001, 104.298], atol=1e-4)
    kinds = [layer.kind for layer in network.layers]
    assert (kinds.count("con_4"), kinds.count("add_prev_"), kinds[-1]) == (29, 14, "fc_2")


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ModelError, match=r"none\.dat cannot be read"):
        read_dlib_network(NOWHERE / "none.dat")


@pytest.mark.parametrize("size", [0, 1, 10, 40, 300, 340, 20_000, 22_466_065])
def test_a_file_cut_off_is_told(content: bytes, tmp_path: Path, size: int) -> None:
    path = tmp_path / "cut.dat"
    path.write_bytes(content[:size])
    with pytest.raises(ModelError, match=r"cut\.dat is not dlib's face recognition network, or it is damaged"):
        dlib_as_onnx(path)


def test_a_length_beyond_reason_is_not_taken(content: bytes, tmp_path: Path) -> None:
    at = content.index(b"con_4") + len(b"con_4") + 2  # the first length of the first tensor
    assert content[at : at + 3] == b"\x02\x80\x12"
    path = tmp_path / "long.dat"
    path.write_bytes(content[:at] + b"\x08" + struct.pack("<Q", 1 << 62) + content[at + 3 :])
    with pytest.raises(ModelError, match="a tensor of"):
        dlib_as_onnx(path)


# The beginning, and the ends of layers: what is not weights.
NO_WEIGHTS = st.one_of(st.integers(0, 345), st.integers(19_045, 19_400), st.integers(22_334_700, 22_334_930))


@pytest.mark.slow
@settings(max_examples=12)
@given(at=NO_WEIGHTS, value=st.integers(0, 255))
def test_damage_is_an_error_or_another_network_and_nothing_else(
    content: bytes, at: int, value: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The numbers between the weights are what a damaged file could lead astray with."""
    damaged = bytearray(content)
    damaged[at] = value
    path = tmp_path_factory.getbasetemp() / "damaged.dat"
    path.write_bytes(bytes(damaged))
    with contextlib.suppress(ModelError):  # any other error fails the test
        dlib_as_onnx(path)


def test_another_network_of_dlib_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other.dat"
    path.write_bytes(content.replace(b"affine_", b"afline_", 1))
    with pytest.raises(ModelError, match="a layer 'afline_'"):
        dlib_as_onnx(path)
