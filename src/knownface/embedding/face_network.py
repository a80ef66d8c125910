"""Face-trained networks as ONNX, by their contract: MobileFaceNet, SFace, ArcFace, AdaFace, EdgeFace, FaceNet.

``crop = "aligned"`` warps the face onto ArcFace's five points, ``crop = "square"`` cuts a square around the box and
resizes it, as FaceNet wants it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from knownface.embedding.base import contract_of
from knownface.embedding.crops import crop_face, resize_crop
from knownface.embedding.network import embed_pixels
from knownface.models.entry import ModelEntry
from knownface.models.feeding import input_of, open_network
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
        self.fingerprint = self.contract.fingerprint
        self._entry = entry
        self._input = input_of(entry)
        self._network = network

    def crop(self, image: Image, face: Face) -> Image:
        """The aligned or square crop in the size of the network's input."""
        contract = self._input
        return crop_face(image, face, contract.crop, contract.height, contract.width, contract.crop_factor)

    def embed(self, crops: Sequence[Image]) -> Embeddings:
        """Unit vectors of the crops; see :class:`knownface.embedding.base.FaceEmbedder`."""
        height, width = self._input.height, self._input.width
        return embed_pixels(self._network, self._entry, crops, lambda crop: resize_crop(crop, height, width))


def _make(entry: ModelEntry, files: Mapping[str, Path], settings: Settings) -> FaceNetwork:
    return FaceNetwork(entry, open_network(entry, files, settings))


KIND = Kind(_make, crops=("aligned", "square"))
