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

from knownface.models.onnx_reader import (
    ATTRIBUTE_GRAPH,
    GRAPH,
    INITIALIZER,
    INPUT,
    NODE,
    NODE_ATTRIBUTE,
    NODE_INPUT,
    NODE_OPERATOR,
    NODE_OUTPUT,
    OUTPUT,
    TENSOR_LENGTHS,
    TENSOR_NAME,
    VALUE_INFO,
    VALUE_NAME,
    fields,
    lengths,
    operation,
    texts,
    values,
)
from knownface.models.onnx_writer import Shape, message, node, tensor, value

_KERNEL, _ONE = "knownface/kernel", "knownface/one"
_ONE_NUMBER: tuple[list[bytes], ...] = ([], [b"\x08\x01"])
"""The lengths of a tensor of one number, as fields."""
_PLANES = 3
"""Axes of the slopes of a PReLU over pictures: one slope a channel, the same for all rows and columns."""


def is_block_quantised(content: bytes) -> bool:
    """Whether an ONNX file holds weights of a byte each with scales by block, as OpenCV publishes them."""
    if b"DequantizeLinear" not in content or b"block_size" not in content:
        return False
    nodes = (operation(node) for graph in values(memoryview(content), GRAPH) for node in values(graph, NODE))
    return any(node.kind == "DequantizeLinear" and node.attributes.get("block_size") for node in nodes)


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
        message(GRAPH, changed(part)) if number == GRAPH else bytes(whole)
        for number, whole, part in fields(memoryview(content))
    )


def _without_needless_inputs(graph: memoryview) -> bytes:
    parts = list(fields(graph))
    held = {name for number, _, tensor in parts if number == INITIALIZER for name in texts(tensor, TENSOR_NAME)}
    needed = _read(graph) - held
    return b"".join(
        whole for number, whole, part in parts if number != INPUT or not needed.isdisjoint(texts(part, VALUE_NAME))
    )


def _without_needless_blocks(graph: memoryview) -> bytes:
    single = {
        name
        for tensor in values(graph, INITIALIZER)
        if [bytes(whole) for number, whole, _ in fields(tensor) if number == TENSOR_LENGTHS] in _ONE_NUMBER
        for name in texts(tensor, TENSOR_NAME)
    }
    return b"".join(
        message(NODE, _without_attributes(part)) if number == NODE and _dequantises_by(part, single) else whole
        for number, whole, part in fields(graph)
    )


def _without_prelu(graph: memoryview) -> bytes:
    channels = {
        name: axes[0]
        for part in values(graph, INITIALIZER)
        if len(axes := lengths(part)) == _PLANES and axes[1:] == [1, 1]
        for name in texts(part, TENSOR_NAME)
    }
    parts, replaced = [], 0
    for number, whole, part in fields(graph):
        inputs = [bytes(name) for name in values(part, NODE_INPUT)] if number == NODE else []
        if number == NODE and texts(part, NODE_OPERATOR) == {b"PRelu"} and inputs[1] in channels:
            replaced += 1
            [output] = texts(part, NODE_OUTPUT)
            names = (inputs[0].decode(), inputs[1].decode(), output.decode())
            parts += [message(NODE, made) for made in _prelu(*names, channels[inputs[1]])]
        else:
            parts.append(bytes(whole))
    if replaced:
        parts += [message(INITIALIZER, tensor(_KERNEL, np.array([-1, 1, 1, 1], np.int64)))]
        parts += [message(INITIALIZER, tensor(_ONE, np.array(1, np.float32)))]
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
    inputs = [bytes(name) for name in values(node, NODE_INPUT)]
    return texts(node, NODE_OPERATOR) == {b"DequantizeLinear"} and inputs[1] in scales


def _without_attributes(node: memoryview) -> bytes:
    return b"".join(whole for number, whole, _ in fields(node) if number != NODE_ATTRIBUTE)


def _with_shape(graph: memoryview, shape: Shape) -> bytes:
    """A graph whose input has a shape, and which says no other."""
    parts = []
    for number, whole, part in fields(graph):
        if number in {INPUT, OUTPUT}:
            [name] = texts(part, VALUE_NAME)
            parts.append(message(number, value(name.decode(), shape if number == INPUT else None)))
        elif number != VALUE_INFO:
            parts.append(bytes(whole))
    return b"".join(parts)


def _read(graph: memoryview) -> set[bytes]:
    """Names that the operations read, those inside branches and loops among them, or that are handed out."""
    names: set[bytes] = set()
    for number, _, part in fields(graph):
        if number == OUTPUT:
            names |= texts(part, VALUE_NAME)
        elif number == NODE:
            names |= texts(part, NODE_INPUT)
            for attribute in values(part, NODE_ATTRIBUTE):
                names = names.union(*map(_read, values(attribute, ATTRIBUTE_GRAPH)))
    return names
