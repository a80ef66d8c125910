"""What a network of crops is fed with: its contract, its file loaded, and pixels as numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from knownface.errors import ModelError
from knownface.models.contract import InputContract
from knownface.models.entry import ModelEntry
from knownface.models.int8 import in_int8, quick_at_int8, read_ranges
from knownface.models.onnx_graph import with_free_batch
from knownface.models.ready import FOLDER, ready_network
from knownface.models.session import OnnxNetwork, Tensor, providers_of
from knownface.settings import Settings
from knownface.types import Image


def input_of(entry: ModelEntry) -> InputContract:
    """The input contract of a network of crops.

    Raises:
        ModelError: The entry has none.
    """
    if entry.input is None:
        hint = "`knownface models list` shows the task of every model."
        raise ModelError(f"{entry.name} takes no crops of faces.", hint)
    return entry.input


def open_network(
    entry: ModelEntry,
    files: Mapping[str, Path],
    settings: Settings,
    make: Callable[[], bytes | None] = lambda: None,
) -> OnnxNetwork:
    """The network of an entry with the table ``input``, loaded.

    Args:
        entry: The entry.
        files: Its files by part.
        settings: ``device``, ``int8``, ``batch_size``, ``threads`` and ``cache`` are used.
        make: Gives the network itself, where its file holds it in another format than ONNX; else None.

    Raises:
        ModelError: It cannot be loaded.
    """
    contract, path = input_of(entry), files["network"]
    name = entry.name
    if computes_in_int8(entry, settings):
        name, make = f"{name}-8bit", partial(_made_in_int8, entry, path, make)
    ready = ready_network(path, name, settings.cache / FOLDER, make) if _on_processor(settings) else None
    return OnnxNetwork(
        ready or path,
        content=None if ready else make(),
        device=settings.device,
        batch_size=settings.batch_size,
        per_item=contract.per_item,
        input_name=contract.input_name,
        output_name=contract.output_name,
        threads=settings.threads,
    )


def computes_in_int8(entry: ModelEntry, settings: Settings) -> bool:
    """Whether a network computes with bytes instead of floats.

    It does where the ranges that it takes were measured, and with them that nothing is lost, on a processor that is
    quicker so.

    Args:
        entry: The entry.
        settings: ``device`` and ``int8`` are used.
    """
    return bool(settings.int8 and entry.files[0].ranges and _on_processor(settings) and quick_at_int8())


def _on_processor(settings: Settings) -> bool:
    return providers_of(settings.device) == ["CPUExecutionProvider"]


def _made_in_int8(entry: ModelEntry, path: Path, make: Callable[[], bytes | None]) -> bytes:
    content = in_int8(make() or path.read_bytes(), read_ranges(entry.files[0].ranges))
    return with_free_batch(content, input_of(entry).shape(1)[1:])


def to_tensor(pixels: Image, contract: InputContract) -> Tensor:
    """Pixels as a network wants them: ``(x * scale - mean) / std`` in its order of colours and axes.

    Args:
        pixels: RGB ``uint8``, shape (n, height, width, 3).
        contract: The network's.

    Returns:
        Float32, shape (n, channels, height, width) for NCHW, (n, height, width, channels) for NHWC.
    """
    mean, std = np.array(contract.mean, np.float32), np.array(contract.std, np.float32)
    # A pixel has one of 256 values: looking its result up takes half the time of computing it.
    values = (np.arange(256, dtype=np.float32)[:, np.newaxis] * np.float32(contract.scale) - mean) / std
    table = np.broadcast_to(values, (256, max(values.shape[1], contract.channels)))
    if contract.colour == "GRAY":
        pixels = np.stack([cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in pixels])[..., np.newaxis]
    elif contract.colour == "BGR":
        pixels = pixels[..., ::-1]
    n, height, width, channels = pixels.shape
    planes = contract.layout == "NCHW"
    tensor = np.empty((n, channels, height, width) if planes else pixels.shape, dtype=np.float32)
    for channel in range(channels):
        target = tensor[:, channel] if planes else tensor[..., channel]
        target[:] = table[:, channel][pixels[..., channel]]
    return tensor
