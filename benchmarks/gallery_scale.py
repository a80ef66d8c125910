"""A gallery of many made templates: filling, start-up, searching against brute force, adding, removing, memory.

Each step is a program of its own, as after a restart.
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
from made_templates import Floats, MadeGallery, Numbers, fit_space

from knownface.decision import vote
from knownface.gallery import Gallery, NewTemplate
from knownface.settings import Settings
from knownface.types import DecisionRule, EmbedderContract, Neighbours

EQUAL = 1e-4
"""Distances by float32 arithmetic that differ by less are of the same template."""


def main() -> None:
    """Make the gallery and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("strangers", type=Path, help="embeddings of many people (knownface gallery export --npz)")
    parser.add_argument("--templates", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--index", choices=["auto", "flat", "compressed", "pgvector", "milvus"], default="auto")
    parser.add_argument("--effort", type=int, help="the setting search_effort")
    parser.add_argument("--milvus", help="address of Milvus, or a file of Milvus Lite")
    parser.add_argument(
        "--gallery", help="a file or postgresql:// URL that keeps the gallery; taken as it is if filled"
    )
    parser.add_argument("--key", help="the setting gallery_key: the gallery is encrypted")
    parser.add_argument("--steps", nargs="*", choices=_STEPS, default=["start", "search", "change", "start", "memory"])
    parser.add_argument("--step", choices=_STEPS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        _STEPS[arguments.step](arguments)
        return
    with tempfile.TemporaryDirectory() as scratch:
        arguments.gallery = arguments.gallery or str(Path(scratch) / "gallery.db")
        for step in ("fill", *arguments.steps):
            command = [sys.executable, *sys.argv, "--gallery", arguments.gallery, "--step", step]
            subprocess.run(command, check=True)


def _open(arguments: argparse.Namespace) -> Gallery:
    return Gallery.open_by(
        Settings(
            gallery=arguments.gallery,
            index=arguments.index,
            search_effort=arguments.effort,
            milvus_uri=arguments.milvus,
            gallery_key=arguments.key,
        )
    )


def _made(arguments: argparse.Namespace) -> MadeGallery:
    return MadeGallery.of(fit_space(np.load(arguments.strangers)["embeddings"], arguments.dim), arguments.templates)


def made_contract(dim: int) -> EmbedderContract:
    """Of an embedder that there is not."""
    return EmbedderContract("made", dim, "aligned", "0" * 64, "none", DecisionRule(1, 3, 1.0), False)


def made_template(number: int, vector: object) -> NewTemplate:
    """A made vector as if it were of a photo."""
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
    with _timed("index built, saved and closed, if it was not"), _open(arguments) as gallery:
        gallery.bind(made_contract(arguments.dim))
        if len(gallery):
            gallery.build_index()
            return
        with _timed(f"enrolling {arguments.templates} templates of {made.owners[-1] + 1} people"):
            for rows, vectors in made.blocks():
                people = made.owners[rows].tolist()
                gallery.enrol(
                    [(f"Person {p}", made_template(int(n), v)) for p, n, v in zip(people, rows, vectors, strict=True)]
                )
        with _timed("building and saving the index, or filling the engine"):
            gallery.build_index()


def _start(arguments: argparse.Namespace) -> None:
    probe = np.eye(1, arguments.dim, dtype=np.float32)
    with _timed("start-up, until the first answer"):
        gallery = _open(arguments)
        gallery.search(probe, 10)
        len(gallery.names)
    print("index:", gallery.index.describe())
    gallery.close()


def _search(arguments: argparse.Namespace) -> None:
    made = _made(arguments)
    _, probes = made.probes(300)
    right, owners = by_brute_force(made, probes)
    with _open(arguments) as gallery:
        for probe in probes[:100]:
            gallery.search(probe[None], 10)
        times, found = [], []
        for probe in probes:
            start = time.perf_counter()
            found.append(gallery.search(probe[None], 10))
            times.append(1000 * (time.perf_counter() - start))
        start = time.perf_counter()
        gallery.search(probes, 10)
        batch = 1000 * (time.perf_counter() - start) / len(probes)
        numbers = {person: int(name.split()[1]) for person, name in gallery.names.items() if name.startswith("Person")}
    distances = np.concatenate([one.distances for one in found])
    people = np.array([[numbers.get(int(person), -2) for person in one.people[0]] for one in found])
    rule = DecisionRule(1, 3, 1.0)
    answers = [vote(Neighbours(d, o, o), rule).people for d, o in ((distances, people), (right, owners))]
    print(f"one search: {np.median(times):.2f} ms (10 % {np.percentile(times, 10):.2f}, 90 % "
          f"{np.percentile(times, 90):.2f}); of {len(probes)} at once, each: {batch:.2f} ms; true nearest found "
          f"{np.mean(distances[:, 0] <= right[:, 0] + EQUAL):.4f}, of the true ten "
          f"{np.mean(distances <= right[:, -1:] + EQUAL):.4f}, other answers "
          f"{np.mean(answers[0] != answers[1]):.4f}")  # fmt: skip


def by_brute_force(made: MadeGallery, probes: Floats) -> tuple[Floats, Numbers]:
    """Distances and people of the ten nearest of each probe."""
    near = np.full((len(probes), 10), np.inf, dtype=np.float32)
    owners = np.full((len(probes), 10), -1)
    for rows, vectors in made.blocks():
        distances = np.sqrt(np.maximum(0, 2 - 2 * probes @ vectors.T))
        best = np.argpartition(distances, 10, axis=1)[:, :10]
        near = np.concatenate([near, np.take_along_axis(distances, best, axis=1)], axis=1)
        owners = np.concatenate([owners, made.owners[rows][best]], axis=1)
        order = np.argsort(near, axis=1)[:, :10]
        near, owners = np.take_along_axis(near, order, axis=1), np.take_along_axis(owners, order, axis=1)
    return near, owners


def _change(arguments: argparse.Namespace) -> None:
    made = _made(arguments)
    _, probes = made.probes(300)
    with _open(arguments) as gallery, _open(arguments) as other:
        for opened in (gallery, other):
            opened.bind(made_contract(arguments.dim))
            for probe in probes[:100]:
                opened.search(probe[None], 10)
        rng = np.random.default_rng()
        for turn in range(3):
            new = made.space.faces(rng, made.space.centres(rng, 1))[0]
            name = f"New {time.time_ns()}"
            with _timed("adding one template, until it is found"):
                gallery.add_templates(name, [made_template(time.time_ns(), new)])
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


_STEPS = {"fill": _fill, "start": _start, "search": _search, "change": _change, "memory": _memory}

if __name__ == "__main__":
    main()
