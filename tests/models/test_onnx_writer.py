from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from knownface.models import onnx_writer
from knownface.models.session import OnnxNetwork


def _scaled_sum(path: Path) -> Path:
    """y = flatten(x * 2 + [0, 1, 2])."""
    nodes = [
        onnx_writer.node("Mul", ["x", "two"], "doubled"),
        onnx_writer.node("Add", ["doubled", "steps"], "sum"),
        onnx_writer.node("Flatten", ["sum"], "y", {"axis": 1}),
    ]
    constants = [
        onnx_writer.tensor("two", np.array(2, np.float32)),
        onnx_writer.tensor("steps", np.arange(3, dtype=np.float32)),
    ]
    path.write_bytes(onnx_writer.network(nodes, constants, ("x", ("n", 300, 3)), ("y", ("n", 900))))
    return path


def test_what_is_written_is_run(tmp_path: Path) -> None:
    batch = np.random.default_rng(0).random((4, 300, 3), dtype=np.float32)
    network = OnnxNetwork(_scaled_sum(tmp_path / "s.onnx"), device="cpu")
    np.testing.assert_array_equal(network.run(batch), (batch * 2 + np.arange(3, dtype=np.float32)).reshape(4, -1))


def test_what_is_written_is_onnx(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="the package onnx is not installed")
    path = _scaled_sum(tmp_path / "s.onnx")
    onnx.checker.check_model(str(path), full_check=True)
    read = onnx.load(str(path))
    assert (read.ir_version, read.opset_import[0].version) == (onnx_writer.IR_VERSION, onnx_writer.OPERATORS)
    assert [node.op_type for node in read.graph.node] == ["Mul", "Add", "Flatten"]
    lengths = read.graph.input[0].type.tensor_type.shape.dim
    assert (lengths[0].dim_param, lengths[1].dim_value) == ("n", 300)
    np.testing.assert_array_equal(onnx.numpy_helper.to_array(read.graph.initializer[1]), [0, 1, 2])
