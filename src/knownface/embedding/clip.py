"""CLIP image encoders (Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", 2021).

CLIP sees a loose square around the face; the preprocessing is OpenAI's, pixel for pixel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import PIL.Image

from knownface.embedding.base import contract_of
from knownface.embedding.crops import square_crop
from knownface.embedding.network import embed_pixels
from knownface.models.entry import ModelEntry
from knownface.models.feeding import input_of, open_network
from knownface.models.kinds import Kind
from knownface.models.session import OnnxNetwork
from knownface.settings import Settings
from knownface.types import EmbedderContract, Embeddings, Face, Image


class ClipEmbedder:
    """The image encoder of a CLIP.

    Args:
        entry: Of the catalogue, kind ``clip``.
        network: Its loaded file; the output is the projected image embedding.
    """

    def __init__(self, entry: ModelEntry, network: OnnxNetwork) -> None:
        self.contract: EmbedderContract = contract_of(entry)
        self.fingerprint = self.contract.fingerprint
        self._entry = entry
        self._input = input_of(entry)
        self._side = self._input.side
        self._network = network

    def crop(self, image: Image, face: Face) -> Image:
        """A loose square around the face, in the size of the network's input."""
        return clip_pixels(square_crop(image, face.box, self._input.crop_factor), self._side)

    def embed(self, crops: Sequence[Image]) -> Embeddings:
        """Unit vectors of the crops; see :class:`knownface.embedding.base.FaceEmbedder`."""
        return embed_pixels(self._network, self._entry, crops, lambda crop: clip_pixels(crop, self._side))


def clip_pixels(image: Image, size: int = 224) -> Image:
    """CLIP's preprocessing up to the pixel values: the shorter side to ``size``, then the middle square.

    Bicubic with antialiasing, as Pillow does it and the CLIP networks were trained with. A picture of the right size
    is left as it is, so applying this twice changes nothing.

    Args:
        image: RGB of any size.
        size: Side of the network's input.

    Returns:
        RGB, shape (size, size, 3).
    """
    height, width = image.shape[:2]
    if (height, width) == (size, size):
        return image
    shorter = min(height, width)
    target = (int(size * width / shorter), int(size * height / shorter))
    resized = np.asarray(PIL.Image.fromarray(image).resize(target, PIL.Image.Resampling.BICUBIC))
    top, left = (resized.shape[0] - size) // 2, (resized.shape[1] - size) // 2
    return resized[top : top + size, left : left + size]


def _make(entry: ModelEntry, files: Mapping[str, Path], settings: Settings) -> ClipEmbedder:
    return ClipEmbedder(entry, open_network(entry, files, settings))


KIND = Kind(_make, crops=("square",))
