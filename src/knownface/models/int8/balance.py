"""Channels of one value brought to like ranges, since all of them share the steps of one byte.

What a convolution gives is divided by a factor for each channel, and what reads it multiplies by it: the network stays
the same, since a ReLU and a PReLU pass a positive factor on (Nagel et al., "Data-Free Quantization Through Weight
Equalization and Bias Correction", 2019). Where a convolution of single channels reads, whose weights have a scale for
each, the factor is the channel's range; else the geometric mean of it and of how small the weights are that read it
(Xiao et al., "SmoothQuant", 2023).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from knownface.models.int8.ranges import Ranges
from knownface.models.onnx_folding import only_readers
from knownface.models.onnx_reader import OnnxNode

Array: TypeAlias = npt.NDArray[Any]

_LEAST_FACTOR = 0.01
"""Of a channel that is nearly always 0."""


def balanced(nodes: Sequence[OnnxNode], constants: dict[str, Array], ranges: Ranges) -> dict[str, Array]:
    """Change the weights; what each channel of a value was divided by, of those values that were changed.

    Args:
        nodes: A network's operations; their convolutions have biases.
        constants: Its weights, which are changed.
        ranges: By channel.
    """
    factors: dict[str, Array] = {}
    for source, through, reader in _chains(nodes):
        weights = constants[source.inputs[1]]
        read = constants[reader.inputs[1]]
        if len(weights) != read.shape[0 if read.shape[1] == 1 else 1]:
            continue  # grouped otherwise
        stored = source if is_bent_in_bytes(through, weights) else through
        if stored.outputs[0] not in ranges:
            continue
        factor = _factors(np.abs(ranges[stored.outputs[0]]).max(axis=0), read)
        constants[source.inputs[1]] = weights / factor.reshape(-1, 1, 1, 1)
        constants[source.inputs[2]] = constants[source.inputs[2]] / factor
        constants[reader.inputs[1]] = read * factor.reshape((-1, 1, 1, 1) if read.shape[1] == 1 else (1, -1, 1, 1))
        factors |= dict.fromkeys((source.outputs[0], through.outputs[0]), factor)
    return factors


def is_bent_in_bytes(through: OnnxNode, weights: Array) -> bool:
    """Whether a PReLU is computed of bytes: a convolution of single channels is cheap enough to run twice."""
    return through.kind == "PRelu" and weights.shape[1] > 1


def _chains(nodes: Sequence[OnnxNode]) -> Iterator[tuple[OnnxNode, OnnxNode, OnnxNode]]:
    """A convolution, its activation (or itself), and the convolution that alone reads what comes out."""
    next_of = only_readers(nodes)
    for source in nodes:
        through = reader = next_of.get(source.outputs[0])
        if source.kind == "Conv" and reader is not None:
            if reader.kind in {"Relu", "PRelu"}:
                reader = next_of.get(reader.outputs[0])
            else:
                through = source
            if through is not None and reader is not None and reader.kind == "Conv":
                yield source, through, reader


def _factors(spans: Array, read: Array) -> npt.NDArray[np.float32]:
    if read.shape[1] > 1:
        spans = np.sqrt(spans / np.maximum(np.abs(read).max(axis=(0, 2, 3)), 1e-12))
    made: npt.NDArray[np.float32] = np.maximum(spans / max(np.median(spans), 1e-12), _LEAST_FACTOR).astype(np.float32)
    return made
