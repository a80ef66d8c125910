"""More people: what they do to the result, and to the time of loading them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from knownface.evaluation.bench import Bench
from knownface.evaluation.datasets import Dataset, Sample
from knownface.evaluation.displays import GrowthDisplay, LoadingTimeDisplay
from knownface.evaluation.embeddings import FaceReader
from knownface.evaluation.grid import Grid
from knownface.evaluation.page_parts import dataset_facts, notes_section, rule_text
from knownface.evaluation.protocol import Evaluation, Sides, Tick, evaluate, no_tick
from knownface.evaluation.report import Cell, FigureData, Report, Section, TableData
from knownface.evaluation.runs import EvaluateOptions, embed_folder
from knownface.search import FaissFlatIndex

STEPS = (1, 5, 10, 25, 50)
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Loading:
    """Times of loading the first n people.

    Attributes:
        people: The numbers n.
        pictures: How many a person.
        embedding: Seconds of reading, detecting and embedding, for each n.
        index: Seconds of building the index, for each n.
    """

    people: Sequence[int]
    pictures: int
    embedding: Sequence[float]
    index: Sequence[float]

    @property
    def total(self) -> list[float]:
        """Both together."""
        return [a + b for a, b in zip(self.embedding, self.index, strict=True)]


def counts_up_to(people: int) -> list[int]:
    """1, 5, 10, 25, 50, then doubled, as far as there are people, and all of them."""
    counts = list(STEPS)
    while counts[-1] < people:
        counts.append(2 * counts[-1])
    return [*(count for count in counts if count < people), people]


def growth(
    bench: Bench,
    root: Path,
    options: EvaluateOptions,
    *,
    draws: int = 5,
    facts: Mapping[str, Cell] | None = None,
    tick: Tick = no_tick,
) -> Report:
    """Measure with more and more people.

    Args:
        bench: Detector and embedder.
        root: The data set.
        options: How.
        draws: Random choices of people for each number of them.
        facts: More facts for the page.
        tick: Called with how far it is.
    """
    dataset, sides = embed_folder(bench, root, options, tick)
    everybody = evaluate(sides, options.grid, options.criterion)
    testable = sorted(set(sides.val.faces.people.tolist()))
    counts = counts_up_to(len(testable))
    metrics = _draws(sides, testable, counts, draws, everybody, options, tick)
    loading = measure_loading(bench.reader, dataset, tick)
    sections = [*notes_section(sides.notes), _metrics_section(counts, metrics, everybody), _loading_section(loading)]
    last = {name: float(np.nanmean(values[-1])) for name, values in metrics.items()}
    seconds = loading.total
    headline = (
        f"With all {counts[-1]} people {last['accuracy']:.1%} of the pictures are named rightly. Loading "
        f"{loading.people[-1]} people took {seconds[-1]:.1f} s, one person {seconds[0]:.2f} s "
        f"({loading.pictures} pictures each)."
    )
    data = {"people": counts, "metrics": metrics, "loading": loading}
    return Report("More and more people", headline, {**dataset_facts(dataset, sides), **bench.facts(), **(facts or {})},
                  sections, data)  # fmt: skip


def _draws(
    sides: Sides,
    people: Sequence[str],
    counts: Sequence[int],
    draws: int,
    everybody: Evaluation,
    options: EvaluateOptions,
    tick: Tick,
) -> dict[str, Floats]:
    """Metrics by name, shape (numbers of people, draws); of all people there is one draw."""
    names = ("accuracy", "precision", "recall", "macro F1", "accuracy, parameters of all people")
    metrics = {name: np.full((len(counts), draws), np.nan) for name in names}
    rng = np.random.default_rng(options.split.seed)
    for i, count in enumerate(counts):
        for draw in range(draws if count < len(people) else 1):
            tick("Drawing people", i * draws + draw, len(counts) * draws)
            chosen = rng.choice(len(people), count, replace=False)
            values = _one_draw(sides, [people[j] for j in chosen.tolist()], everybody, options.grid, options.criterion)
            for name, value in zip(names, values, strict=True):
                metrics[name][i, draw] = value
    tick("Drawing people", len(counts) * draws, len(counts) * draws)
    return metrics


def _one_draw(
    sides: Sides, people: Sequence[str], everybody: Evaluation, grid: Grid, criterion: str
) -> tuple[float, ...]:
    fewer = Sides(sides.train.of_people(people), sides.val.of_people(people), None)
    found = evaluate(fewer, grid, criterion)
    fixed = float((found.searches.answers(everybody.rule) == found.searches.truth).mean())
    macro = found.report.macro
    return found.report.accuracy, macro.precision, macro.recall, macro.f1, fixed


def measure_loading(reader: FaceReader, dataset: Dataset, tick: Tick = no_tick) -> Loading:
    """Load the first n people anew for every n, without the cache, everybody with as many pictures.

    Videos are not used here: their length would be what is measured.
    """
    train = [(person.name, person.train or person.shared) for person in dataset.people if person.train or person.shared]
    pictures = min(len(files) for _, files in train)
    samples = [[Sample(name, path) for path in files[:pictures]] for name, files in train]
    counts = counts_up_to(len(samples))
    fresh = replace(reader, cache=None)
    fresh.read(samples[0])  # the first picture a network sees takes longer
    embedding, index, done, total = [], [], 0, sum(counts)
    for count in counts:
        tick("Loading people", done, total)
        started = time.perf_counter()
        found = fresh.read([sample for person in samples[:count] for sample in person])
        embedded = time.perf_counter()
        built = FaissFlatIndex(reader.embedder.contract.dim)
        built.add(np.arange(len(found), dtype=np.int64), found.faces.embeddings)
        index.append(time.perf_counter() - embedded)
        embedding.append(embedded - started)
        done += count
    tick("Loading people", total, total)
    return Loading(counts, pictures, embedding, index)


def _metrics_section(counts: Sequence[int], metrics: Mapping[str, Floats], everybody: Evaluation) -> Section:
    rows: list[list[Cell]] = []
    for i, count in enumerate(counts):
        values = metrics["accuracy"][i]
        means = [float(np.nanmean(metric[i])) for metric in metrics.values()]
        drawn = int(np.isfinite(values).sum())
        rows.append([count, drawn, *means, float(np.nanmin(values)), float(np.nanmax(values))])
    columns = ["people", "draws", *metrics, "least accuracy", "best accuracy"]
    text = (
        "Every number of people was drawn several times, since who they are matters more than how many, as long as "
        "they are few. Precision, recall and F1 are means over people. Each draw has its own best parameters, as in "
        "the paper; the last curve keeps those that are "
        f"best for all people ({rule_text(everybody.rule)})."
    )
    formats = dict.fromkeys(columns[2:], ".2%")
    display = GrowthDisplay.from_draws(counts, metrics)
    table = TableData(columns, rows, "Means over the draws.", formats)
    return Section("The result", text, [table], [FigureData("growth", "Metrics against people.", display)])


def _loading_section(loading: Loading) -> Section:
    rows: list[list[Cell]] = []
    total = loading.total
    for i, count in enumerate(loading.people):
        expected = total[0] * count
        times = [loading.embedding[i], loading.index[i], total[i], expected, total[i] / expected]
        rows.append([count, count * loading.pictures, *times])
    columns = [
        "people",
        "pictures",
        "embedding (s)",
        "index (s)",
        "together (s)",
        "linear expectation (s)",
        "share of it",
    ]
    text = (
        f"Everybody has {loading.pictures} pictures here, read, searched for a face and embedded anew, without the "
        "cache, with the networks loaded. The linear expectation is the time of one person times their number. "
        "Embedding costs the same for every picture, so it grows in step with them; few pictures cost more each where "
        "they do not fill a batch or all processors. The index takes milliseconds: it copies numbers. Adding one "
        "person to a gallery costs that person's pictures only, however many are known."
    )
    formats = {**dict.fromkeys(columns[2:4], ".4f"), **dict.fromkeys(columns[4:6], ".2f"), "share of it": ".0%"}
    display = LoadingTimeDisplay.from_times(loading.people, loading.embedding, loading.index)
    return Section(
        "Loading time",
        text,
        [TableData(columns, rows, "Time to load people.", formats)],
        [FigureData("loading", "Loading time against people.", display)],
    )
