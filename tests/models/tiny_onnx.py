"""ONNX files of a few bytes, written by hand, so that these tests need neither weights nor the package `onnx`.

Only what the format's protobuf needs (onnx.proto, IR version 8, opset 13).
"""

from __future__ import annotations

from pathlib import Path

_VARINT, _BYTES = 0, 2
_FLOAT = 1


def flatten_network(path: Path, shape: tuple[int | str, ...], *, names: tuple[str, str] = ("x", "y")) -> Path:
    """A network whose output is its input, one row an item."""
    source, result = names
    return _model(path, [_node("Flatten", [source], [result])], shape, names)


def batch_dependent_network(path: Path, shape: tuple[int | str, ...]) -> Path:
    """A network that subtracts the largest value of the whole batch: like dynamic quantisation, it looks at others."""
    nodes = [_node("ReduceMax", ["x"], ["max"]), _node("Sub", ["x", "max"], ["d"]), _node("Flatten", ["d"], ["y"])]
    return _model(path, nodes, shape, ("x", "y"))


def _model(path: Path, nodes: list[bytes], shape: tuple[int | str, ...], names: tuple[str, str]) -> Path:
    graph = b"".join(_field(1, node) for node in nodes)
    graph += _field(2, b"tiny") + _field(11, _value(names[0], shape)) + _field(12, _value(names[1], ("n", "d")))
    opset = _field(1, b"") + _number(2, 13)
    path.write_bytes(_number(1, 8) + _field(7, graph) + _field(8, opset))
    return path


def _node(kind: str, inputs: list[str], outputs: list[str]) -> bytes:
    named = b"".join(_field(1, name.encode()) for name in inputs) + b"".join(_field(2, o.encode()) for o in outputs)
    return named + _field(4, kind.encode())


def _value(name: str, shape: tuple[int | str, ...]) -> bytes:
    dims = b"".join(
        _field(1, _number(1, size) if isinstance(size, int) else _field(2, size.encode())) for size in shape
    )
    tensor = _number(1, _FLOAT) + _field(2, dims)
    return _field(1, name.encode()) + _field(2, _field(1, tensor))


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3 | _VARINT) + _varint(value)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
