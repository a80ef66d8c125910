"""Search in a Milvus server, in turns with a bare client of it, and a live camera whose gallery is searched there.

Without ``--uri`` a server is started on this machine, from the package ``milvus``, in a folder that goes afterwards.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from gallery_scale import EQUAL, by_brute_force, made_contract, made_template
from live_speed import enrol, made_video, served
from made_templates import Floats, MadeGallery, fit_space
from pymilvus import MilvusClient

from knownface import FaceRecognizer
from knownface.decision import vote
from knownface.gallery import Gallery
from knownface.live import Watcher
from knownface.pipeline import opencv_on_one_thread
from knownface.settings import Settings
from knownface.types import DecisionRule, Neighbours

_SERVER = """
import sys
from milvus import MilvusServer, MilvusServerConfig
server = MilvusServer(MilvusServerConfig(data_dir=sys.argv[1]))
server.start()
print(server.listen_port, flush=True)
server.server_proc.wait()
"""


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("strangers", type=Path, help="embeddings of many people (knownface gallery export --npz)")
    parser.add_argument("--uri", help="a running server")
    parser.add_argument("--templates", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--efforts", type=int, nargs="+", default=[512], help="values of the setting search_effort")
    parser.add_argument("--parts", nargs="+", choices=["search", "live"], default=["search", "live"])
    parser.add_argument("--video", type=Path, help="of the live camera; default: a made one (needs scikit-image)")
    parser.add_argument("--people", type=Path, help="one folder a person; default: whom the made video shows")
    parser.add_argument("--embedder", default="auto")
    parser.add_argument("--seconds", type=float, default=15.0, help="of each live measurement")
    arguments = parser.parse_args()
    embeddings = np.load(arguments.strangers)["embeddings"]
    with tempfile.TemporaryDirectory() as name, _server(arguments.uri, Path(name)) as uri:
        if "search" in arguments.parts:
            made = MadeGallery.of(fit_space(embeddings, arguments.dim), arguments.templates)
            _search(made, Path(name), uri, arguments.efforts)
        if "live" in arguments.parts:
            _live(embeddings, arguments, Path(name), uri)


@contextlib.contextmanager
def _server(uri: str | None, folder: Path) -> Iterator[str]:
    if uri is not None:
        yield uri
        return
    command = [sys.executable, "-c", _SERVER, str(folder / "milvus")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # it takes minutes to end in any other way
        process.communicate()


def _search(made: MadeGallery, folder: Path, uri: str, efforts: list[int]) -> None:
    def opened(effort: int | None = None) -> Gallery:
        location = str(folder / "search.db")
        return Gallery.open_by(Settings(gallery=location, index="milvus", milvus_uri=uri, search_effort=effort))

    start = time.perf_counter()
    with opened() as gallery:
        gallery.bind(made_contract(made.space.dim))
        _fill(gallery, made)
        enrolled = time.perf_counter()
        gallery.build_index()
    client = MilvusClient(uri)
    name = f"knownface_{made.space.dim}"
    filled = time.perf_counter()
    while client.describe_index(name, "vector").get("pending_index_rows") and time.perf_counter() - filled < 300:
        time.sleep(1)
    print(f"{len(made.owners)} templates enrolled in {enrolled - start:.0f} s, brought to Milvus in "
          f"{filled - enrolled:.0f} s, indexed {time.perf_counter() - filled:.0f} s later")  # fmt: skip
    [partition] = [each for each in client.list_partitions(name) if each != "_default"]
    _, probes = made.probes(300)
    right, owners = by_brute_force(made, probes)
    for effort in efforts:
        bare = functools.partial(
            client.search,
            name,
            limit=26,
            partition_names=[partition],
            search_params={"metric_type": "L2", "params": {"ef": effort}},
            consistency_level="Session",
        )
        with opened(effort) as gallery:
            found, whole, alone = _in_turns(gallery, bare, probes)
            numbers = {key: int(name.split()[1]) for key, name in gallery.names.items()}
        distances = np.concatenate([one.distances for one in found])
        people = np.array([[numbers[int(person)] for person in one.people[0]] for one in found])
        rule = DecisionRule(1, 3, 1.0)
        named = [vote(Neighbours(d, o, o), rule).people for d, o in ((distances, people), (right, owners))]
        print(
            f"effort {effort}: the gallery {whole}; the client alone {alone}; true nearest found "
            f"{np.mean(distances[:, 0] <= right[:, 0] + EQUAL):.4f}, other answers {np.mean(named[0] != named[1]):.4f}",
            flush=True,
        )


def _in_turns(
    gallery: Gallery, bare: Callable[..., object], probes: Floats
) -> tuple[list[Neighbours], _Stopwatch, _Stopwatch]:
    for probe in probes[:50]:
        gallery.search(probe[None], 10)
        bare(data=[probe])
    found, whole, alone = [], _Stopwatch(), _Stopwatch()
    for probe in probes:
        with whole:
            found.append(gallery.search(probe[None], 10))
        with alone:
            bare(data=[probe])
    return found, whole, alone


class _Stopwatch:
    """What several runs of a block took."""

    def __init__(self) -> None:
        self._times: list[float] = []
        self._processor = 0.0

    def __enter__(self) -> None:
        self._start, self._before = time.perf_counter(), time.process_time()

    def __exit__(self, *_: object) -> None:
        self._times.append(1000 * (time.perf_counter() - self._start))
        self._processor += 1000 * (time.process_time() - self._before)

    def __str__(self) -> str:
        tenth, half, most = np.percentile(self._times, [10, 50, 95])
        processor = self._processor / len(self._times)
        return f"{half:.1f} ms (10 % {tenth:.1f}, 95 % {most:.1f}; processor of this process {processor:.2f})"


def _live(embeddings: Floats, arguments: argparse.Namespace, folder: Path, uri: str) -> None:
    """Delay from a frame's arrival to its boxes, with the index in this process and in Milvus, in turns."""
    video = arguments.video or made_video(folder)
    with contextlib.ExitStack() as stack:
        stack.enter_context(opencv_on_one_thread())
        recognizers = {}
        for kind in ("auto", "milvus"):
            recognizer = stack.enter_context(
                FaceRecognizer.open(str(folder / f"{kind}.db"), embedder=arguments.embedder, index=kind, milvus_uri=uri)
            )
            enrol(recognizer, arguments.people)
            dim = recognizer.embedder.contract.dim
            _fill(recognizer.gallery, MadeGallery.of(fit_space(embeddings, dim), arguments.templates))
            recognizer.gallery.build_index()
            recognizers[kind] = recognizer
        url = stack.enter_context(served(video, 30.0))
        for _ in range(2):
            for kind, recognizer in recognizers.items():
                print(f"live, {dim} numbers, index {kind}: {_watch(recognizer, url, arguments.seconds)}", flush=True)


def _watch(recognizer: FaceRecognizer, url: str, seconds: float) -> str:
    halves, most = [], []
    with Watcher(url, recognizer) as watcher:
        time.sleep(5)  # the first looks and the log of a start
        start = time.perf_counter()
        while time.perf_counter() - start < seconds:
            time.sleep(0.5)
            status = watcher.status()
            if status.latency_p50 is not None and status.latency_p95 is not None:
                halves.append(1000 * status.latency_p50)
                most.append(1000 * status.latency_p95)
    return (
        f"frame to box {np.median(halves):.1f} ms in the median, 95 % {np.median(most):.1f} (worst {max(most):.1f}), "
        f"{status.fps_out:.1f} frames a second, {status.dropped} left out"
    )


def _fill(gallery: Gallery, made: MadeGallery) -> None:
    for rows, vectors in made.blocks():
        people = made.owners[rows].tolist()
        gallery.enrol(
            [(f"Person {p}", made_template(int(n), v)) for p, n, v in zip(people, rows, vectors, strict=True)]
        )


if __name__ == "__main__":
    main()
