"""A network as few operations: what constants alone make is computed, and normalisation goes into convolutions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from knownface.models.onnx_reader import OnnxNode

Array = npt.NDArray[Any]

_PASSING = {"Dropout"}
"""Operations that hand on what they are given."""
_EPSILON = 1e-5
"""Of a batch normalisation that states none."""


def folded(nodes: Sequence[OnnxNode], constants: dict[str, Array]) -> list[OnnxNode]:
    """The operations that are left of a network's; ``constants`` gets what was computed."""
    left: list[OnnxNode] = []
    same: dict[str, str] = {}
    for given in nodes:
        node = replace(given, inputs=tuple(same.get(name, name) for name in given.inputs))
        held = [constants[name] for name in node.inputs if name in constants]
        whole = len(held) == len(node.inputs)
        if node.kind in _PASSING:
            same[node.outputs[0]] = node.inputs[0]
        elif node.kind == "DequantizeLinear" and whole:
            constants[node.outputs[0]] = _dequantised(node, *held)
        elif node.kind == "Reshape" and whole:
            constants[node.outputs[0]] = held[0].reshape(held[1].tolist())
        else:
            left.append(node)
    return _without_normalisation(left, constants)


def only_readers(nodes: Sequence[OnnxNode]) -> dict[str, OnnxNode]:
    """The operation that alone reads a value, by the value's name, where that is its first input."""
    count = Counter(name for node in nodes for name in set(node.inputs))
    return {node.inputs[0]: node for node in nodes if node.inputs and count[node.inputs[0]] == 1}


def _dequantised(node: OnnxNode, given: Array, scales: Array, zeros: Array | None = None) -> Array:
    """Numbers with one scale for all, or one for each block of numbers that follow each other on an axis."""
    axis: Any = node.attributes.get("axis", 1)
    made = given.astype(np.float32)
    if scales.size > 1:
        made = made.reshape(*scales.shape[: axis + 1], -1, *scales.shape[axis + 1 :])
        scales = np.expand_dims(scales, axis + 1)
        zeros = None if zeros is None else np.expand_dims(zeros, axis + 1)
    if zeros is not None and zeros.any():
        made -= zeros
    made *= scales
    return made.reshape(given.shape)


def _without_normalisation(nodes: list[OnnxNode], constants: dict[str, Array]) -> list[OnnxNode]:
    """Batch normalisation that follows a convolution as part of its weights and biases."""
    reader_of = only_readers(nodes)
    left: dict[str, OnnxNode] = {}
    for node in nodes:
        source = left.get(node.inputs[0])
        alone = source is not None and source.kind == "Conv" and node.inputs[0] in reader_of
        if node.kind == "BatchNormalization" and alone and source is not None:
            del left[node.inputs[0]]
            left[node.outputs[0]] = _normalised(source, node, constants)
        else:
            left[node.outputs[0]] = node
    return list(left.values())


def _normalised(source: OnnxNode, node: OnnxNode, constants: dict[str, Array]) -> OnnxNode:
    gamma, beta, mean, variance = (constants[name].astype(np.float64) for name in node.inputs[1:5])
    epsilon: Any = node.attributes.get("epsilon", _EPSILON)
    factors = gamma / np.sqrt(variance + epsilon)
    weights = constants[source.inputs[1]]
    bias = constants[source.inputs[2]] if len(source.inputs) > 2 else 0.0
    output = node.outputs[0]
    kernel, terms = f"{output}/kernel", f"{output}/bias"
    constants[kernel] = weights * factors.astype(np.float32).reshape(-1, *(1,) * (weights.ndim - 1))
    constants[terms] = ((bias - mean) * factors + beta).astype(np.float32)
    return replace(source, inputs=(source.inputs[0], kernel, terms), outputs=(output,))
