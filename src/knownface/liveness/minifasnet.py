"""MiniFASNet, the network of minivision's "Silent-Face-Anti-Spoofing": a face with some of what is around it.

The network was trained on crops of 2.7 times the box (V2) or 4 times (V1SE). What factor serves best in use depends on
how much of the picture a face fills, since a crop ends where the picture does; the catalogue has what was measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from knownface.errors import FaceError, ModelError
from knownface.liveness.base import Scores
from knownface.models.contract import fingerprinted
from knownface.models.entry import LivenessDefaults, ModelEntry
from knownface.models.feeding import input_of, open_network, to_tensor
from knownface.models.kinds import Kind
from knownface.models.session import OnnxNetwork, Tensor
from knownface.parts import digest_of
from knownface.settings import Settings
from knownface.types import Box, Face, Image


class MiniFasNet:
    """A network whose outputs say what a face is, one of them that it is alive.

    Args:
        entry: Of the catalogue, task ``liveness``.
        defaults: How its outputs are read.
        network: Its loaded file.
    """

    def __init__(self, entry: ModelEntry, defaults: LivenessDefaults, network: OnnxNetwork) -> None:
        self.name = entry.name
        self.threshold = defaults.threshold
        self._live = defaults.live
        self._input = input_of(entry)
        self._network = network
        weights = {file.part: file.sha256 for file in entry.files}
        self.fingerprint = digest_of(
            {"kind": entry.kind, "weights": weights, "live": defaults.live, "preprocessing": fingerprinted(self._input)}
        )

    def crop(self, image: Image, face: Face) -> Image:
        """The enlarged box in the size of the network's input."""
        grown = enlarged_crop(image, face.box, self._input.crop_factor)
        size = (self._input.width, self._input.height)
        return np.asarray(cv2.resize(grown, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)

    def score(self, crops: Sequence[Image]) -> Scores:
        """See :class:`knownface.liveness.base.LivenessCheck`."""
        if not crops:
            return np.empty(0, dtype=np.float32)
        pixels = np.stack(crops)
        log_odds = self._log_odds(to_tensor(pixels, self._input))
        if self._input.mirror:
            log_odds = 0.5 * (log_odds + self._log_odds(to_tensor(pixels[:, :, ::-1], self._input)))
        if not np.isfinite(log_odds).all():
            raise ModelError(f"{self.name} gave a number that is not finite.", "Check scale, mean and std.")
        return np.asarray(1 / (1 + np.exp(-log_odds)), dtype=np.float32)

    def _log_odds(self, batch: Tensor) -> Tensor:
        """Of the softmax of the output that speaks for a living face."""
        outputs = self._network.run(batch)
        if outputs.shape[1] != self._input.dim:
            raise ModelError(f"{self.name} gave {outputs.shape[1]} outputs, its contract says {self._input.dim}.")
        others = np.delete(outputs, self._live, axis=1)
        return np.asarray(outputs[:, self._live] - np.logaddexp.reduce(others, axis=1), dtype=np.float32)


def enlarged_crop(image: Image, box: Box, factor: float) -> Image:
    """The box with its sides times a factor, no more than the picture allows, moved to lie within the picture.

    Args:
        image: RGB.
        box: In pixels of the image.
        factor: At least 1. The longer of what the picture allows of either side counts for both, so that the shape of
            the box is kept.

    Returns:
        RGB, a view of the image.

    Raises:
        FaceError: The box lies outside the picture.
    """
    height, width = image.shape[:2]
    if box.right <= 0 or box.bottom <= 0 or box.x >= width or box.y >= height:
        raise FaceError(f"The face at {box.as_list()} lies outside its picture of {width}x{height} pixels.")
    factor = min(factor, (width - 1) / box.width, (height - 1) / box.height)
    grown = (max(1.0, factor * box.width), max(1.0, factor * box.height))
    left = min(max(0.0, box.center[0] - grown[0] / 2), width - grown[0])
    top = min(max(0.0, box.center[1] - grown[1] / 2), height - grown[1])
    x, y = max(0, int(left)), max(0, int(top))
    return image[y : y + round(grown[1]) + 1, x : x + round(grown[0]) + 1]


def _make(entry: ModelEntry, files: Mapping[str, Path], settings: Settings) -> MiniFasNet:
    if entry.liveness is None:
        raise ModelError(
            f"{entry.name} is no liveness check.", "`knownface models list` shows the task of every model."
        )
    return MiniFasNet(entry, entry.liveness, open_network(entry, files, settings))


KIND = Kind(_make, crops=("enlarged",))
