"""ONNX files read from Python, field by field of ``onnx.proto``: as much of the format as the networks here hold.

Protocol Buffers are fields one after the other: a number, a kind, a value. Reading those that matter takes less code
than the package ``onnx`` takes time to import.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

GRAPH, OPERATORS = 7, 8
NODE, INITIALIZER, INPUT, OUTPUT, VALUE_INFO = 1, 5, 11, 12, 13
NODE_INPUT, NODE_OUTPUT, NODE_OPERATOR, NODE_ATTRIBUTE = 1, 2, 4, 5
ATTRIBUTE_GRAPH = 6
TENSOR_LENGTHS, TENSOR_NAME, VALUE_NAME = 1, 8, 1
_TENSOR_TYPE, _TENSOR_FLOATS, _TENSOR_BYTES = 2, 4, 9
_TENSOR_WHOLES = {5, 7}
"""Numbers that do not stand in plain bytes: of up to 32 bits, and of 64."""
_ATTRIBUTE_NAME, _FLOAT, _INT, _TENSOR, _INTS = 1, 2, 3, 5, 8
_NUMBERS = {1: "<f4", 2: "u1", 3: "i1", 6: "<i4", 7: "<i8"}
"""Types of a tensor's numbers, as NumPy has them."""
_FIXED_BYTES = {1: 8, 5: 4}
_MOST_VARINT_BYTES = 10

Attribute = int | float | tuple[int, ...]
Array = npt.NDArray[np.generic]


@dataclass(frozen=True, slots=True)
class OnnxNode:
    """An operation.

    Attributes:
        kind: Its operator.
        inputs: Names; empty where an input is left out.
        outputs: Names.
        attributes: Those that are numbers or rows of whole numbers.
    """

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Attribute]


def operations(graph: memoryview) -> tuple[list[OnnxNode], dict[str, Array]]:
    """The operations of a graph in their order, and its constants by name.

    Raises:
        ValueError: It is no graph, or holds constants in a way that is not read here.
    """
    nodes: list[OnnxNode] = []
    constants: dict[str, Array] = {}
    for number, _, part in fields(graph):
        if number == INITIALIZER:
            [name] = texts(part, TENSOR_NAME)
            constants[name.decode()] = numbers(part)
        elif number == NODE:
            made = operation(part)
            if made.kind == "Constant":
                constants.update((made.outputs[0], numbers(tensor)) for tensor in _held(part))
            else:
                nodes.append(made)
    return nodes, constants


def numbers(tensor: memoryview) -> Array:
    """The values of a tensor in its shape.

    Raises:
        ValueError: They are of a type that is not read here, or stand in another file.
    """
    kind, content = 0, memoryview(b"")
    axes: list[int] = []
    listed: list[float] = []
    for number, whole, part in fields(tensor):
        if number == TENSOR_LENGTHS:
            axes += _packed(whole, part)
        elif number == _TENSOR_TYPE:
            kind = _varint(whole, 1)[0]
        elif number == _TENSOR_BYTES:
            content = part
        elif number == _TENSOR_FLOATS:
            listed += np.frombuffer(part, "<f4").tolist()
        elif number in _TENSOR_WHOLES:
            listed += _packed(whole, part)
    if kind not in _NUMBERS:
        raise ValueError(f"constants of the type {kind}")
    flat = np.frombuffer(content, _NUMBERS[kind]) if len(content) else np.array(listed, _NUMBERS[kind])
    return flat.reshape(axes)


def lengths(tensor: memoryview) -> list[int]:
    """The lengths of a tensor's axes."""
    return [
        given for number, whole, part in fields(tensor) if number == TENSOR_LENGTHS for given in _packed(whole, part)
    ]


def texts(content: memoryview, wanted: int) -> set[bytes]:
    """The texts of all fields of a number."""
    return {bytes(text) for text in values(content, wanted)}


def values(content: memoryview, wanted: int) -> Iterator[memoryview]:
    """The values of all fields of a number."""
    return (part for number, _, part in fields(content) if number == wanted)


def fields(content: memoryview) -> Iterator[tuple[int, memoryview, memoryview]]:
    """Number of each field, all of its bytes, and those of its value.

    Raises:
        ValueError: It is not made of fields.
    """
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


def operation(node: memoryview) -> OnnxNode:
    """A node of a graph."""
    kind = ""
    inputs: list[str] = []
    outputs: list[str] = []
    attributes: dict[str, Attribute] = {}
    for number, _, part in fields(node):
        if number == NODE_ATTRIBUTE:
            name, value = _attribute(part)
            attributes[name] = value
        elif number == NODE_INPUT:
            inputs.append(str(part, "utf-8"))
        elif number == NODE_OUTPUT:
            outputs.append(str(part, "utf-8"))
        elif number == NODE_OPERATOR:
            kind = str(part, "utf-8")
    return OnnxNode(kind, tuple(inputs), tuple(outputs), attributes)


def _attribute(attribute: memoryview) -> tuple[str, Attribute]:
    """Name and value; () for one of another kind."""
    name = ""
    several: list[int] = []
    single: Attribute | None = None
    for number, whole, part in fields(attribute):
        if number == _ATTRIBUTE_NAME:
            name = str(part, "utf-8")
        elif number == _INT:
            single = _signed(_varint(whole, 1)[0])
        elif number == _FLOAT:
            single = float(struct.unpack("<f", part)[0])
        elif number == _INTS:
            several += _packed(whole, part)
    return name, tuple(several) if single is None else single


def _held(node: memoryview) -> Iterator[memoryview]:
    for attribute in values(node, NODE_ATTRIBUTE):
        yield from values(attribute, _TENSOR)


def _packed(whole: memoryview, part: memoryview) -> Iterator[int]:
    """The whole numbers of a field, which may hold one, or several that follow each other."""
    content, position = part or whole[1:], 0
    while position < len(content):
        given, position = _varint(content, position)
        yield _signed(given)


def _signed(given: int) -> int:
    return given - (1 << 64) if given >> 63 else given


def _varint(content: memoryview, position: int) -> tuple[int, int]:
    """A whole number and where it ends."""
    number = 0
    for shift, byte in enumerate(content[position : position + _MOST_VARINT_BYTES]):
        number |= (byte & 0x7F) << 7 * shift
        if not byte & 0x80:
            return number, position + shift + 1
    raise ValueError(f"no number at byte {position}")
