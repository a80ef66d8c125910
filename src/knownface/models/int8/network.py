"""A network that computes with bytes where it computed with floats: weights, and what flows between the layers.

Post-training static quantisation (Jacob et al., "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference", 2018): a value x is the byte ``round(x / scale) + zero``. Weights have a scale for
each output channel, what flows one for the whole value, from the range that was measured on faces. The operations are
ONNX Runtime's for bytes, written as such, so that nothing depends on what it recognises. A ReLU costs nothing: it is
where the bytes end. A PReLU is the larger of x and slope × x, for slopes up to 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from knownface.models import onnx_writer
from knownface.models.int8.balance import balanced, is_bent_in_bytes
from knownface.models.int8.ranges import Ranges
from knownface.models.onnx_folding import folded, only_readers
from knownface.models.onnx_reader import (
    GRAPH,
    INITIALIZER,
    INPUT,
    NODE,
    OUTPUT,
    VALUE_NAME,
    OnnxNode,
    fields,
    operations,
    texts,
)

Array: TypeAlias = npt.NDArray[Any]

_MICROSOFT = "com.microsoft"
_STEPS = 255
_LARGEST_WEIGHT = 127
_LEAST_SCALE = np.float32(1e-12)
_BLOCK = 1 << 16
"""Weights at a time: they stay in the processor's cache."""
_POSITIVE = {"Relu", "Clip"}
_MOVING = {"MaxPool", "Flatten", "Pad"}
"""Operations that give numbers that they were given, and zeros."""


def in_int8(content: bytes, ranges: Ranges) -> bytes:
    """A network in 8-bit whole numbers, for inputs of any number of items.

    Args:
        content: Of an ONNX file.
        ranges: Of what its convolutions read and give. A convolution that reads a value without one stays as it is.

    Raises:
        ValueError: It is no ONNX file.
        KeyError: No range is known of a value that would become bytes.
    """
    parts = list(fields(memoryview(content)))
    [graph] = (part for number, _, part in parts if number == GRAPH)
    nodes, constants = operations(graph)
    nodes = folded(nodes, constants)
    held = {name.encode() for name in constants}
    ends = [field for field in fields(graph) if field[0] in {INPUT, OUTPUT}]
    results = {str(name, "utf-8") for number, _, part in ends if number == OUTPUT for name in texts(part, VALUE_NAME)}
    writer = _Writer(constants, ranges, balanced(nodes, constants, ranges))
    writer.write(nodes, results)
    kept = [bytes(whole) for number, whole, part in ends if number == OUTPUT or not texts(part, VALUE_NAME) <= held]
    made = onnx_writer.message(GRAPH, b"".join([*writer.parts, *kept]))
    others = [bytes(whole) for number, whole, _ in parts if number != GRAPH]
    return b"".join([*others, onnx_writer.operators(_MICROSOFT, 1), made])


@dataclass(frozen=True, slots=True)
class _Bytes:
    """A value as bytes: its name, and what a byte stands for."""

    name: str
    scale: float
    zero: int


