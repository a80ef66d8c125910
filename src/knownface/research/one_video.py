"""Many people, one video or burst each, frames split 80-20: the paper's 100 %, and why it says little."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from knownface.errors import InputError
from knownface.evaluation.bench import Bench
from knownface.evaluation.datasets import FRAMES_NOTE, PersonFiles, Sample, read_dataset
from knownface.evaluation.embeddings import FoundFaces
from knownface.evaluation.intervals import Floats
from knownface.evaluation.neighbours import nearest_of_people
from knownface.evaluation.page_parts import notes_section, rule_text
from knownface.evaluation.protocol import Evaluation, Sides, Tick, checked, evaluate, no_tick, read_all, split_frames
from knownface.evaluation.report import Cell, FigureData, Report, Section, TableData
from knownface.evaluation.runs import EvaluateOptions
from knownface.media import kind_of
from knownface.research.nearest import NearestDisplay

_COLUMNS = (
    "split",
    "frames named",
    "accuracy",
    "macro F1",
    "best parameters",
    "nearest own frame",
    "nearest other person",
)


def one_video(
    bench: Bench, root: Path, options: EvaluateOptions, *, facts: Mapping[str, Cell] | None = None, tick: Tick = no_tick
) -> Report:
    """Split the frames of one video a person at random, then in order, then ask other videos.

    The first video of each person is used, or all pictures of whoever has none (a burst).

    Raises:
        InputError: Nobody has two frames.
    """
    everything = read_dataset(root, replace(options.split, by_frames=True))
    bursts = {person.name: _burst(person) for person in everything.people}
    samples = [Sample(name, path) for name, files in bursts.items() for path in files]
    found = read_all(samples, bench.reader, "Embedding frames", tick)
    several = [p for p in np.unique(found.faces.people).tolist() if (found.faces.people == p).sum() > 1]
    if not several:
        raise InputError(
            f"Nobody in {root} has two frames with a face.", "Give videos, or look more often, such as every=0.1."
        )
    used = found.of_people(several)
    share = options.split.train_share
    random = checked(Sides(*split_frames(used, options.split.seed, share), None))
    ordered = checked(Sides(*split_in_order(used, share), None))
    evaluations = [
        (f"frames at random, {share:.0%} enrolled (the paper's)", evaluate(random, options.grid, options.criterion)),
        (
            f"the first {share:.0%} of the frames enrolled, the rest named",
            evaluate(ordered, options.grid, options.criterion),
        ),
    ]
    others = _other_files(everything.people, bursts)
    if others:
        probes = read_all(others, bench.reader, "Embedding other videos", tick).of_people(several)
        if len(probes):
            other = evaluate(checked(Sides(used, probes, None)), options.grid, options.criterion)
            evaluations.append(("the video enrolled, other videos or pictures named", other))
    distances = [nearest_distances(evaluation) for _, evaluation in evaluations]
    rows = [_row(*named, nearest) for named, nearest in zip(evaluations, distances, strict=True)]
    first = evaluations[0][1]
    headline = (
        f"{first.report.accuracy:.1%} of {len(first.searches)} frames of {len(several)} people are named rightly when "
        f"frames are split at random. {_why(*distances[0])}"
    )
    if len(evaluations) == 3:
        headline += f" Of other videos or pictures of the same people {evaluations[2][1].report.accuracy:.1%} are."
    left_out = len(everything.people) - len(several)
    notes = [FRAMES_NOTE, *(n for n in everything.notes if n != FRAMES_NOTE)]
    if left_out:
        notes.append(f"{left_out} people with fewer than two usable frames were left out.")
    if not others:
        notes.append("Nobody has a second video, so the honest number, other videos of the same people, is not known.")
    section = Section(
        "Three ways to split",
        _TEXT,
        [TableData(_COLUMNS, rows, "One video or burst a person.", _FORMATS)],
        [FigureData("nearest", _CAPTION, NearestDisplay([what for what, _ in evaluations], distances))],
    )
    shown: dict[str, Cell] = {
        "Data set": str(root), "People": len(several), "Frames": len(used), "Frames without a face": used.missed,
        "Seed": options.split.seed, **bench.facts(), **(facts or {}),
    }  # fmt: skip
    return Report("One video a person", headline, shown, [*notes_section(notes), section])


_FORMATS = {"accuracy": ".2%", "macro F1": ".2%", "nearest own frame": ".3f", "nearest other person": ".3f"}
_CAPTION = (
    "How far each frame is from the nearest enrolled one of the same person, and of anybody else: from the 5th to the "
    "95th of 100 frames (line), the middle half (bar), the median (point). The farther apart the two, the easier."
)
_TEXT = (
    "Where frames are drawn at random, nearly every frame to be named has a neighbour of a fraction of a second before "
    "or after among those enrolled: the same face in the same light before the same wall. The two columns on the right "
    "are medians: how far a frame is from the nearest enrolled frame of the same person, and of anybody else. The "
    "first is what a new day, another camera or a haircut would change."
)


def _why(own: Floats, other: Floats) -> str:
    near = float(np.median(own))
    if not np.isfinite(other).all():
        return f"The nearest enrolled frame is {near:.2f} away in the median; there is nobody else."
    return (
        f"The nearest enrolled frame of the same person is {near:.2f} away in the median, anybody else's "
        f"{np.median(other):.2f}."
    )


def _burst(person: PersonFiles) -> tuple[Path, ...]:
    videos = [path for path in person.shared if kind_of(path) == "video"]
    return (videos[0],) if videos else person.shared


def _other_files(people: tuple[PersonFiles, ...], bursts: Mapping[str, tuple[Path, ...]]) -> list[Sample]:
    return [Sample(p.name, path) for p in people for path in p.shared if path not in set(bursts[p.name])]


def split_in_order(found: FoundFaces, train_share: float) -> tuple[FoundFaces, FoundFaces]:
    """Each person's first frames for train; nobody with two frames lacks a side."""
    for_train = np.zeros(len(found), dtype=bool)
    for person in np.unique(found.faces.people):
        rows = np.flatnonzero(found.faces.people == person)
        for_train[rows[: max(1, min(round(train_share * len(rows)), len(rows) - 1))]] = True
    return found.take(for_train), replace(found.take(~for_train), misses=())


def nearest_distances(evaluation: Evaluation) -> tuple[Floats, Floats]:
    """Of every probe, to the person's own nearest template, and to anybody else's; infinite without anybody."""
    train, val = evaluation.sides.train.faces, evaluation.sides.val.faces
    known, codes = np.unique(train.people, return_inverse=True)
    distances = nearest_of_people(train.embeddings, codes.astype(np.int64), val.embeddings, "nearest")
    rows, whose = np.arange(len(val)), np.searchsorted(known, val.people)
    own = distances[rows, whose].copy()
    distances[rows, whose] = np.inf
    return own, distances.min(axis=1)


def _row(what: str, evaluation: Evaluation, distances: tuple[Floats, Floats]) -> list[Cell]:
    report = evaluation.report
    own, other = (float(np.median(values)) for values in distances)
    return [
        what,
        len(evaluation.searches),
        report.accuracy,
        report.macro.f1,
        rule_text(evaluation.rule),
        own,
        other if np.isfinite(other) else None,
    ]
