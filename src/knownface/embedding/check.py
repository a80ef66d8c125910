"""Does a network give what its contract says? Checked without faces."""

from __future__ import annotations

import numpy as np

from knownface.embedding.load import load_embedder
from knownface.embedding.network import input_of
from knownface.errors import ModelError
from knownface.models.contract import InputContract
from knownface.models.session import Device
from knownface.models.store import ModelStore
from knownface.types import Image

PICTURES = 8
LARGEST_DIFFERENCE = 1e-3
"""Between a picture alone and among others; graphics cards differ by some 1e-4."""


def check_network(name: str, store: ModelStore, device: Device = "auto") -> str:
    """Embed made pictures alone and together.

    Returns:
        One line for people: the length of the vectors and the largest difference.

    Raises:
        ModelError: The network cannot be run, its vectors depend on the batch, or all are the same.
    """
    embedder = load_embedder(name, store, device)
    pictures = made_pictures(input_of(store.entry(name)))
    together = embedder.embed(pictures)
    alone = np.concatenate([embedder.embed([picture]) for picture in pictures])
    difference = float(np.abs(together - alone).max())
    if difference > LARGEST_DIFFERENCE:
        raise ModelError(
            f"{name} gives a picture another vector among others than alone: {difference:.1g} apart.",
            "Set per_item = true in the network's contract.",
        )
    if np.abs(together - together[0]).max() <= difference:
        raise ModelError(f"{name} gives every picture the same vector.", "Check scale, mean and std of its contract.")
    return (
        f"gives {embedder.contract.dim} numbers a face; alone and in a batch of {PICTURES} "
        f"they differ by at most {difference:.1g}."
    )


def made_pictures(contract: InputContract) -> list[Image]:
    """Different pictures with ramps and noise, the same on every machine, in the size of a network's input.

    Returns:
        RGB, each of shape (height, width, 3).
    """
    rng = np.random.default_rng(20211)
    height, width = contract.height, contract.width
    y, x = np.mgrid[:height, :width]
    ramps = np.stack([x * 255 // width, y * 255 // height, (x + y) * 127 // max(height, width)], axis=2)
    return [
        np.clip(np.roll(ramps, shift=i, axis=2) * (i + 1) / PICTURES + rng.normal(0, 20, ramps.shape), 0, 255).astype(
            np.uint8
        )
        for i in range(PICTURES)
    ]
