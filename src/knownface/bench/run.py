"""The run: what is measured, in which order."""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeAlias

from knownface import __version__
from knownface.bench.pictures import read_pictures, tiled
from knownface.bench.result import BenchResult, Figure
from knownface.bench.searching import search_figures
from knownface.bench.timing import seconds_of
from knownface.detection import FaceDetector, choose_detector
from knownface.embedding import load_embedder
from knownface.errors import FaceError, ModelError
from knownface.installing import installed_version
from knownface.media import read_image, write_image
from knownface.models import ModelStore
from knownface.models.int8 import quick_at_int8
from knownface.models.session import cuda_offered, usable_processors
from knownface.part_checks import made_crops
from knownface.recognizer import FaceRecognizer
from knownface.settings import Settings
from knownface.types import Image

FRAMES = ((320, 180), (640, 360), (1280, 720), (1920, 1080))
BATCHES = (1, 8, 32)
_FEWEST_PHOTOS = 8
"""Named at a time: fewer photos would leave processors without work."""
_PACKAGES = ("onnxruntime", "opencv-python-headless", "faiss-cpu", "numpy")

OnFigure: TypeAlias = Callable[[Figure], None]


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """What is measured, and for how long.

    Attributes:
        data: Folder of photos; None takes the face that scikit-image ships.
        embedders: As ``--embedder`` takes them; empty: all whose weights are on this machine.
        sizes: Templates in the galleries that are searched.
        dim: Length of the vectors searched.
        seconds: For each figure.
        frames: Width and height of the pictures that detection is measured on.
    """

    data: Path | None = None
    embedders: Sequence[str] = ()
    sizes: Sequence[int] = (1_000, 10_000, 100_000)
    dim: int = 512
    seconds: float = 1.0
    frames: Sequence[tuple[int, int]] = FRAMES


def run_bench(settings: Settings, options: BenchOptions, on_figure: OnFigure = lambda _: None) -> BenchResult:
    """Measure this machine.

    Args:
        settings: Detector, embedder, device, threads and batch size.
        options: What, and for how long.
        on_figure: Called with each figure as soon as it is known.

    Raises:
        InputError: The folder holds no photo that can be read.
        ModelError: An embedder asked for cannot be run.
    """
    store = ModelStore(settings.models, settings.cache)
    pictures = read_pictures(options.data, settings.max_pixels)
    detector, why = choose_detector(settings, store)
    notes: list[str] = [why]
    figures: list[Figure] = []
    stages = (
        _detection(detector, pictures, options),
        _embedding(settings, store, options),
        search_figures(options.sizes, options.dim, options.seconds),
        _end_to_end(settings, store, pictures, options, notes),
    )
    for stage in stages:
        for figure in stage:
            figures.append(figure)
            on_figure(figure)
    return BenchResult(_machine(settings), datetime.now(UTC), tuple(figures), tuple(notes))


def _detection(detector: FaceDetector, pictures: Sequence[Image], options: BenchOptions) -> Iterator[Figure]:
    for width, height in options.frames:
        frame = tiled(pictures, width, height)
        seconds = seconds_of(partial(detector.detect, frame), options.seconds)
        yield Figure("detection", f"{detector.name}, {width} x {height}, a picture", 1000 * seconds, "ms")


def _embedding(settings: Settings, store: ModelStore, options: BenchOptions) -> Iterator[Figure]:
    for name in options.embedders or embedders_here(store):
        embedder = load_embedder(name, store, settings.device, max(BATCHES), settings.threads, int8=settings.int8)
        crops = made_crops(embedder, max(BATCHES))
        for batch in BATCHES:
            seconds = seconds_of(partial(embedder.embed, crops[:batch]), options.seconds)
            yield Figure("embedding", f"{name}, batch {batch}, a face", 1000 * seconds / batch, "ms")


def embedders_here(store: ModelStore) -> list[str]:
    """Embedders whose weights are on this machine, in the order of the catalogue."""
    here = []
    for name, entry in store.catalog.items():
        with suppress(ModelError):  # an altered file is no embedder that could be measured
            if entry.task == "embedder" and store.find(name) is not None:
                here.append(name)
    return here


def _end_to_end(
    settings: Settings, store: ModelStore, pictures: Sequence[Image], options: BenchOptions, notes: list[str]
) -> Iterator[Figure]:
    if not pictures:
        notes.append("No photo was named, since there is none: give a folder of photos, or install scikit-image.")
        return
    chosen = settings.model_dump(exclude={"gallery", "embedder"}, exclude_unset=True)
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{number}.jpg" for number in range(len(pictures))]
        for file, picture in zip(files, pictures, strict=True):
            write_image(file, picture)
        files *= -(-_FEWEST_PHOTOS // len(files))
        for name in options.embedders or embedders_here(store):
            with FaceRecognizer.open(":memory:", embedder=name, **chosen) as recognizer:
                with suppress(FaceError):  # a gallery of nobody will do
                    recognizer.add_known_face("somebody", pictures[0], faces="largest")
                work = partial(_name_all, recognizer, files)
                speed = len(files) / seconds_of(work, options.seconds)
            yield Figure("end to end", f"identify, {name}, photos", speed, "/s")


def _name_all(recognizer: FaceRecognizer, files: Sequence[Path]) -> None:
    for _ in recognizer.identify_many(files, read_image):
        pass


def _machine(settings: Settings) -> dict[str, str]:
    facts = {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "processors used": str(settings.threads or usable_processors()),
        "device": "cuda" if settings.device != "cpu" and cuda_offered() else "cpu",
        "8 bits": "yes" if settings.int8 and quick_at_int8() else "no",
        "python": platform.python_version(),
        "knownface": __version__,
    }
    for package in _PACKAGES:
        if (version := installed_version(package)) is not None:  # it may be another build, such as onnxruntime-gpu
            facts[package] = version
    return facts


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"
