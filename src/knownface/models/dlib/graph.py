"""dlib's face recognition network as an ONNX network with the same output, several times faster than dlib runs it.

The layers and what they do at the border are dlib's (``dlib/dnn/layers.h``, ``dlib/cuda/cpu_dlib.cpp``):

- a convolution or pool of stride 2 has no padding, and rows that do not fill a window are left out;
- ``affine`` is what batch normalisation became after training: it is folded into the convolution before it;
- ``add_prev`` adds two pictures of different size or depth as if zeros lay below, right and behind the smaller one;
- where a block halves its picture, the way around it is an average over 2 x 2 pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from knownface.errors import ModelError
from knownface.models import onnx_writer
from knownface.models.dlib.weights import DlibLayer, DlibNetwork, Weights, read_dlib_network

_PIXEL_RANGE = 256
"""dlib divides by this, not by 255."""


def converted(path: Path) -> bytes | None:
    """What ONNX Runtime runs of a file that it cannot read itself, dlib's; None for an ONNX file."""
    return dlib_as_onnx(path) if path.suffix == ".dat" else None


def dlib_as_onnx(path: Path) -> bytes:
    """The content of an ONNX file made of dlib's file.

    Its input is ``chips``, float32 of shape (n, side, side, 3): RGB from 0 to 255; its output ``vectors`` of shape
    (n, dim), as dlib gives them, before they are scaled to unit length.

    Raises:
        ModelError: The file cannot be read, is damaged, or holds another network.
    """
    network = read_dlib_network(path)
    try:
        return _written(network)
    except (ValueError, IndexError, StopIteration) as error:
        raise ModelError(f"{path} holds another network than dlib's face recognition: {error}.") from error


@dataclass(frozen=True, slots=True)
class _Picture:
    """What an operation gives: its name, channels and side."""

    name: str
    channels: int
    side: int


@dataclass(slots=True)
class _Graph:
    """Operations and constants so far."""

    nodes: list[bytes] = field(default_factory=list)
    tensors: list[bytes] = field(default_factory=list)

    def add(self, kind: str, *inputs: str, **attributes: onnx_writer.Attribute) -> str:
        name = f"{kind}{len(self.nodes)}"
        self.nodes.append(onnx_writer.node(kind, inputs, name, attributes))
        return name

    def constant(self, values: npt.NDArray[np.float32] | npt.NDArray[np.int64]) -> str:
        name = f"constant{len(self.tensors)}"
        self.tensors.append(onnx_writer.tensor(name, values))
        return name


def _written(network: DlibNetwork) -> bytes:
    graph = _Graph()
    mean = np.array(network.mean, np.float32).reshape(1, 3, 1, 1)
    planes = graph.add("Transpose", "chips", perm=[0, 3, 1, 2])
    centred = graph.add("Sub", planes, graph.constant(mean))
    scaled = graph.add("Div", centred, graph.constant(np.array(_PIXEL_RANGE, np.float32)))
    top = _body(graph, iter(network.layers), _Picture(scaled, 3, network.size))
    # The last operation's name is what the caller reads.
    graph.nodes.append(onnx_writer.node("Identity", [top.name], "vectors"))
    side = network.size
    return onnx_writer.network(
        graph.nodes, graph.tensors, ("chips", ("n", side, side, 3)), ("vectors", ("n", top.channels))
    )


def _body(graph: _Graph, layers: Iterator[DlibLayer], now: _Picture) -> _Picture:
    around = now  # where the block that is being written began: what the next add_prev adds
    for layer in layers:
        match layer.kind:
            case "con_4":
                now = _convolution(graph, layer, next(layers), now)
            case "relu_":
                now = replace(now, name=graph.add("Relu", now.name))
            case "max_pool_2":
                now = around = _pool(graph, "MaxPool", layer, now)
            case "avg_pool_2" if layer.shape[0]:
                around = _pool(graph, "AveragePool", layer, around)
            case "avg_pool_2":
                flat = graph.add("Flatten", graph.add("GlobalAveragePool", now.name))
                now = _Picture(flat, now.channels, 1)
            case "add_prev_":
                now = _sum(graph, now, around)
                now = around = replace(now, name=graph.add("Relu", now.name))
                _must_be(next(layers), "relu_")
            case "fc_2":
                outputs, inputs = layer.shape
                weights = graph.constant(layer.weights.reshape(inputs, outputs))
                now = _Picture(graph.add("MatMul", now.name, weights), outputs, 1)
    return now


def _convolution(graph: _Graph, layer: DlibLayer, affine: DlibLayer, now: _Picture) -> _Picture:
    _must_be(affine, "affine_")
    filters, rows, columns, stride, _, padding, _ = layer.shape
    size = filters * now.channels * rows * columns
    weights, biases = layer.weights[:size], layer.weights[size:]
    factors, terms = affine.weights.astype(np.float64).reshape(2, filters)
    with np.errstate(over="ignore", invalid="ignore"):
        folded = weights.reshape(filters, -1) * factors[:, None]
        kernel: Weights = folded.reshape(filters, now.channels, rows, columns).astype(np.float32)
        bias: Weights = (biases * factors + terms).astype(np.float32)
    if not (np.isfinite(kernel).all() and np.isfinite(bias).all()):
        raise ValueError("weights beyond what 32 bits hold")
    name = graph.add(
        "Conv",
        now.name,
        graph.constant(kernel),
        graph.constant(bias),
        kernel_shape=[rows, columns],
        strides=[stride, stride],
        pads=[padding] * 4,
    )
    return _Picture(name, filters, 1 + (now.side + 2 * padding - rows) // stride)


def _pool(graph: _Graph, kind: str, layer: DlibLayer, now: _Picture) -> _Picture:
    window, _, stride, _, padding, _ = layer.shape
    name = graph.add(kind, now.name, kernel_shape=[window] * 2, strides=[stride] * 2, pads=[padding] * 4)
    return _Picture(name, now.channels, 1 + (now.side + 2 * padding - window) // stride)


def _sum(graph: _Graph, a: _Picture, b: _Picture) -> _Picture:
    channels, side = max(a.channels, b.channels), max(a.side, b.side)
    name = graph.add("Add", _padded(graph, a, channels, side), _padded(graph, b, channels, side))
    return _Picture(name, channels, side)


def _padded(graph: _Graph, now: _Picture, channels: int, side: int) -> str:
    if (now.channels, now.side) == (channels, side):
        return now.name
    more = side - now.side
    ends = np.array([0, 0, 0, 0, 0, channels - now.channels, more, more], np.int64)
    return graph.add("Pad", now.name, graph.constant(ends))


def _must_be(layer: DlibLayer, kind: str) -> None:
    if layer.kind != kind:
        raise ValueError(f"{layer.kind} instead of {kind}")
