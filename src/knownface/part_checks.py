"""A look at a detector, embedder or liveness check that needs no faces: does it run, and return what it should?"""

from __future__ import annotations

from importlib.metadata import EntryPoint

import numpy as np

from knownface.detection import choose_detector
from knownface.embedding import FaceEmbedder, load_embedder
from knownface.embedding.crops import MADE_FACE, MADE_SIDE
from knownface.errors import ModelError
from knownface.liveness import choose_liveness
from knownface.models import ModelStore
from knownface.models.entry import Task
from knownface.models.session import Device
from knownface.parts import DETECTORS, load_part, make_part
from knownface.pipeline import crop_of, embed_crops, find_faces
from knownface.settings import Settings
from knownface.types import Image

SHAPES = ((240, 320), (360, 640), (481, 353))
"""Height and width of the pictures that a detector is given: it must take any."""
CROPS = 8
LARGEST_DIFFERENCE = 1e-3
"""Between a vector alone and among others; graphics cards differ by some 1e-4."""


def check_detector(name: str, store: ModelStore) -> str:
    """Search made pictures, ramps with noise, for faces.

    Returns:
        One line for people.

    Raises:
        ModelError: The detector cannot be run, or finds faces where there are none.
    """
    detector, _ = choose_detector(Settings.model_construct(detector=name), store)
    rng = np.random.default_rng(20211)
    for height, width in SHAPES:
        ramp = np.linspace(0, 200, width) + rng.normal(0, 10, (height, width))
        grey = np.clip(ramp, 0, 255).astype(np.uint8)
        found = find_faces(np.repeat(grey[..., np.newaxis], 3, axis=2), detector)
        if found:
            raise ModelError(
                f"{name} finds {len(found)} faces in a picture of {width}x{height} pixels that shows none.",
                _advice(name, store, "Check that the file is the detector that its contract says."),
            )
    return f"runs on pictures of {len(SHAPES)} sizes and finds no face where there is none."


def check_embedder(name: str, store: ModelStore, device: Device = "auto") -> str:
    """Crop and embed made pictures, alone and together.

    Returns:
        One line for people: the length of the vectors and the largest difference.

    Raises:
        ModelError: The network cannot be run, its vectors depend on the batch, or all are the same.
    """
    embedder = load_embedder(name, store, device)
    crops = made_crops(embedder)
    together = embed_crops(crops, embedder)
    alone = np.concatenate([embed_crops([crop], embedder) for crop in crops])
    difference = float(np.abs(together - alone).max())
    if difference > LARGEST_DIFFERENCE:
        raise ModelError(
            f"{name} gives a picture another vector among others than alone: {difference:.1g} apart.",
            _advice(name, store, "Set per_item = true in the network's contract."),
        )
    if np.abs(together - together[0]).max() <= difference:
        raise ModelError(
            f"{name} gives every picture the same vector.",
            _advice(name, store, "Check scale, mean and std of its contract."),
        )
    return (
        f"gives {embedder.contract.dim} numbers a face; alone and in a batch of {CROPS} "
        f"they differ by at most {difference:.1g}."
    )


def check_liveness(name: str, store: ModelStore) -> str:
    """Score made pictures, alone and together.

    Returns:
        One line for people.

    Raises:
        ModelError: The network cannot be run, or its scores depend on the batch.
    """
    check, _ = choose_liveness(Settings.model_construct(liveness_check=name), store)
    crops = [check.crop(picture, MADE_FACE) for picture in _made_pictures(CROPS)]
    together = check.score(crops)
    alone = np.concatenate([check.score([crop]) for crop in crops])
    difference = float(np.abs(together - alone).max())
    if difference > LARGEST_DIFFERENCE:
        raise ModelError(
            f"{name} gives a picture another score among others than alone: {difference:.1g} apart.",
            _advice(name, store, "Set per_item = true in the network's contract."),
        )
    return f"gives a score a face; alone and in a batch of {CROPS} they differ by at most {difference:.1g}."


def task_of_script(name: str) -> Task:
    """What ``module:Factory`` makes, by what it can do.

    Raises:
        PartError: It cannot be imported or made.
    """
    point = EntryPoint(name, name, DETECTORS)
    part = make_part(point, load_part(point), object)
    if hasattr(part, "embed"):
        return "embedder"
    return "liveness" if hasattr(part, "score") else "detector"


def _advice(name: str, store: ModelStore, of_file: str) -> str:
    """The hint for a network's file; for a part that has none, one for its code."""
    return of_file if name in store.catalog else "Check the part's code."


def made_crops(embedder: FaceEmbedder, count: int = CROPS) -> list[Image]:
    """What an embedder sees of made pictures."""
    return [crop_of(picture, MADE_FACE, embedder) for picture in _made_pictures(count)]


def _made_pictures(count: int) -> list[Image]:
    """Different pictures with ramps and noise, the same on every machine."""
    rng = np.random.default_rng(20211)
    y, x = np.mgrid[:MADE_SIDE, :MADE_SIDE]
    ramps = np.stack([x * 255 // MADE_SIDE, y * 255 // MADE_SIDE, (x + y) * 127 // MADE_SIDE], axis=2)
    return [
        np.clip(np.roll(ramps, shift=i, axis=2) * (i + 1) / count + rng.normal(0, 20, ramps.shape), 0, 255).astype(
            np.uint8
        )
        for i in range(count)
    ]
