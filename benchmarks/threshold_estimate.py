"""How well the threshold estimated from a gallery alone keeps the wanted share of strangers.

Galleries are drawn from a folder of people (a folder each) and half of a folder of strangers (a picture each); the
other half are the strangers who should stay Unknown. For each size: the share of them who would be named at the
estimate, in how many draws it was above three times what was wanted, and the share of further pictures of the enrolled
people who are named rightly, beside that of the one fixed threshold that names as many strangers over all draws.

    python benchmarks/threshold_estimate.py PEOPLE STRANGERS --embedder mobilefacenet --embedder sface-int8bq
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from knownface.decision.estimate import measure_spreads
from knownface.evaluation.bench import open_bench
from knownface.evaluation.datasets import read_strangers
from knownface.evaluation.faces import FaceSet
from knownface.types import CohortSpread

Floats = npt.NDArray[np.float32]
SIZES = (5, 10, 25, 50, 200, 600)
PHOTOS = 3
_FURTHER = 5


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """Cosines of one gallery: of strangers to the nearest person; of known faces to theirs, -1 if another is nearer."""

    threshold: float
    strangers: Floats
    known: Floats


def draw(
    people: FaceSet, strangers: FaceSet, size: int, fpir: float, cohort: CohortSpread | None, seed: list[int]
) -> Draw:
    """A gallery of so many people, and what it would answer."""
    generator = np.random.default_rng(seed)
    half = generator.permutation(len(strangers.people))
    enrolled_half, unseen = half[: len(half) // 2], half[len(half) // 2 :]
    vectors = np.concatenate([people.embeddings, strangers.embeddings[enrolled_half]])
    names = np.concatenate([people.people.astype(str), strangers.people[enrolled_half].astype(str)])
    rows, owners, further, further_owners = [], [], [], []
    for number, name in enumerate(generator.choice(np.unique(names), size, replace=False)):
        own = generator.permutation(np.flatnonzero(names == name))
        rows += own[:PHOTOS].tolist()
        owners += [number] * len(own[:PHOTOS])
        further += own[PHOTOS : PHOTOS + _FURTHER].tolist()
        further_owners += [number] * len(own[PHOTOS : PHOTOS + _FURTHER])
    templates, whose = vectors[rows], np.array(owners, dtype=np.int64)
    spread = measure_spreads(templates, whose)["nearest+mean"]
    of_known = cosines(vectors[further], templates, whose)
    right = of_known.argmax(axis=1) == further_owners
    return Draw(
        spread.threshold(fpir, spread.people, cohort),
        cosines(strangers.embeddings[unseen], templates, whose).max(axis=1),
        np.where(right, of_known.max(axis=1), np.float32(-1)),
    )


def cosines(probes: Floats, templates: Floats, whose: npt.NDArray[np.int64]) -> Floats:
    """Of probes to people, their means included; the templates of a person stand together."""
    starts = np.unique(whose, return_index=True)[1]
    sums = np.add.reduceat(templates, starts, axis=0)
    means = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    found: Floats = np.maximum(np.maximum.reduceat(probes @ templates.T, starts, axis=1), probes @ means.T)
    return found


def row(draws: list[Draw], fpir: float) -> str:
    """A line of the table."""
    limits = [1 - one.threshold**2 / 2 for one in draws]
    named = np.array([float((one.strangers >= limit).mean()) for one, limit in zip(draws, limits, strict=True)])
    pooled = np.concatenate([one.strangers for one in draws])
    fixed = float(np.quantile(pooled, 1 - named.mean()))
    held = [(one, limit) for one, limit in zip(draws, limits, strict=True) if len(one.known)]
    right = np.mean([(one.known >= limit).mean() for one, limit in held]) if held else np.nan
    at_fixed = np.mean([(one.known >= fixed).mean() for one, _ in held]) if held else np.nan
    above = int((named > 3 * fpir).sum())
    return f"{named.mean():7.2%} {above:4d} of {len(draws)} {named.max():8.1%} {right:9.1%} {at_fixed:9.1%}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("people", type=Path)
    parser.add_argument("strangers", type=Path)
    parser.add_argument("--embedder", action="append", required=True)
    parser.add_argument("--fpir", type=float, default=0.01)
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    for name in chosen.embedder:
        with open_bench(embedder=name) as bench:
            people, strangers = (
                bench.reader.read(read_strangers(folder, [])[0]).faces for folder in (chosen.people, chosen.strangers)
            )
            cohort = bench.embedder.contract.cohort
        print(f"{name}\npeople strangers named, above 3x, at most, known named rightly, at the best fixed threshold")
        most = len(np.unique(people.people)) + len(strangers.people) // 2
        for size in (size for size in SIZES if size <= most):
            count = chosen.draws if size < 200 else max(1, chosen.draws // 5)
            seeds = [[chosen.seed, size, number] for number in range(count)]
            draws = [draw(people, strangers, size, chosen.fpir, cohort, seed) for seed in seeds]
            print(f"{size:6d} {row(draws, chosen.fpir)}", flush=True)


if __name__ == "__main__":
    main()
