"""ONNX files of a few bytes, so that these tests need no weights."""

from __future__ import annotations

from pathlib import Path

from knownface.models import onnx_writer


def flatten_network(path: Path, shape: tuple[int | str, ...], *, names: tuple[str, str] = ("x", "y")) -> Path:
    """A network whose output is its input, one row an item."""
    source, result = names
    return _model(path, [onnx_writer.node("Flatten", [source], result)], shape, names)


def batch_dependent_network(path: Path, shape: tuple[int | str, ...]) -> Path:
    """A network that subtracts the largest value of the whole batch: like dynamic quantisation, it looks at others."""
    nodes = [
        onnx_writer.node("ReduceMax", ["x"], "max"),
        onnx_writer.node("Sub", ["x", "max"], "d"),
        onnx_writer.node("Flatten", ["d"], "y"),
    ]
    return _model(path, nodes, shape, ("x", "y"))


def _model(path: Path, nodes: list[bytes], shape: tuple[int | str, ...], names: tuple[str, str]) -> Path:
    path.write_bytes(onnx_writer.network(nodes, [], (names[0], shape), (names[1], ("n", "d"))))
    return path
