"""How fast `knownface watch` is on this machine: a video file, a live source, its stages, and how small faces may be.

Everything runs the way the command does, with a real gallery. The live source is the video served frame by frame in
real time over HTTP by another process, whose work is not counted.
"""

from __future__ import annotations

import argparse
import http.server
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any, Self
from unittest import mock

import cv2
import numpy as np
import psutil

from knownface import FaceRecognizer
from knownface.live import FrameResult, Watcher, WatchOptions
from knownface.live.detecting import detect_at, with_detection_due
from knownface.liveness import LivenessCheck
from knownface.media import VideoWriter, read_image, read_video, video_info
from knownface.pipeline import live_score, opencv_on_one_thread
from knownface.types import Face, Image


@dataclass
class Watched:
    """A sink that notes when results come and how long faces wait for their names."""

    wants_frames: bool = False
    to_name: list[float] = field(default_factory=list)
    to_unknown: list[float] = field(default_factory=list)
    _answered: set[int] = field(default_factory=set)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def take(self, result: FrameResult) -> None:
        """Note a result."""
        for event in result.events:
            if event.track_id is None or event.time is None or event.since is None or event.track_id in self._answered:
                continue
            if event.kind in {"named", "unknown"}:
                self._answered.add(event.track_id)
                (self.to_name if event.kind == "named" else self.to_unknown).append(event.time - event.since)


