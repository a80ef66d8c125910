"""Measure on faces between which numbers the values of a network lie: what it is made of to compute in 8 bits.

    python benchmarks/int8_ranges.py sface-int8bq PHOTOS/ --out src/knownface/models/int8/sface-int8bq.npz

The largest face of photos evenly spread over the folder goes through the network as it computes with floats; of each
channel of each value that becomes bytes the least and the greatest number is written. Values that are left out stay
floats (``--floats``): the first layers of a network are few operations, and what they lose all others inherit.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from knownface.detection import choose_detector
from knownface.embedding.load import load_embedder
from knownface.errors import KnownFaceError
from knownface.media import read_image
from knownface.models import ModelStore
from knownface.models.dlib import converted
from knownface.models.feeding import input_of, to_tensor
from knownface.models.int8 import Ranges, in_int8, write_ranges
from knownface.models.onnx_folding import folded
from knownface.models.onnx_graph import without_needless_blocks, without_needless_inputs
from knownface.models.onnx_reader import GRAPH, OUTPUT, VALUE_NAME, fields, operations, texts, values
from knownface.models.onnx_writer import message, value
from knownface.models.session import load_session
from knownface.pipeline import crop_of, find_faces
from knownface.settings import Settings, load_settings
from knownface.types import Image


def main() -> None:
    """Read the options, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("network", help="name of an embedder of the catalogue")
    parser.add_argument("photos", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="the file, .npz")
    parser.add_argument("--faces", type=int, default=64)
    parser.add_argument("--floats", type=int, default=0, help="how many of the first values stay floats")
    args = parser.parse_args()
    settings = load_settings()
    store = ModelStore(settings.models, settings.cache)
    entry, path = store.entry(args.network), store.files(args.network)["network"]
    content = without_needless_inputs(without_needless_blocks(converted(path) or path.read_bytes()))
    crops = list(_crops(args.network, sorted(args.photos.rglob("*")), args.faces, settings, store))
    tensors = to_tensor(np.stack(crops), input_of(entry))
    [graph] = values(memoryview(content), GRAPH)
    order = [node.outputs[0] for node in folded(*operations(graph))]
    ranges = _Used(_extremes(path, content, (tensor[np.newaxis] for tensor in tensors)))
    in_int8(content, ranges)
    first = [name for name in order if name in ranges.used][: args.floats]
    write_ranges(args.out, {name: found for name, found in ranges.used.items() if name not in first})
    print(f"{args.out}: {len(ranges.used)} values, {len(crops)} faces, {args.out.stat().st_size} bytes")


class _Used(dict[str, np.ndarray]):
    """Ranges that remember which of them were asked for."""

    def __init__(self, ranges: Ranges) -> None:
        super().__init__(ranges)
        self.used: dict[str, np.ndarray] = {}

    def __getitem__(self, name: str) -> np.ndarray:
        self.used[name] = found = super().__getitem__(name)
        return found


def _crops(name: str, files: Sequence[Path], count: int, settings: Settings, store: ModelStore) -> Iterator[Image]:
    detector, embedder = choose_detector(settings, store)[0], load_embedder(name, store, int8=False)
    photos = [file for file in files if file.is_file()]
    for file in photos[:: max(1, len(photos) // count)][:count]:
        try:
            picture = read_image(file, settings.max_pixels)
            yield crop_of(picture, find_faces(picture, detector)[0], embedder)
        except (KnownFaceError, IndexError):
            print(f"{file}: no face that can be used")


def _extremes(path: Path, content: bytes, inputs: Iterable[np.ndarray]) -> dict[str, np.ndarray]:
    """Of each value of the network; of pictures by channel, else of the whole value."""
    [graph] = values(memoryview(content), GRAPH)
    results = {name for part in values(graph, OUTPUT) for name in texts(part, VALUE_NAME)}
    inner = [node.outputs[0] for node in folded(*operations(graph)) if node.outputs[0].encode() not in results]
    outputs = b"".join(message(OUTPUT, value(name, None)) for name in inner)
    parts = [
        message(GRAPH, bytes(part) + outputs) if number == GRAPH else bytes(whole)
        for number, whole, part in fields(memoryview(content))
    ]
    session = load_session(path, ["CPUExecutionProvider"], 1, b"".join(parts))
    met: dict[str, np.ndarray] = {}
    for given in inputs:
        for name, found in zip(inner, session.run(inner, {session.get_inputs()[0].name: given}), strict=True):
            axes = (0, 2, 3) if found.ndim == 4 else None
            low, high = np.atleast_1d(found.min(axis=axes)), np.atleast_1d(found.max(axis=axes))
            before = met.get(name, np.stack([low, high]))
            met[name] = np.stack([np.minimum(low, before[0]), np.maximum(high, before[1])])
    return met


if __name__ == "__main__":
    main()
