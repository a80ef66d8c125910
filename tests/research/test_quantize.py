from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the extra `quantize` is not installed")

from knownface.errors import ModelError  # noqa: E402
from knownface.models import onnx_writer  # noqa: E402
from knownface.models.session import OnnxNetwork  # noqa: E402
from knownface.precisions import PRECISIONS  # noqa: E402
from knownface.research.quantize import depends_on_batch, usual_precisions, write_variant  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:onnx.*", "ignore::DeprecationWarning:onnxruntime.*")

SIDE = 16


@pytest.fixture(scope="module")
def content() -> bytes:
    """Two convolutions and a product with random weights: enough for every kind of quantisation."""
    rng = np.random.default_rng(0)

    def weights(*shape: int) -> np.ndarray:
        return (rng.normal(size=shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)

    nodes = [
        onnx_writer.node("Conv", ["x", "w0", "b0"], "c0", {"kernel_shape": [3, 3], "pads": [1] * 4}),
        onnx_writer.node("Relu", ["c0"], "r0"),
        onnx_writer.node("Conv", ["r0", "w1", "b1"], "c1", {"kernel_shape": [3, 3], "strides": [2, 2]}),
        onnx_writer.node("Relu", ["c1"], "r1"),
        onnx_writer.node("GlobalAveragePool", ["r1"], "p"),
        onnx_writer.node("Flatten", ["p"], "f"),
        onnx_writer.node("MatMul", ["f", "w2"], "y"),
    ]
    constants = [
        onnx_writer.tensor("w0", weights(8, 3, 3, 3)),
        onnx_writer.tensor("b0", weights(8)),
        onnx_writer.tensor("w1", weights(16, 8, 3, 3)),
        onnx_writer.tensor("b1", weights(16)),
        onnx_writer.tensor("w2", weights(16, 32)),
    ]
    return onnx_writer.network(nodes, constants, ("x", ("n", 3, SIDE, SIDE)), ("y", ("n", 32)))


def _inputs(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, 3, SIDE, SIDE)).astype(np.float32)


# How far a variant's unit vectors may lie from the network's own: bits lost, and no more.
LARGEST = {"int8": 0.03, "int8-dynamic": 0.03, "fp16": 2e-3, "bf16": 2e-2}


@pytest.mark.parametrize("precision", PRECISIONS)
def test_variants_stay_near(content: bytes, tmp_path: Path, precision: str, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "variant.onnx"
    calibration = [item[np.newaxis] for item in _inputs(32, seed=1)]
    write_variant(content, precision, path, calibration)  # type: ignore[arg-type]
    assert capfd.readouterr().out == ""
    probes = _inputs(16, seed=2)
    plain = OnnxNetwork(tmp_path / "plain", content=content, device="cpu").run(probes)
    made = OnnxNetwork(path, device="cpu", per_item=depends_on_batch(precision)).run(probes)  # type: ignore[arg-type]
    plain, made = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True) for vectors in (plain, made))
    apart = np.linalg.norm(made - plain, axis=1)
    assert 0 < apart.max() <= LARGEST[precision]
    between = np.linalg.norm(plain[:, None] - plain[None], axis=2)[np.triu_indices(len(plain), 1)]
    assert np.median(between) > 3 * np.median(apart)  # else a constant would pass


def test_halves_halve_the_file(content: bytes, tmp_path: Path) -> None:
    for precision in ("fp16", "bf16"):
        path = tmp_path / f"{precision}.onnx"
        write_variant(content, precision, path)  # type: ignore[arg-type]
        types = {constant.data_type for constant in onnx.load(str(path)).graph.initializer}
        assert {"fp16": onnx.TensorProto.FLOAT16, "bf16": onnx.TensorProto.BFLOAT16}[precision] in types


def test_bfloat16_is_rounded_to_the_nearest_even(tmp_path: Path) -> None:
    # One and the three quarters of a step above it, a tie that goes down to even, a tie that goes up to even.
    step = 2.0**-7
    values = np.array([1 + 0.75 * step, 1 + 0.5 * step, 1 + 1.5 * step] + [1.0] * 61, np.float32)
    nodes = [onnx_writer.node("Mul", ["x", "w"], "y")]
    content = onnx_writer.network(nodes, [onnx_writer.tensor("w", values)], ("x", ("n", 64)), ("y", ("n", 64)))
    write_variant(content, "bf16", tmp_path / "v.onnx")
    (row,) = OnnxNetwork(tmp_path / "v.onnx", device="cpu").run(np.ones((1, 64), np.float32))
    np.testing.assert_array_equal(row[:4], [1 + step, 1, 1 + 2 * step, 1])


def test_what_is_worth_making(content: bytes) -> None:
    assert usual_precisions(content, calibrated=False) == ("fp16", "bf16")
    assert usual_precisions(content, calibrated=True) == ("int8", "fp16", "bf16")
    attention = onnx_writer.network([onnx_writer.node("Softmax", ["x"], "y")], [], ("x", ("n", 4)), ("y", ("n", 4)))
    assert usual_precisions(attention, calibrated=True) == PRECISIONS


def test_dynamic_int8_leaves_convolutions_alone(content: bytes, tmp_path: Path) -> None:
    write_variant(content, "int8-dynamic", tmp_path / "v.onnx")
    operations = [node.op_type for node in onnx.load(str(tmp_path / "v.onnx")).graph.node]
    assert (operations.count("Conv"), operations.count("MatMulInteger")) == (2, 1)


def test_static_int8_wants_pictures(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="needs pictures") as caught:
        write_variant(content, "int8", tmp_path / "v.onnx")
    assert "data=" in caught.value.hint
    assert not (tmp_path / "v.onnx").exists()


def test_what_is_no_network_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="The network cannot be read"):
        write_variant(b"no network", "fp16", tmp_path / "v.onnx")


def test_the_log_is_left_as_it_was(content: bytes, tmp_path: Path) -> None:
    before = logging.getLogger().level
    write_variant(content, "int8-dynamic", tmp_path / "v.onnx")
    assert logging.getLogger().level == before
