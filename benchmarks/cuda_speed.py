"""What CUDA brings on this machine, in one go: faces embedded, pictures searched, photos named, frames of a video.

Each is measured on the processor and on CUDA in turns, and what the two give is compared. Without CUDA it says why.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from knownface import FaceRecognizer
from knownface.detection import FaceDetector
from knownface.embedding import FaceEmbedder
from knownface.live import Watcher, WatchOptions
from knownface.media import expand_paths, read_image
from knownface.models.session import Device, cuda_offered
from knownface.pipeline import opencv_on_one_thread
from knownface.types import Image

DEVICES: tuple[Device, ...] = ("cpu", "cuda")
SIZES = ((640, 360), (1280, 720), (1920, 1080), (3840, 2160))
BATCHES = (1, 8, 32, 128)


def main() -> None:
    """Print a line a measurement: the processor, CUDA, and how many times as fast that is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=Path, required=True, help="one folder a person")
    parser.add_argument("--video", type=Path, help="a video; without it none is watched")
    parser.add_argument("--photos", type=int, default=500)
    parser.add_argument("--embedder", nargs="+", default=["auto"], help="each is measured")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    arguments = parser.parse_args()
    if not cuda_offered():
        sys.exit("This ONNX Runtime offers no CUDA: install onnxruntime-gpu in the place of onnxruntime.")
    photos = expand_paths([arguments.people])[: arguments.photos]
    with tempfile.TemporaryDirectory() as folder, opencv_on_one_thread():
        for name in arguments.embedder:
            opened = {device: opened_on(device, Path(folder) / f"{device}.db", name) for device in DEVICES}
            cpu, cuda = opened["cpu"], opened["cuda"]
            print(f"{cpu.embedder.contract.name}, {cpu.detector.name}, {cpu.threads} processors")
            crops = faces_of(photos[:40], cpu)
            compare_results(cpu, cuda, photos[:40], crops)
            for batch in BATCHES:
                given = [crops[n % len(crops)] for n in range(batch)]
                both = embedding(cpu.embedder, given), embedding(cuda.embedder, given)
                report(f"faces embedded {batch} at a time", batch, *both, arguments.seconds)
            picture = read_image(photos[0])
            for width, height in SIZES:
                sized = np.asarray(cv2.resize(picture, (width, height)), np.uint8)
                both = searching(cpu.detector, sized), searching(cuda.detector, sized)
                report(f"pictures of {width} x {height} searched", 1, *both, arguments.seconds)
            for recognizer in opened.values():
                recognizer.load_known_faces(arguments.people)
            report("photos named", len(photos), naming(cpu, photos), naming(cuda, photos), 0.0)
            if arguments.video:
                both = watching(cpu, arguments.video), watching(cuda, arguments.video)
                report("frames of the video", both[0](), *both, 0.0)
            for recognizer in opened.values():
                recognizer.close()
                Path(recognizer.gallery.location).unlink()


def opened_on(device: Device, gallery: Path, embedder: str) -> FaceRecognizer:
    """A recogniser whose networks run there."""
    return FaceRecognizer.open(gallery, embedder=embedder, device=device)


def faces_of(photos: Sequence[Path], recognizer: FaceRecognizer) -> list[Image]:
    """Crops of the first face of each photo."""
    found = ((image, recognizer.detector.detect(image)) for image in map(read_image, photos))
    return [recognizer.embedder.crop(image, faces[0]) for image, faces in found if faces]


def compare_results(cpu: FaceRecognizer, cuda: FaceRecognizer, photos: Sequence[Path], crops: Sequence[Image]) -> None:
    """Say by how much embeddings and boxes differ."""
    apart = np.linalg.norm(cpu.embedder.embed(crops) - cuda.embedder.embed(crops), axis=1).max()
    images = [read_image(photo) for photo in photos]
    counts = [(len(cpu.detector.detect(image)), len(cuda.detector.detect(image))) for image in images]
    same = sum(ours == theirs for ours, theirs in counts)
    print(f"embeddings differ by a distance of {apart:.5f} at most; {same} of {len(counts)} photos show as many faces")


def embedding(embedder: FaceEmbedder, crops: Sequence[Image]) -> Callable[[], Any]:
    """Embeds crops."""
    return lambda: embedder.embed(crops)


def searching(detector: FaceDetector, image: Image) -> Callable[[], Any]:
    """Looks for faces in a picture."""
    return lambda: detector.detect(image)


def naming(recognizer: FaceRecognizer, photos: Sequence[Path]) -> Callable[[], Any]:
    """Names the faces of photos."""
    return lambda: sum(len(answer.faces) for answer in recognizer.identify_many(photos, read_image))


def watching(recognizer: FaceRecognizer, video: Path) -> Callable[[], int]:
    """Watches a video as the command does; gives its frames."""

    def watch() -> int:
        watcher = Watcher(video, recognizer, WatchOptions(hindsight=True))
        watcher.run()
        return watcher.status().frames

    return watch


def report(what: str, count: int, cpu: Callable[[], Any], cuda: Callable[[], Any], seconds: float) -> None:
    """Time both in turns, at least three times each, and print the medians."""
    cpu(), cuda()  # the first run of a size takes longer
    times: tuple[list[float], list[float]] = ([], [])
    begun = time.perf_counter()
    while len(times[0]) < 3 or time.perf_counter() - begun < seconds:
        for run, noted in zip((cpu, cuda), times, strict=True):
            start = time.perf_counter()
            run()
            noted.append(time.perf_counter() - start)
    rates = [count / float(np.median(noted)) for noted in times]
    print(f"{what}: {rates[0]:.0f} a second on the processor, {rates[1]:.0f} on CUDA, {rates[1] / rates[0]:.1f} times")


if __name__ == "__main__":
    main()
