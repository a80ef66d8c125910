"""What all embedders with an ONNX network share: from pixels to unit vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from knownface.embedding.base import unit_vectors
from knownface.models.entry import ModelEntry
from knownface.models.feeding import input_of, to_tensor
from knownface.models.session import OnnxNetwork
from knownface.types import Embeddings, Image


def embed_pixels(
    network: OnnxNetwork, entry: ModelEntry, crops: Sequence[Image], prepare: Callable[[Image], Image]
) -> Embeddings:
    """Unit vectors of crops, a batch at a time so that memory stays bounded.

    Args:
        network: The loaded file.
        entry: Its entry.
        crops: RGB.
        prepare: Brings one crop to the size of the network's input.

    Returns:
        Shape (n, dim).
    """
    contract = input_of(entry)
    vectors = np.empty((len(crops), contract.dim), dtype=np.float32)
    for start in range(0, len(crops), network.batch_size):
        pixels = np.stack([prepare(crop) for crop in crops[start : start + network.batch_size]])
        made = unit_vectors(network.run(to_tensor(pixels, contract)), contract.dim, entry.name)
        if contract.mirror:
            raw = network.run(to_tensor(pixels[:, :, ::-1], contract))
            made = unit_vectors(made + unit_vectors(raw, contract.dim, entry.name), contract.dim, entry.name)
        vectors[start : start + len(pixels)] = made
    return vectors
