"""Several cameras in one process: how many of its frames each is looked at, how soon, and what that costs.

Every camera is the video served in real time over HTTP by a process of its own, from a place of its own in it.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from live_speed import enrol, made_video, served

from knownface import FaceRecognizer
from knownface.live import Watcher
from knownface.pipeline import opencv_on_one_thread


def main() -> None:
    """Print a line a camera, and one for all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--video", type=Path, help="default: a made one, 640 x 360, one face (needs scikit-image)")
    parser.add_argument("--people", type=Path, help="one folder a person; default: whom the made video shows")
    parser.add_argument("--cameras", type=int, default=8)
    parser.add_argument("--fps", type=float, default=15.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--embedder", default="auto")
    parser.add_argument("--detector", default="auto")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as opened:
        video = arguments.video or made_video(Path(folder))
        recognizer = opened.enter_context(
            FaceRecognizer.open(Path(folder) / "gallery.db", embedder=arguments.embedder, detector=arguments.detector)
        )
        opened.enter_context(opencv_on_one_thread())
        enrol(recognizer, arguments.people)
        threads = opened.enter_context(ThreadPoolExecutor(max(1, recognizer.threads // 2)))  # as the service has them
        url = opened.enter_context(served(video, arguments.fps))
        watchers = [
            opened.enter_context(Watcher(url, recognizer, name=f"camera {number + 1}", embedding_threads=threads))
            for number in range(arguments.cameras)
        ]
        time.sleep(5.0)  # connecting, and the first names
        before = [watcher.status() for watcher in watchers]
        begun, cpu = time.perf_counter(), time.process_time()
        worst: dict[str, list[float]] = {watcher.name: [] for watcher in watchers}
        while time.perf_counter() - begun < arguments.seconds:
            time.sleep(min(5.0, arguments.seconds))
            for watcher in watchers:
                worst[watcher.name].append(1000 * (watcher.status().latency_p95 or 0.0))
        took, worked = time.perf_counter() - begun, time.process_time() - cpu
        shares = []
        for watcher, then in zip(watchers, before, strict=True):
            now = watcher.status()
            frames, dropped = now.frames - then.frames, now.dropped - then.dropped
            shares.append(frames / max(1, frames + dropped))
            print(
                f"{watcher.name}: {frames / took:.1f} frames/s looked at, {dropped / took:.1f} left out; "
                f"frame to box p50 {1000 * (now.latency_p50 or 0):.0f} ms, p95 {max(worst[watcher.name]):.0f} ms"
            )
        print(
            f"{arguments.cameras} cameras at {arguments.fps:g}/s: {100 * np.mean(shares):.0f} % of frames looked at "
            f"({100 * min(shares):.0f} to {100 * max(shares):.0f} % of a camera), "
            f"worst p95 {max(map(max, worst.values())):.0f} ms, {worked / took:.2f} processors"
        )


if __name__ == "__main__":
    main()
