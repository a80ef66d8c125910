"""Search among many made templates through the compressed index and its file, against brute force over all vectors.

Tells how long building, opening and a search take, what lies on the disk and in memory, and what is lost. Each step is
a program of its own, as after a restart. Real faces (``--people``) are searched among the made ones where these have
the real embeddings' length: the first photos of each person are enrolled, the others named. Both files are what
`knownface gallery export --npz` writes. 10,000,000 templates of 512 numbers take 21 GB of disk in ``--folder``.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from made_templates import Floats, MadeGallery, Numbers, Space, fit_space, genuine_distances

from knownface.decision import vote
from knownface.search import CompressedIndex, FaissFlatIndex, VectorIndex, VectorSource
from knownface.search.row_file import read_rows
from knownface.types import DecisionRule, Neighbours

Answers = tuple[Floats, Numbers]

_EXACT_UP_TO = 1_000_000
"""Templates that are also compared by the exact index, which holds them all in memory."""


def main() -> None:
    """Print the figures of each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("strangers", type=Path, help="embeddings of many people, one photo each")
    parser.add_argument("--people", type=Path, help="embeddings of people with several photos each")
    parser.add_argument("--enrol", type=int, default=5, help="photos of each of these that are enrolled")
    parser.add_argument("--templates", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--probes", type=int, default=300)
    parser.add_argument("--threshold", type=float, default=1.0)
    parser.add_argument("--folder", type=Path, help="keeps the indexes, which are then taken as they are")
    parser.add_argument("--step", choices=_STEPS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        _STEPS[arguments.step](arguments, arguments.templates[0])
        return
    half, most = np.percentile(genuine_distances(_space(arguments)), [50, 90])
    print(f"distance of a new face to its person's nearest template: median {half:.3f}, 90 % within {most:.3f}")
    with tempfile.TemporaryDirectory() as scratch:
        for count in arguments.templates:
            print(f"\n{count} made templates x {arguments.dim}", flush=True)
            folder = arguments.folder or Path(scratch)
            for step in _STEPS:
                command = [sys.executable, *sys.argv, "--folder", str(folder), "--templates", str(count)]
                subprocess.run([*command, "--step", step], check=True)


def _space(arguments: argparse.Namespace) -> Space:
    return fit_space(np.load(arguments.strangers)["embeddings"], arguments.dim)


def _files(arguments: argparse.Namespace, count: int) -> tuple[Path, Path]:
    stem = f"{count}x{arguments.dim}"
    return arguments.folder / f"{stem}.index", arguments.folder / f"{stem}.truth.npz"


def _build(arguments: argparse.Namespace, count: int) -> None:
    """Build the index into its file, as a gallery does; on the way every probe is compared with every vector."""
    index, truth = _files(arguments, count)
    if truth.exists():
        return
    made = MadeGallery.of(_space(arguments), count)
    people, probes = made.probes(arguments.probes)
    owners, enrolled = made.owners, np.empty((0, arguments.dim), dtype=np.float32)
    if arguments.people:
        enrolled, names, probes, people = _real_faces(arguments)
        owners = np.concatenate([owners, names])
    right = np.full((len(probes), 10), np.inf, dtype=np.float32), np.full((len(probes), 10), -1)
    making = 0.0

    def blocks() -> Iterator[tuple[Numbers, Floats]]:
        nonlocal right, making
        entered = time.perf_counter()
        for ids, vectors in _with_real(made, enrolled):
            right = _nearer(right, probes, ids, vectors)
            making += time.perf_counter() - entered
            yield ids, vectors
            entered = time.perf_counter()

    source = VectorSource(arguments.dim, np.arange(len(owners)), lambda ids: made.others(ids[ids < count]), blocks)
    start = time.perf_counter()
    CompressedIndex.build(source, index)
    taken = time.perf_counter() - start
    print(
        f"  built in {taken - making:.0f} s, making templates and truth apart ({making:.0f} s); "
        f"at most {_status('VmHWM'):.0f} MiB of memory with these; file {index.stat().st_size / 1e9:.2f} GB"
    )
    np.savez(truth, distances=right[0], ids=right[1], owners=owners, people=people, probes=probes)


def _with_real(made: MadeGallery, enrolled: Floats) -> Iterator[tuple[Numbers, Floats]]:
    yield from made.blocks()
    if len(enrolled):
        yield len(made.owners) + np.arange(len(enrolled)), enrolled


def _nearer(right: Answers, probes: Floats, ids: Numbers, vectors: Floats) -> Answers:
    distances = np.sqrt(np.maximum(0, 2 - 2 * probes @ vectors.T))
    best = np.argpartition(distances, min(10, len(ids) - 1), axis=1)[:, :10]
    near = np.concatenate([right[0], np.take_along_axis(distances, best, axis=1)], axis=1)
    found = np.concatenate([right[1], ids[best]], axis=1)
    order = np.argsort(near, axis=1)[:, :10]
    return np.take_along_axis(near, order, axis=1), np.take_along_axis(found, order, axis=1)


def _search(arguments: argparse.Namespace, count: int) -> None:
    """Open the file and search, with the file out of the system's cache at first."""
    file, truth = _files(arguments, count)
    known = np.load(truth)
    probes, right = known["probes"], (known["distances"], known["ids"])
    _forget(file)
    before = _status("RssAnon")
    start = time.perf_counter()
    index = CompressedIndex.load(file)
    opened = time.perf_counter() - start
    cold, _, _ = _timed(index, probes)
    mapped = _status("RssFile")
    print(f"  cold: opened in {opened:.1f} s, first search {cold[0]:.1f} ms, all {_spread(cold)}")
    start = time.perf_counter()
    index = CompressedIndex.load(file)
    opened = time.perf_counter() - start
    size = 0 if index._quantizer is None else index._quantizer.size
    print(
        f"  warm: opened in {opened:.1f} s; {_status('RssAnon') - before:.0f} MiB of memory, of it codes "
        f"{size * len(index) / 2**20:.0f}, and {mapped:.0f} of mapped pages after {len(probes)} searches"
    )
    _timed(index, probes)
    times, processor, answer = _timed(index, probes)
    lost = _loss(arguments.threshold, answer, right, known)
    print(f"  warm: {_spread(times)}, processor time {processor:.2f} ms; {lost}")


def _exact(arguments: argparse.Namespace, count: int) -> None:
    """The same probes compared with every vector by the exact index, which holds them all in memory."""
    if count > _EXACT_UP_TO:
        return
    file, truth = _files(arguments, count)
    known = np.load(truth)
    rows = read_rows(file)
    index = FaissFlatIndex(arguments.dim)
    index.add(rows.ids, rows.vectors)
    index.search(known["probes"][:1], 10)
    times, processor, answer = _timed(index, known["probes"][:100])
    right = known["distances"][:100], known["ids"][:100]
    lost = _loss(arguments.threshold, answer, right, known)
    print(f"  exact: {_spread(times)}, processor time {processor:.2f} ms; {lost}")


def _timed(index: VectorIndex, probes: Floats) -> tuple[Floats, float, Answers]:
    """Milliseconds of each search, one at a time, the mean processor time, and the answers."""
    times, answers, before = [], [], time.process_time()
    for probe in probes:
        start = time.perf_counter()
        answers.append(index.search(probe[None], 10))
        times.append(1000 * (time.perf_counter() - start))
    processor = 1000 * (time.process_time() - before) / len(probes)
    distances, ids = (np.concatenate(part) for part in zip(*answers, strict=True))
    return np.array(times), processor, (distances, ids)


def _spread(times: Floats) -> str:
    tenth, half, most = np.percentile(times, [10, 50, 95])
    return f"one search {half:.2f} ms (10 % {tenth:.2f}, 95 % {most:.2f})"


def _loss(threshold: float, answer: Answers, right: Answers, known: Mapping[str, Numbers]) -> str:
    rule, people, owners = DecisionRule(1, 3, threshold), known["people"][: len(answer[0])], known["owners"]
    named = [vote(Neighbours(d, i, np.where(i >= 0, owners[i], -1)), rule).people for d, i in (answer, right)]
    recall = np.mean(answer[1][:, 0] == right[1][:, 0])
    hits = [float(np.mean(name == people)) for name in named]
    return (
        f"true nearest found {recall:.4f}, rightly named {hits[0]:.4f} (loss {hits[1] - hits[0]:.4f}), other answers "
        f"{np.mean(named[0] != named[1]):.4f}"
    )


def _real_faces(arguments: argparse.Namespace) -> tuple[Floats, Numbers, Floats, Numbers]:
    file = np.load(arguments.people)
    names, who = np.unique(file["names"], return_inverse=True)
    if file["embeddings"].shape[1] != arguments.dim:
        raise SystemExit(f"{arguments.people} has embeddings of another length than {arguments.dim}")
    which = np.concatenate([np.arange(np.count_nonzero(who == person)) for person in range(len(names))])
    order = np.argsort(who, kind="stable")
    first, numbers, vectors = which < arguments.enrol, -2 - who[order], file["embeddings"][order]
    return vectors[first], numbers[first], vectors[~first], numbers[~first]


def _forget(file: Path) -> None:
    """Put a file out of the system's cache, where that can be asked for."""
    if hasattr(os, "posix_fadvise"):
        with file.open("rb") as opened:
            os.fsync(opened.fileno())
            os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _status(what: str) -> float:
    """MiB of this process."""
    text = Path("/proc/self/status").read_text(encoding="ascii")
    return int(text.partition(what + ":")[2].split()[0]) / 1024


_STEPS = {"build": _build, "search": _search, "exact": _exact}

if __name__ == "__main__":
    main()
