"""What was measured once of a network on faces: the least and the greatest number of each channel of each value."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Ranges: TypeAlias = Mapping[str, npt.NDArray[np.float32]]
"""By the name of a value of the network: float32 of shape (2, channels), the least and the greatest number."""


def read_ranges(name: str) -> Ranges:
    """The ranges that are shipped under a name, which an entry of the catalogue gives with its file."""
    with (resources.files(__package__) / f"{name}.npz").open("rb") as file, np.load(file) as held:
        ends = np.cumsum(held["channels"])[:-1]
        parts = np.split(held["ranges"].astype(np.float32), ends, axis=1)
        return dict(zip(held["names"].tolist(), parts, strict=True))


def write_ranges(path: Path, ranges: Ranges) -> None:
    """Ranges as a file of this package; half precision is finer than one of 255 steps."""
    channels = [part.shape[1] for part in ranges.values()]
    whole = np.concatenate(list(ranges.values()), axis=1).astype(np.float16)
    np.savez_compressed(path, names=np.array(list(ranges)), channels=np.array(channels), ranges=whole)
