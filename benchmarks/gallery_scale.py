"""A gallery of many made templates: filling, start-up, searching, adding one, removing somebody, memory.

Everything after the filling happens in programs of their own, as after a restart.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from made_templates import MadeGallery, fit_space

from knownface.gallery import Gallery, NewTemplate
from knownface.gallery.index_options import IndexOptions
from knownface.types import DecisionRule, EmbedderContract


def main() -> None:
    """Make the gallery and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("strangers", type=Path, help="embeddings of many people (knownface gallery export --npz)")
    parser.add_argument("--templates", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--index", choices=["flat", "compressed", "ivf"], help="by size unless given")
    parser.add_argument("--folder", type=Path, help="keeps the gallery there, and takes one that is there")
    parser.add_argument("--step", choices=["start", "change", "memory"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        _STEPS[arguments.step](arguments)
        return
    with tempfile.TemporaryDirectory() as scratch:
        arguments.folder = arguments.folder or Path(scratch)
        if not _file(arguments).exists():
            _fill(arguments)
        for step in ("start", "change", "start", "memory"):
            command = [sys.executable, *sys.argv, "--folder", str(arguments.folder), "--step", step]
            subprocess.run(command, check=True)


def _file(arguments: argparse.Namespace) -> Path:
    return Path(arguments.folder / "gallery.db")


def _open(arguments: argparse.Namespace) -> Gallery:
    return Gallery.open(_file(arguments), index=IndexOptions(arguments.index))


def _made(arguments: argparse.Namespace) -> MadeGallery:
    return MadeGallery.of(fit_space(np.load(arguments.strangers)["embeddings"], arguments.dim), arguments.templates)


def _contract(dim: int) -> EmbedderContract:
    return EmbedderContract("made", dim, "aligned", "0" * 64, "none", DecisionRule(1, 3, 1.0), False)


def _template(number: int, vector: object) -> NewTemplate:
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    return NewTemplate(np.asarray(vector, dtype=np.float32), f"/photos/{number}.jpg", digest, quality=0.9)


@contextmanager
def _timed(what: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds = time.perf_counter() - start
    print(f"{what}: {seconds:.1f} s" if seconds > 2 else f"{what}: {1000 * seconds:.1f} ms", flush=True)


def _fill(arguments: argparse.Namespace) -> None:
    made = _made(arguments)
    with _open(arguments) as gallery:
        gallery.bind(_contract(arguments.dim))
        with _timed(f"enrolling {arguments.templates} templates of {made.owners[-1] + 1} people"):
            for rows, vectors in made.blocks():
                people = made.owners[rows].tolist()
                gallery.enrol(
                    [(f"Person {p}", _template(int(n), v)) for p, n, v in zip(people, rows, vectors, strict=True)]
                )
        with _timed("building and saving the index"):
            gallery.build_index()


def _start(arguments: argparse.Namespace) -> None:
    probe = np.eye(1, arguments.dim, dtype=np.float32)
    with _timed("start-up, until the first answer"):
        gallery = _open(arguments)
        gallery.search(probe, 10)
        len(gallery.names)
    print("index:", gallery.index_told())
    gallery.close()


def _change(arguments: argparse.Namespace) -> None:
    made = _made(arguments)
    _, probes = made.probes(300)
    with _open(arguments) as gallery, _open(arguments) as other:
        for opened in (gallery, other):
            opened.bind(_contract(arguments.dim))
            for probe in probes[:100]:
                opened.search(probe[None], 10)
        times, rng = [], np.random.default_rng()
        for probe in probes:
            start = time.perf_counter()
            gallery.search(probe[None], 10)
            times.append(1000 * (time.perf_counter() - start))
        print(f"one search: {np.median(times):.2f} ms (10 % {np.percentile(times, 10):.2f}, 90 % "
              f"{np.percentile(times, 90):.2f})")  # fmt: skip
        for turn in range(3):
            new = made.space.faces(rng, made.space.centres(rng, 1))[0]
            name = f"New {time.time_ns()}"
            with _timed("adding one template, until it is found"):
                gallery.add_templates(name, [_template(time.time_ns(), new)])
                found = gallery.search(new[None], 1)
            assert gallery.names[int(found.people[0, 0])] == name
            with _timed("until another program finds it"):
                found = other.search(new[None], 1)
            assert other.names[int(found.people[0, 0])] == name
            victim = gallery.names[int(gallery.search(probes[turn : turn + 1], 1).people[0, 0])]
            with _timed("removing somebody, until nobody finds them"):
                gallery.remove(victim)
                found = gallery.search(probes[turn : turn + 1], 1)
            assert gallery.names[int(found.people[0, 0])] != victim
            with _timed("until another program does not find them"):
                found = other.search(probes[turn : turn + 1], 1)
            assert other.names[int(found.people[0, 0])] != victim
        start = time.perf_counter()
    print(f"closing, with the file written anew: {time.perf_counter() - start:.1f} s")


def _memory(arguments: argparse.Namespace) -> None:
    before = _resident()
    with _open(arguments) as gallery:
        rng = np.random.default_rng(0)
        for probe in rng.standard_normal((50, arguments.dim)).astype(np.float32):
            gallery.search(probe[None] / np.linalg.norm(probe), 10)
        used = _resident() - before
        raw = 4 * arguments.dim * len(gallery)
        print(f"memory, mapped pages apart: {used / 2**20:.0f} MiB, {used / raw:.3f} of the vectors' own")


def _resident() -> int:
    text = Path("/proc/self/status").read_text(encoding="ascii")
    return int(text.partition("RssAnon:")[2].split()[0]) * 1024


_STEPS = {"start": _start, "change": _change, "memory": _memory}

if __name__ == "__main__":
    main()
