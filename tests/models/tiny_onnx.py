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


def several_inputs(
    path: Path,
    nodes: list[bytes],
    tensors: list[bytes],
    inputs: dict[str, tuple[int | str, ...]],
    output: tuple[str, tuple[int | str, ...]],
) -> Path:
    """A network whose graph lists any number of inputs, each with its shape."""
    message, value = onnx_writer.message, onnx_writer.value
    graph = [message(1, node) for node in nodes] + [message(2, b"several")] + [message(5, t) for t in tensors]
    graph += [message(11, value(name, shape)) for name, shape in inputs.items()] + [message(12, value(*output))]
    path.write_bytes(b"\x08\x08" + message(7, b"".join(graph)) + message(8, b"\x10\x0d"))
    return path


def _model(path: Path, nodes: list[bytes], shape: tuple[int | str, ...], names: tuple[str, str]) -> Path:
    path.write_bytes(onnx_writer.network(nodes, [], (names[0], shape), (names[1], ("n", "d"))))
    return path
