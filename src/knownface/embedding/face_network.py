"""Face-trained networks as ONNX, by their contract: MobileFaceNet, SFace, ArcFace, AdaFace, EdgeFace, FaceNet.

``crop = "aligned"`` warps the face onto ArcFace's five points, ``crop = "square"`` cuts a square around the box and
resizes it, as FaceNet wants it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from knownface.embedding.base import contract_of
from knownface.embedding.crops import align_five_points, square_crop
from knownface.embedding.network import embed_pixels, input_of, open_network
from knownface.models.entry import ModelEntry
from knownface.models.kinds import Kind
from knownface.models.session import OnnxNetwork
from knownface.settings import Settings
from knownface.types import EmbedderContract, Embeddings, Face, Image


class FaceNetwork:
    """A face-trained network.

    Args:
        entry: Of the catalogue, kind ``face-network``.
        network: Its loaded file.
    """

    def __init__(self, entry: ModelEntry, network: OnnxNetwork) -> None:
        self.contract: EmbedderContract = contract_of(entry)
        self._entry = entry
        self._input = input_of(entry)
        self._network = network

    def crop(self, image: Image, face: Face) -> Image:
        """The aligned or square crop in the size of the network's input."""
        if self._input.crop == "aligned":
            return align_five_points(image, face.landmarks, self._input.size)
        return self._resized(square_crop(image, face.box, self._input.crop_factor))

    def embed(self, crops: Sequence[Image]) -> Embeddings:
        """Unit vectors of the crops; see :class:`knownface.embedding.base.FaceEmbedder`."""
        return embed_pixels(self._network, self._entry, crops, self._resized)

    def _resized(self, crop: Image) -> Image:
        size = self._input.size
        if crop.shape[:2] == (size, size):
            return crop
        interpolation = cv2.INTER_AREA if min(crop.shape[:2]) > size else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(crop, (size, size), interpolation=interpolation), dtype=np.uint8)


def _make(entry: ModelEntry, files: Mapping[str, Path], settings: Settings) -> FaceNetwork:
    return FaceNetwork(entry, open_network(entry, files, settings))


KIND = Kind(_make, crops=("aligned", "square"))
