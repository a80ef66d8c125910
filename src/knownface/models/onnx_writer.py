"""ONNX networks written from Python: as much of the format as the networks made here need.

ONNX is Protocol Buffers with the fields of ``onnx.proto`` (IR version 8, operators of version 13). Writing those few
fields takes less code than the package ``onnx`` takes time to import, and the bytes are the same on every machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

IR_VERSION = 8
OPERATORS = 13

_VARINT, _LENGTH = 0, 2
_FLOAT, _INT64 = 1, 7
"""Types of a tensor's numbers."""
_INT, _INTS = 2, 7
"""Types of an attribute."""

Attribute = int | Sequence[int]
Shape = Sequence[int | str]
"""A length that is a name may differ from run to run."""


def node(kind: str, inputs: Iterable[str], output: str, attributes: Mapping[str, Attribute] | None = None) -> bytes:
    """An operation with one output."""
    content = [_text(1, name) for name in inputs]
    content += [_text(2, output), _text(4, kind)]
    content += [message(5, _attribute(name, given)) for name, given in (attributes or {}).items()]
    return b"".join(content)


def tensor(name: str, values: npt.NDArray[np.float32] | npt.NDArray[np.int64]) -> bytes:
    """A constant: weights, or the parameter of an operation."""
    kind, number = (_INT64, "<i8") if values.dtype == np.int64 else (_FLOAT, "<f4")
    lengths = b"".join(_number(1, length) for length in values.shape)
    return lengths + _number(2, kind) + _text(8, name) + message(9, values.astype(number, copy=False).tobytes())


def network(
    nodes: Iterable[bytes], tensors: Iterable[bytes], source: tuple[str, Shape], result: tuple[str, Shape]
) -> bytes:
    """A whole file.

    Args:
        nodes: Operations in an order in which they can be run.
        tensors: Constants.
        source: Name and shape of the only input, float32.
        result: Name and shape of the only output, float32.
    """
    graph = b"".join(message(1, item) for item in nodes) + _text(2, "knownface")
    graph += b"".join(message(5, item) for item in tensors)
    graph += message(11, value(*source)) + message(12, value(*result))
    operators = _text(1, "") + _number(2, OPERATORS)
    return _number(1, IR_VERSION) + _text(2, "knownface") + message(7, graph) + message(8, operators)


def _attribute(name: str, given: Attribute) -> bytes:
    if isinstance(given, int):
        return _text(1, name) + _number(3, given) + _number(20, _INT)
    return _text(1, name) + b"".join(_number(8, item) for item in given) + _number(20, _INTS)


def value(name: str, shape: Shape | None) -> bytes:
    """Name and shape of an input or output, float32; None: of any shape."""
    if shape is None:
        return _text(1, name) + message(2, message(1, _number(1, _FLOAT)))
    lengths = b"".join(
        message(1, _number(1, length) if isinstance(length, int) else _text(2, length)) for length in shape
    )
    return _text(1, name) + message(2, message(1, _number(1, _FLOAT) + message(2, lengths)))


def _text(field: int, text: str) -> bytes:
    return message(field, text.encode())


def message(field: int, content: bytes) -> bytes:
    """A field whose value is bytes: another message, a text or numbers one after the other."""
    return _varint(field << 3 | _LENGTH) + _varint(len(content)) + content


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3 | _VARINT) + _varint(value)


def _varint(value: int) -> bytes:
    """Seven bits a byte, least first; only the numbers from 0 on are needed here."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
