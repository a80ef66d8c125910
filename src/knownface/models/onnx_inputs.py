"""Inputs of an ONNX graph that are none.

Some tools list more among the inputs than a caller must give: initialisers, and weights that no operation reads any
more (OpenCV's block-quantised SFace lists those that it had before). ONNX Runtime asks for the latter all the same, and
computes with the former as if they could change. A graph without those entries is the same network; they are left out
here, in the bytes of the file, field by field of ``onnx.proto``.
"""

from __future__ import annotations

from collections.abc import Iterator

from knownface.models.onnx_writer import message

_GRAPH = 7
_NODE, _INITIALIZER, _INPUT, _OUTPUT = 1, 5, 11, 12
_NODE_INPUT, _NODE_ATTRIBUTE = 1, 5
_ATTRIBUTE_GRAPH = 6
_TENSOR_NAME, _VALUE_NAME = 8, 1
_FIXED_BYTES = {1: 8, 5: 4}
_MOST_VARINT_BYTES = 10


def without_needless_inputs(content: bytes) -> bytes:
    """An ONNX file without those inputs that its graph holds itself or does not read.

    Args:
        content: Of the file.

    Raises:
        ValueError: It is no ONNX file.
    """
    return b"".join(
        message(_GRAPH, _cleaned(value)) if number == _GRAPH else bytes(whole)
        for number, whole, value in _fields(memoryview(content))
    )


def _cleaned(graph: memoryview) -> bytes:
    parts = list(_fields(graph))
    held = {name for number, _, tensor in parts if number == _INITIALIZER for name in _texts(tensor, _TENSOR_NAME)}
    needed = _read(graph) - held
    return b"".join(
        whole for number, whole, value in parts if number != _INPUT or not needed.isdisjoint(_texts(value, _VALUE_NAME))
    )


def _read(graph: memoryview) -> set[bytes]:
    """Names that the operations read, those inside branches and loops among them, or that are handed out."""
    names: set[bytes] = set()
    for number, _, value in _fields(graph):
        if number == _OUTPUT:
            names |= _texts(value, _VALUE_NAME)
        elif number == _NODE:
            names |= _texts(value, _NODE_INPUT)
            for attribute in _values(value, _NODE_ATTRIBUTE):
                names = names.union(*map(_read, _values(attribute, _ATTRIBUTE_GRAPH)))
    return names


def _texts(content: memoryview, wanted: int) -> set[bytes]:
    return {bytes(value) for value in _values(content, wanted)}


def _values(content: memoryview, wanted: int) -> Iterator[memoryview]:
    return (value for number, _, value in _fields(content) if number == wanted)


def _fields(content: memoryview) -> Iterator[tuple[int, memoryview, memoryview]]:
    """Number of each field, all of its bytes, and those of its value."""
    position = 0
    while position < len(content):
        start = position
        key, position = _varint(content, position)
        kind = key & 7
        if kind == 0:
            end = begin = _varint(content, position)[1]
        elif kind == 2:
            length, begin = _varint(content, position)
            end = begin + length
        elif kind in _FIXED_BYTES:
            begin, end = position, position + _FIXED_BYTES[kind]
        else:
            raise ValueError(f"no field at byte {start}")
        if end > len(content):
            raise ValueError(f"cut off at byte {len(content)}")
        yield key >> 3, content[start:end], content[begin:end]
        position = end


def _varint(content: memoryview, position: int) -> tuple[int, int]:
    """A whole number and where it ends."""
    value = 0
    for shift, byte in enumerate(content[position : position + _MOST_VARINT_BYTES]):
        value |= (byte & 0x7F) << 7 * shift
        if not byte & 0x80:
            return value, position + shift + 1
    raise ValueError(f"no number at byte {position}")