def main() -> None:
    """Print one table a part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--video", type=Path, help="default: a made one, 640 x 360, one face (needs scikit-image)")
    parser.add_argument("--people", type=Path, help="one folder a person; default: whom the made video shows")
    parser.add_argument("--embedder", default="auto")
    parser.add_argument("--detector", default="auto")
    parser.add_argument("--sides", type=int, nargs="+", default=[0], help="longest sides to look at; 0: the default")
    parser.add_argument("--every", type=int, nargs="+", default=[0, 1], help="look in every n-th frame; 0: the default")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement")
    parser.add_argument("--fps", type=float, default=30.0, help="of the live source")
    parser.add_argument("--parts", nargs="+", default=["file", "floor", "live", "liveness", "stages", "small"])
    parser.add_argument("--face", type=Path, help="a photo whose face is made small for the part `small`")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        video = arguments.video or made_video(Path(folder))
        recognizer = FaceRecognizer.open(
            Path(folder) / "gallery.db", embedder=arguments.embedder, detector=arguments.detector
        )
        with recognizer, opencv_on_one_thread():
            enrol(recognizer, arguments.people)
            info = video_info(video)
            print(
                f"{info.width} x {info.height}, {recognizer.embedder.contract.name}, {recognizer.detector.name}, ",
                end="",
            )
            print(f"{recognizer.threads} processors")
            sides = [side or None for side in arguments.sides]
            if "file" in arguments.parts:
                for side in sides:
                    for every in arguments.every:
                        time_file(recognizer, video, side, every, arguments.seconds)
            if "floor" in arguments.parts:
                compare_with_floor(recognizer, video, arguments.seconds)
            if "live" in arguments.parts:
                for side in sides:
                    time_live(recognizer, video, side, arguments.seconds, arguments.fps)
            if "liveness" in arguments.parts:
                compare_liveness(recognizer, video, arguments.seconds, arguments.fps)
            if "stages" in arguments.parts:
                time_stages(recognizer, video, sides)
            if "small" in arguments.parts:
                count_small(recognizer, arguments.face, sides)


def time_file(recognizer: FaceRecognizer, video: Path, side: int | None, every: int, seconds: float) -> None:
    """Frames a second through the whole pipeline, every frame decoded and boxed."""
    sink, frames, begun, cpu = Watched(), 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - begun < seconds:
        options = WatchOptions(detect_side=side, detect_every=every or None, hindsight=True)
        watcher = Watcher(video, recognizer, options, [sink])
        watcher.run()
        frames += watcher.status().frames
    took, worked = time.perf_counter() - begun, time.process_time() - cpu
    print(
        f"file: side {side or 'default'}, every {every or 'default'}: {frames / took:.0f} frames/s, "
        f"{1000 * worked / frames:.1f} ms of processor a frame ({worked / took:.2f} processors)"
    )


def compare_with_floor(recognizer: FaceRecognizer, video: Path, seconds: float) -> None:
    """Processor time of the whole pipeline, and of decoding and the same looks and embeddings alone, in turns."""
    embedder: Any = recognizer.follow()
    embed = embedder.embed
    asked: list[Sequence[Image]] = []

    def noted(crops: Sequence[Image]) -> Any:
        asked.append(crops)
        return embed(crops)

    embedder.embed = noted
    try:
        Watcher(video, recognizer, WatchOptions(hindsight=True)).run()
    finally:
        embedder.embed = embed
    frames, begun = 0, time.perf_counter()
    wholes: list[float] = []
    floors: list[float] = []
    while len(wholes) < 3 or time.perf_counter() - begun < seconds:
        start = time.process_time()
        watcher = Watcher(video, recognizer, WatchOptions(hindsight=True))
        watcher.run()
        between, frames = time.process_time(), watcher.status().frames
        for frame, due in with_detection_due(read_video(video), None):
            if due:
                detect_at(recognizer.detector, frame.image, None)
        for crops in asked:
            embed(crops)
        wholes.append(1000 * (between - start) / frames)
        floors.append(1000 * (time.process_time() - between) / frames)
    ratio = np.median(np.array(wholes) / np.array(floors))
    print(
        f"floor: {np.median(wholes):.1f} ms of processor a frame; decoding, looks and embeddings alone "
        f"{np.median(floors):.1f} ms; {ratio:.2f} times ({len(wholes)} turns, {sum(map(len, asked))} faces embedded)"
    )


def time_live(recognizer: FaceRecognizer, video: Path, side: int | None, seconds: float, fps: float) -> None:
    """Delay from a frame's arrival to its boxes, and from a face's entry to its name."""
    with served(video, fps) as url:
        sink, delays = Watched(), []
        watcher = Watcher(url, recognizer, WatchOptions(detect_side=side), [sink])
        process = psutil.Process()
        begun, cpu = time.perf_counter(), time.process_time()
        with watcher:
            watcher.wait(2.0)
            begun, cpu, memory = time.perf_counter(), time.process_time(), process.memory_info().rss
            while time.perf_counter() - begun < seconds:
                watcher.wait(min(5.0, seconds))
                delays.append(watcher.status())
            took, worked = time.perf_counter() - begun, time.process_time() - cpu
        grown = (process.memory_info().rss - memory) / 2**20
    watcher.raise_error()
    status = delays[-1]
    p50 = np.median([1000 * (s.latency_p50 or 0) for s in delays])
    p95 = max(1000 * (s.latency_p95 or 0) for s in delays)
    print(
        f"live: side {side or 'default'}: {status.fps_in:.1f} frames/s in, {status.fps_out:.1f} out, "
        f"{status.dropped} dropped; frame to box {p50:.0f} ms, p95 {p95:.0f} ms (the worst 5 seconds); "
        f"{worked / took:.2f} processors; {grown:+.0f} MB in {took:.0f} s"
    )
    for what, waits in (("name", sink.to_name), ("Unknown", sink.to_unknown)):
        if waits:
            times = f"p50 {1000 * np.median(waits):.0f} ms, p95 {1000 * np.percentile(waits, 95):.0f} ms"
            print(f"live: entry of a face to its {what}: {times} ({len(waits)} tracks)")


def compare_liveness(plain: FaceRecognizer, video: Path, seconds: float, fps: float) -> None:
    """Frames a second that one processor bears of a live source, with and without a liveness check, in turns.

    Other work on the machine disturbs turns more than what is compared; so what the check takes is timed on its thread
    as well, and taken off the very turns with it.
    """
    turns = 10
    rates: dict[str, list[float]] = {"off": [], "show": []}
    taken, faces, worked_with = 0.0, 0, 0.0
    location, embedder, detector = plain.gallery.location, plain.embedder.contract.name, plain.detector.name
    with FaceRecognizer.open(location, embedder=embedder, detector=detector, liveness="show") as checking:

        def timed(image: Image, face: Face, check: LivenessCheck) -> float:
            nonlocal taken, faces
            begun = time.thread_time()
            score = live_score(image, face, check)
            taken, faces = taken + time.thread_time() - begun, faces + 1
            return score

        with served(video, fps) as url, mock.patch("knownface.live.embedding.live_score", timed):
            for _ in range(turns):
                for liveness, recognizer in (("off", plain), ("show", checking)):
                    cpu = time.process_time()
                    with Watcher(url, recognizer) as watcher:
                        watcher.wait(seconds / turns)
                        frames = watcher.status().frames
                    worked = time.process_time() - cpu
                    watcher.raise_error()
                    rates[liveness].append(frames / worked)
                    worked_with += worked if liveness == "show" else 0.0
    off, show = (np.array(rates[liveness]) for liveness in ("off", "show"))
    print(
        f"liveness: {np.median(off):.0f} frames a second of one processor without, {np.median(show):.0f} with; "
        f"ratio in turns {np.median(show / off):.2f} ({min(show / off):.2f} to {max(show / off):.2f}); "
        f"less what the check took {1 - taken / worked_with:.3f} ({faces} faces, "
        f"{1000 * taken / max(1, faces):.1f} ms each)"
    )


def time_stages(recognizer: FaceRecognizer, video: Path, sides: Sequence[int | None]) -> None:
    """What each stage takes alone, one after the other."""
    begun = time.perf_counter()
    frames = [frame.image for frame in read_video(video)]
    print(f"stages: decoding {1000 * (time.perf_counter() - begun) / len(frames):.2f} ms a frame")
    some = frames[:: max(1, len(frames) // 60)]
    for side in sides:
        times, found = [], 0
        for image in some:
            begun = time.perf_counter()
            found += len(detect_at(recognizer.detector, image, side))
            times.append(time.perf_counter() - begun)
        mean = found / len(some)
        print(f"stages: looking for faces at {side or 'default'}: {1000 * np.median(times):.1f} ms, {mean:.1f} a frame")
    faces = [(image, face) for image in some for face in detect_at(recognizer.detector, image, sides[0])][:100]
    if faces:
        begun = time.perf_counter()
        for image, face in faces:
            recognizer.embedder.embed([recognizer.embedder.crop(image, face)])
        print(f"stages: cropping and embedding {1000 * (time.perf_counter() - begun) / len(faces):.1f} ms a face")


def count_small(recognizer: FaceRecognizer, photo: Path | None, sides: Sequence[int | None]) -> None:
    """Which share of small faces in a 640 x 360 and a 1920 x 1080 frame is found, by the width of the face."""
    image = read_image(photo) if photo else astronaut()
    found = recognizer.detector.detect(image)
    if not found:
        sys.exit("There is no face in the photo of --face.")
    box = found[0].box
    margin = 0.7 * box.width
    left, top = max(0, round(box.x - margin)), max(0, round(box.y - margin))
    head = image[top : round(box.bottom + margin), left : round(box.right + margin)]
    random = np.random.default_rng(0)
    for width, height in ((640, 360), (1920, 1080)):
        for side in sides:
            shares = []
            for size in (12, 16, 20, 25, 30, 40, 60):
                hits = sum(
                    _is_found(recognizer, head, size / box.width, (width, height), side, random) for _ in range(60)
                )
                shares.append(f"{size} px {hits / 60:.2f}")
            print(f"small: {width} x {height}, side {side or 'default'}: found {', '.join(shares)}")


def _is_found(
    recognizer: FaceRecognizer,
    head: Image,
    scale: float,
    size: tuple[int, int],
    side: int | None,
    random: np.random.Generator,
) -> bool:
    width, height = size
    noise = random.integers(70, 140, (9, 16, 3), dtype=np.uint8)
    frame = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    small = cv2.resize(head, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    x = int(random.integers(0, width - small.shape[1]))
    y = int(random.integers(0, height - small.shape[0]))
    frame[y : y + small.shape[0], x : x + small.shape[1]] = small
    middle = x + small.shape[1] / 2, y + small.shape[0] / 2
    faces = detect_at(recognizer.detector, np.asarray(frame, np.uint8), side)
    return any(abs(f.box.center[0] - middle[0]) + abs(f.box.center[1] - middle[1]) < small.shape[1] / 3 for f in faces)


def astronaut() -> Image:
    """A real face: Eileen Collins, as scikit-image ships her."""
    from skimage import data

    image: Image = data.astronaut()
    return image


def made_video(folder: Path) -> Path:
    """Ten seconds of the astronaut crossing a moving ground, three times."""
    path = folder / "made.mp4"
    face = cv2.resize(np.ascontiguousarray(astronaut()[0:300, 90:360]), (171, 190), interpolation=cv2.INTER_AREA)
    noise = np.random.default_rng(0).integers(40, 160, (45, 160, 3), dtype=np.uint8)
    ground = cv2.resize(noise, (1280, 360), interpolation=cv2.INTER_CUBIC)
    with VideoWriter(path, 30) as video:
        for n in range(300):
            frame = ground[:, n : n + 640].copy()
            x = 6 * (n % 100) - 80
            left, right = max(0, x), min(640, x + 171)
            if right > left:
                frame[80:270, left:right] = face[:, left - x : right - x]
            video.write(frame)
    return path


def enrol(recognizer: FaceRecognizer, people: Path | None) -> None:
    """Learn people from a folder, else the astronaut."""
    if people is None:
        recognizer.add_known_face("Eileen Collins", astronaut())
    else:
        recognizer.load_known_faces(people)


@contextmanager
def served(video: Path, fps: float) -> Iterator[str]:
    """The address at which another process shows the video, over and over."""
    context = get_context("spawn")
    ports: Queue[int] = context.Queue()
    process = context.Process(target=_serve, args=(video, fps, ports), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ports.get(timeout=120)}/live"
    finally:
        process.kill()
        process.join()


def _serve(video: Path, fps: float, ports: Queue[int]) -> None:
    def encoded(image: Image) -> bytes:
        data: Any = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
        return bytes(data.tobytes())

    pictures = [encoded(frame.image) for frame in read_video(video)]

    class Camera(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            begun, number = time.monotonic(), 0
            while True:
                picture = pictures[number % len(pictures)]
                head = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(picture)
                self.wfile.write(head + picture + b"\r\n")
                number += 1
                time.sleep(max(0.0, begun + number / fps - time.monotonic()))

        def log_message(self, *_: object) -> None: ...

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Camera)
    server.daemon_threads = True
    threading.Thread(target=lambda: ports.put(server.server_port)).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
