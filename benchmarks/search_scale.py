"""Search among many made templates: exact against the automatic index, in time, recall and identification.

Real faces (``--people``) are searched among the made ones where these have the real embeddings' length: the first
photos of each person are enrolled, the others named. Both files are what `knownface gallery export --npz` writes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from made_templates import Floats, MadeGallery, Numbers, fit_space, genuine_distances

from knownface.decision import vote
from knownface.gallery.index.sizes import kind_for
from knownface.search import CompressedIndex, FaissFlatIndex, VectorIndex
from knownface.search.compressed import nlist_for
from knownface.search.quantizer import Quantizer, sample_size
from knownface.types import DecisionRule, Neighbours

Answers = tuple[Floats, Numbers]


def main() -> None:
    """Print a table for each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("strangers", type=Path, help="embeddings of many people, one photo each")
    parser.add_argument("--people", type=Path, help="embeddings of people with several photos each")
    parser.add_argument("--enrol", type=int, default=5, help="photos of each of these that are enrolled")
    parser.add_argument("--templates", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--probes", type=int, default=1000)
    parser.add_argument("--threshold", type=float, default=1.0)
    parser.add_argument("--kinds", nargs="+", choices=["compressed", "ivf"], help="by size unless given")
    arguments = parser.parse_args()
    space = fit_space(np.load(arguments.strangers)["embeddings"], arguments.dim)
    half, most = np.percentile(genuine_distances(space), [50, 90])
    print(f"distance of a new face to its person's nearest template: median {half:.3f}, 90 % within {most:.3f}")
    for count in arguments.templates:
        _compare(arguments, MadeGallery.of(space, count))


def _compare(arguments: argparse.Namespace, made: MadeGallery) -> None:
    count = len(made.owners)
    people, faces = made.probes(arguments.probes)
    owners, probes = made.owners, faces
    enrolled: Floats = np.empty((0, arguments.dim), dtype=np.float32)
    if arguments.people:
        enrolled, names, probes, people = _real_faces(arguments)
        owners = np.concatenate([owners, names])
    exact = FaissFlatIndex(arguments.dim)
    for ids, vectors in made.blocks():
        exact.add(ids, vectors)
    exact.add(np.arange(count, count + len(enrolled)), enrolled)
    rule = DecisionRule(1, 3, arguments.threshold)
    right = exact.search(probes, 10)
    print(f"\n{count} made templates x {arguments.dim}, {len(probes)} probes, one at a time on one thread")
    _tell("flat", _median_ms(exact, probes[:100]), right, right, owners, people, rule)
    for kind in arguments.kinds or [kind_for(count).name]:
        _try_kind(kind, exact, probes, lambda time, answer: _tell("", time, answer, right, owners, people, rule))


def _try_kind(kind: str, exact: FaissFlatIndex, probes: Floats, show: Callable[[float, Answers], None]) -> None:
    start = time.perf_counter()
    nlist = nlist_for(len(exact)) if kind == "ivf" else 0
    sample = exact._vectors[:: max(1, len(exact) // sample_size(nlist))][: sample_size(nlist)]
    quantizer = Quantizer.train(sample, nlist)
    steps = range(0, len(exact), 20_000)
    blocks = ((exact._ids[at : at + 20_000], exact._vectors[at : at + 20_000]) for at in steps)
    index = CompressedIndex.encoded(quantizer, blocks)
    print(f"{kind}: built in {time.perf_counter() - start:.1f} s, {quantizer.size} bytes a code")
    for nprobe in [nlist // 32, nlist // 16, nlist // 8, nlist // 4, nlist // 2] if nlist else [0]:
        if nprobe:
            print(f"  {nprobe} of {nlist} lists", end="")
        index._nprobe = nprobe
        show(_median_ms(index, probes[:300]), index.search(probes, 10))


def _real_faces(arguments: argparse.Namespace) -> tuple[Floats, Numbers, Floats, Numbers]:
    file = np.load(arguments.people)
    names, who = np.unique(file["names"], return_inverse=True)
    if file["embeddings"].shape[1] != arguments.dim:
        raise SystemExit(f"{arguments.people} has embeddings of another length than {arguments.dim}")
    which = np.concatenate([np.arange(np.count_nonzero(who == person)) for person in range(len(names))])
    order = np.argsort(who, kind="stable")
    first, numbers, vectors = which < arguments.enrol, -2 - who[order], file["embeddings"][order]
    return vectors[first], numbers[first], vectors[~first], numbers[~first]


def _median_ms(index: VectorIndex, probes: Floats) -> float:
    times = []
    for probe in probes:
        start = time.perf_counter()
        index.search(probe[None], 10)
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times))


def _tell(
    what: str, ms: float, answer: Answers, right: Answers, owners: Numbers, people: Numbers, rule: DecisionRule
) -> None:
    named = [vote(Neighbours(d, i, np.where(i >= 0, owners[i], -1)), rule).people for d, i in (answer, right)]
    recall = np.mean(answer[1][:, 0] == right[1][:, 0])
    hits = [float(np.mean(name == people)) for name in named]
    print(f"  {what} {ms:.2f} ms, recall@1 {recall:.4f}, rightly named {hits[0]:.4f} "
          f"(loss {hits[1] - hits[0]:.4f}), other answers {np.mean(named[0] != named[1]):.4f}")  # fmt: skip


if __name__ == "__main__":
    main()
