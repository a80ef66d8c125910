"""ONNX networks written from Python: as much of the format as the networks made here need.

ONNX is Protocol Buffers with the fields of ``onnx.proto`` (IR version 8, operators of version 13). Writing those few
fields takes less code than the package ``onnx`` takes time to import, and the bytes are the same on every machine.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

IR_VERSION = 8
OPERATORS = 13

_VARINT, _LENGTH, _FOUR_BYTES = 0, 2, 5
_FLOAT = 1
_NUMBERS = {"<f4": _FLOAT, "|u1": 2, "|i1": 3, "<i4": 6, "<i8": 7}
"""Types of a tensor's numbers."""
_REAL, _INT, _INTS = 1, 2, 7
"""Types of an attribute."""

Attribute = int | float | Sequence[int]
Shape = Sequence[int | str]
"""A length that is a name may differ from run to run."""


def node(
    kind: str, inputs: Iterable[str], output: str, attributes: Mapping[str, Attribute] | None = None, domain: str = ""
) -> bytes:
    """An operation with one output; of ONNX's own, or of another set of operators."""
    content = [_text(1, name) for name in inputs]
    content += [_text(2, output), _text(4, kind)]
    content += [message(5, _attribute(name, given)) for name, given in (attributes or {}).items()]
    return b"".join(content) + (_text(7, domain) if domain else b"")


def tensor(name: str, values: npt.NDArray[np.generic]) -> bytes:
    """A constant: floats of 32 bits, bytes, or whole numbers of 32 or 64 bits."""
    little = values.astype(values.dtype.newbyteorder("<"), copy=False)
    axes = b"".join(_number(1, length) for length in values.shape)
    return axes + _number(2, _NUMBERS[little.dtype.str]) + _text(8, name) + message(9, little.tobytes())


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
    return _number(1, IR_VERSION) + _text(2, "knownface") + message(7, graph) + operators("", OPERATORS)


def operators(domain: str, version: int) -> bytes:
    """The statement of a file which set of operators it uses."""
    return message(8, _text(1, domain) + _number(2, version))


def _attribute(name: str, given: Attribute) -> bytes:
    if isinstance(given, int):
        return _text(1, name) + _number(3, given) + _number(20, _INT)
    if isinstance(given, float):
        return _text(1, name) + struct.pack("<Bf", 2 << 3 | _FOUR_BYTES, given) + _number(20, _REAL)
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
    """Seven bits a byte, least first; one below 0 as the 64 bits that it is."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
