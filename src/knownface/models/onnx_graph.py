"""An ONNX graph made to run on ONNX Runtime, in the bytes of the file, field by field of ``onnx.proto``.

Some tools list more among the inputs than a caller must give: initialisers, and weights that no operation reads any
more (OpenCV's block-quantised SFace lists those that it had before). ONNX Runtime asks for the latter all the same, and
computes with the former as if they could change. OpenCV's block-quantised YuNet states a block size for weights that
have one scale for all, which ONNX Runtime refuses. And a graph that says one size of picture can often run any. Each is
the same network without those statements. PReLU becomes operations that ONNX Runtime is quick at, of the same result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from knownface.models.onnx_writer import Shape, message, node, tensor, value

_GRAPH = 7
_NODE, _INITIALIZER, _INPUT, _OUTPUT, _VALUE_INFO = 1, 5, 11, 12, 13
_NODE_INPUT, _NODE_OUTPUT, _NODE_OPERATOR, _NODE_ATTRIBUTE = 1, 2, 4, 5
_ATTRIBUTE_GRAPH = 6
_TENSOR_LENGTHS, _TENSOR_NAME, _VALUE_NAME = 1, 8, 1
_KERNEL, _ONE = "knownface/kernel", "knownface/one"
_ONE_NUMBER: tuple[list[bytes], ...] = ([], [b"\x08\x01"])
"""The lengths of a tensor of one number, as fields."""
_PLANES = 3
"""Axes of the slopes of a PReLU over pictures: one slope a channel, the same for all rows and columns."""
_FIXED_BYTES = {1: 8, 5: 4}
_MOST_VARINT_BYTES = 10


def is_block_quantised(content: bytes) -> bool:
    """Whether an ONNX file holds weights of a byte each with scales by block, as OpenCV publishes them."""
    return b"DequantizeLinear" in content and b"block_size" in content


def without_needless_inputs(content: bytes) -> bytes:
    """An ONNX file without those inputs that its graph holds itself or does not read.

    Args:
        content: Of the file.

    Raises:
        ValueError: It is no ONNX file.
    """
    return _with_graph(content, _without_needless_inputs)


def without_needless_blocks(content: bytes) -> bytes:
    """An ONNX file in which weights that have one scale for all are dequantised by it, not by block.

    Args:
        content: Of the file.

    Raises:
        ValueError: It is no ONNX file.
    """
    return _with_graph(content, _without_needless_blocks)


def with_free_size(content: bytes) -> bytes:
    """An ONNX file with the shapes of one size of picture left out.

    Whether its operations run at other sizes as well is another question.

    Args:
        content: Of the file; its only input is float32, NCHW, one picture of three channels.

    Raises:
        ValueError: It is no ONNX file.
    """
    return _with_graph(content, lambda graph: _with_shape(graph, (1, 3, "height", "width")))


def with_free_batch(content: bytes, item: Sequence[int]) -> bytes:
    """An ONNX file with the shapes of a batch of one item left out.

    Whether its operations run with several items as well is another question.

    Args:
        content: Of the file; its only input is float32.
        item: The shape of an item.

    Raises:
        ValueError: It is no ONNX file.
    """
    return _with_graph(content, lambda graph: _with_shape(graph, ("items", *item)))


def without_prelu(content: bytes) -> bytes:
    """An ONNX file in which each PReLU over pictures is ``slope * x + (1 - slope) * relu(x)``, as two convolutions.

    ONNX Runtime runs its PReLU one number at a time and reorders the picture before and after; convolutions of one
    pixel, a channel each, stay in the order of their neighbours: SFace takes 15 instead of 27 ms a face.

    Args:
        content: Of the file.

    Raises:
        ValueError: It is no ONNX file.
    """
    return _with_graph(content, _without_prelu)


def _with_graph(content: bytes, changed: Callable[[memoryview], bytes]) -> bytes:
    return b"".join(
        message(_GRAPH, changed(part)) if number == _GRAPH else bytes(whole)
        for number, whole, part in _fields(memoryview(content))
    )


def _without_needless_inputs(graph: memoryview) -> bytes:
    parts = list(_fields(graph))
    held = {name for number, _, tensor in parts if number == _INITIALIZER for name in _texts(tensor, _TENSOR_NAME)}
    needed = _read(graph) - held
    return b"".join(
        whole for number, whole, part in parts if number != _INPUT or not needed.isdisjoint(_texts(part, _VALUE_NAME))
    )


def _without_needless_blocks(graph: memoryview) -> bytes:
    single = {
        name
        for tensor in _values(graph, _INITIALIZER)
        if [bytes(whole) for number, whole, _ in _fields(tensor) if number == _TENSOR_LENGTHS] in _ONE_NUMBER
        for name in _texts(tensor, _TENSOR_NAME)
    }
    return b"".join(
        message(_NODE, _without_attributes(part)) if number == _NODE and _dequantises_by(part, single) else whole
        for number, whole, part in _fields(graph)
    )


def _without_prelu(graph: memoryview) -> bytes:
    channels = {
        name: lengths[0]
        for part in _values(graph, _INITIALIZER)
        if len(lengths := _lengths(part)) == _PLANES and lengths[1:] == [1, 1]
        for name in _texts(part, _TENSOR_NAME)
    }
    parts, replaced = [], 0
    for number, whole, part in _fields(graph):
        inputs = [bytes(name) for name in _values(part, _NODE_INPUT)] if number == _NODE else []
        if number == _NODE and _texts(part, _NODE_OPERATOR) == {b"PRelu"} and inputs[1] in channels:
            replaced += 1
            [output] = _texts(part, _NODE_OUTPUT)
            names = (inputs[0].decode(), inputs[1].decode(), output.decode())
            parts += [message(_NODE, made) for made in _prelu(*names, channels[inputs[1]])]
        else:
            parts.append(bytes(whole))
    if replaced:
        parts += [message(_INITIALIZER, tensor(_KERNEL, np.array([-1, 1, 1, 1], np.int64)))]
        parts += [message(_INITIALIZER, tensor(_ONE, np.array(1, np.float32)))]
    return b"".join(parts)


def _prelu(source: str, slope: str, output: str, channels: int) -> Iterator[bytes]:
    """The operations; what they make of the slopes alone ONNX Runtime computes once, when it loads them."""
    inner = [f"{output}/knownface/{name}" for name in ("slope", "rest", "relu", "bent", "straight")]
    of_slope, rest, relu, bent, straight = inner
    yield node("Reshape", [slope, _KERNEL], of_slope)
    yield node("Sub", [_ONE, of_slope], rest)
    yield node("Relu", [source], relu)
    yield node("Conv", [relu, rest], bent, {"group": channels})
    yield node("Conv", [source, of_slope], straight, {"group": channels})
    yield node("Add", [bent, straight], output)


def _dequantises_by(node: memoryview, scales: set[bytes]) -> bool:
    inputs = [bytes(name) for name in _values(node, _NODE_INPUT)]
    return _texts(node, _NODE_OPERATOR) == {b"DequantizeLinear"} and inputs[1] in scales


def _without_attributes(node: memoryview) -> bytes:
    return b"".join(whole for number, whole, _ in _fields(node) if number != _NODE_ATTRIBUTE)


def _with_shape(graph: memoryview, shape: Shape) -> bytes:
    """A graph whose input has a shape, and which says no other."""
    parts = []
    for number, whole, part in _fields(graph):
        if number in {_INPUT, _OUTPUT}:
            [name] = _texts(part, _VALUE_NAME)
            parts.append(message(number, value(name.decode(), shape if number == _INPUT else None)))
        elif number != _VALUE_INFO:
            parts.append(bytes(whole))
    return b"".join(parts)


def _read(graph: memoryview) -> set[bytes]:
    """Names that the operations read, those inside branches and loops among them, or that are handed out."""
    names: set[bytes] = set()
    for number, _, part in _fields(graph):
        if number == _OUTPUT:
            names |= _texts(part, _VALUE_NAME)
        elif number == _NODE:
            names |= _texts(part, _NODE_INPUT)
            for attribute in _values(part, _NODE_ATTRIBUTE):
                names = names.union(*map(_read, _values(attribute, _ATTRIBUTE_GRAPH)))
    return names


def _lengths(tensor: memoryview) -> list[int]:
    """The lengths of a tensor's axes, which may stand in a field each or together in one."""
    lengths = []
    for number, whole, part in _fields(tensor):
        if number == _TENSOR_LENGTHS:
            packed, position = part or whole[1:], 0
            while position < len(packed):
                length, position = _varint(packed, position)
                lengths.append(length)
    return lengths


def _texts(content: memoryview, wanted: int) -> set[bytes]:
    return {bytes(text) for text in _values(content, wanted)}


def _values(content: memoryview, wanted: int) -> Iterator[memoryview]:
    return (part for number, _, part in _fields(content) if number == wanted)


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
    number = 0
    for shift, byte in enumerate(content[position : position + _MOST_VARINT_BYTES]):
        number |= (byte & 0x7F) << 7 * shift
        if not byte & 0x80:
            return number, position + shift + 1
    raise ValueError(f"no number at byte {position}")