@dataclass(slots=True)
class _Writer:
    """Operations and constants so far, and which values there are as bytes and as floats."""

    constants: Mapping[str, Array]
    ranges: Ranges
    factors: Mapping[str, Array]
    parts: list[bytes] = field(default_factory=list)
    bytes_of: dict[str, _Bytes] = field(default_factory=dict)
    floats: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)

    def write(self, nodes: Sequence[OnnxNode], results: set[str]) -> None:
        """All operations, an activation along with what it follows."""
        next_of = only_readers(nodes)
        for node in nodes:
            after = next_of.get(node.outputs[0])
            follows = after if after is not None and after.kind in {"PRelu", *_POSITIVE} else None
            match node.kind:
                case "Relu" | "PRelu" | "Clip" if node.outputs[0] in self.bytes_of:
                    continue
                case "Conv" if self.can_be_bytes(node.inputs[0]):
                    self.convolution(node, follows)
                case "Add" if self.constants.keys().isdisjoint(node.inputs):
                    self.sum(node, follows)
                case "Gemm":
                    self.product(node)
                case "AveragePool" if node.inputs[0] in self.bytes_of:
                    self.average(node)
                case kind if kind in _MOVING and node.inputs[0] in self.bytes_of:
                    self.moved(node)
                case _:
                    self.plain(node)
        for name in results:
            self.as_floats(name)

    def convolution(self, node: OnnxNode, follows: OnnxNode | None) -> None:
        source, layer = self.as_bytes(node.inputs[0]), node.attributes
        weights, bias = self.constants[node.inputs[1]], self.constants[node.inputs[2]]
        output = (follows or node).outputs[0]
        if follows is None or follows.kind != "PRelu":
            self.convolved(source, weights, bias, self.target(output, positive=follows is not None), layer)
            return
        slopes = np.minimum(self.constants[follows.inputs[1]].ravel(), 1) * np.ones(len(weights), np.float32)
        kernel = slopes.reshape(-1, 1, 1, 1)
        given = self.target(node.outputs[0] if is_bent_in_bytes(follows, weights) else output)
        straight, bent = (_Bytes(f"{output}/{part}", given.scale, given.zero) for part in ("straight", "bent"))
        self.convolved(source, weights, bias, straight, layer)
        if is_bent_in_bytes(follows, weights):
            self.convolved(straight, kernel, np.zeros_like(slopes), bent, {"group": len(kernel)})
        else:
            self.convolved(source, weights * kernel, bias * slopes, bent, layer)
        self.bytes_of[output] = target = _Bytes(f"{output}/bytes", given.scale, given.zero)
        self.add("Max", [straight.name, bent.name], target.name)

    def convolved(
        self, source: _Bytes, weights: Array, bias: Array, target: _Bytes, layer: Mapping[str, onnx_writer.Attribute]
    ) -> None:
        kernel, scales, zeros, steps = self.weights(target.name, weights, bias, source)
        inputs = [source.name, *self.units(source), kernel, scales, zeros, *self.units(target), steps]
        self.add("QLinearConv", inputs, target.name, layer)

    def product(self, node: OnnxNode) -> None:
        source, output = self.as_bytes(node.inputs[0]), node.outputs[0]
        weights, bias = self.constants[node.inputs[1]], self.constants[node.inputs[2]]
        inputs = [source.name, *self.units(source), *self.weights(output, weights, bias, source)]
        self.add("QGemm", inputs, output, {"transB": 1, "alpha": 1.0}, _MICROSOFT)
        self.floats.add(output)

    def sum(self, node: OnnxNode, follows: OnnxNode | None) -> None:
        terms = [name for source in map(self.as_bytes, node.inputs) for name in (source.name, *self.units(source))]
        target = self.target((follows or node).outputs[0], positive=follows is not None)
        self.add("QLinearAdd", [*terms, *self.units(target)], target.name, domain=_MICROSOFT)

    def average(self, node: OnnxNode) -> None:
        source, target = self.like_input(node)
        units = self.units(source)
        self.add("QLinearAveragePool", [source.name, *units, *units], target.name, node.attributes, _MICROSOFT)

    def moved(self, node: OnnxNode) -> None:
        source, target = self.like_input(node)
        inputs = [source.name, *map(self.kept, node.inputs[1:2])]
        inputs += [self.units(source)[1]] if node.kind == "Pad" else []
        self.add(node.kind, inputs, target.name, node.attributes)

    def plain(self, node: OnnxNode) -> None:
        inputs = [self.kept(name) if name in self.constants else self.as_floats(name) for name in node.inputs]
        self.add(node.kind, inputs, node.outputs[0], node.attributes)
        self.floats.add(node.outputs[0])

    def can_be_bytes(self, name: str) -> bool:
        return name in self.bytes_of or name in self.ranges

    def as_bytes(self, name: str) -> _Bytes:
        if name not in self.bytes_of:
            target = self.target(name)
            self.add("QuantizeLinear", [name, *self.units(target)], target.name)
        return self.bytes_of[name]

    def as_floats(self, name: str) -> str:
        if name in self.bytes_of and name not in self.floats:
            source = self.bytes_of[name]
            self.add("DequantizeLinear", [source.name, *self.units(source)], name)
            self.floats.add(name)
        return name

    def like_input(self, node: OnnxNode) -> tuple[_Bytes, _Bytes]:
        source, output = self.bytes_of[node.inputs[0]], node.outputs[0]
        self.bytes_of[output] = target = _Bytes(f"{output}/bytes", source.scale, source.zero)
        return source, target

    def target(self, name: str, *, positive: bool = False) -> _Bytes:
        low, high = self.ranges[name] / self.factors.get(name, np.float32(1))
        low, high = 0.0 if positive else min(float(low.min()), 0.0), max(float(high.max()), 0.0)
        scale = float(np.float32((high - low or 1.0) / _STEPS))
        self.bytes_of[name] = made = _Bytes(f"{name}/bytes", scale, round(-low / scale))
        return made

    def weights(self, name: str, weights: Array, bias: Array, source: _Bytes) -> list[str]:
        """Names of the weights as bytes, their scales and zeros, and the bias in steps of the products."""
        kernel, scales = _in_bytes(weights)
        steps = np.rint(bias / (scales * np.float32(source.scale))).astype(np.int32)
        held = {"kernel": kernel, "scales": scales, "zeros": np.zeros(len(scales), np.int8), "bias": steps}
        return [self.constant(f"{name}/{part}", values) for part, values in held.items()]

    def units(self, value: _Bytes) -> tuple[str, str]:
        scale = self.constant(f"scale {value.scale}", np.array(value.scale, np.float32))
        return scale, self.constant(f"zero {value.zero}", np.array(value.zero, np.uint8))

    def kept(self, name: str) -> str:
        return self.constant(name, self.constants[name])

    def constant(self, name: str, values: Array) -> str:
        if name not in self.written:
            self.written.add(name)
            self.parts.append(onnx_writer.message(INITIALIZER, onnx_writer.tensor(name, values)))
        return name

    def add(
        self,
        kind: str,
        inputs: Sequence[str],
        output: str,
        attributes: Mapping[str, onnx_writer.Attribute] | None = None,
        domain: str = "",
    ) -> None:
        self.parts.append(onnx_writer.message(NODE, onnx_writer.node(kind, inputs, output, attributes, domain)))


def _in_bytes(weights: Array) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Weights as bytes, and the scale of each output channel, which is the first axis."""
    rows = weights.reshape(len(weights), -1)
    scales = np.maximum(np.maximum(rows.max(axis=1), -rows.min(axis=1)) / _LARGEST_WEIGHT, _LEAST_SCALE)
    whole = np.empty(rows.shape, np.int8)
    block = max(1, _BLOCK // rows.shape[1])
    for start in range(0, len(rows), block):
        part = rows[start : start + block] * (1 / scales[start : start + block, np.newaxis])
        whole[start : start + block] = np.rint(part, out=part)
    return whole.reshape(weights.shape), scales.astype(np.float32)
