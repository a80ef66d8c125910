"""Frame by frame against the whole clip: what a video knows that a photo does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from knownface.decision import NOBODY
from knownface.evaluation.bench import Bench
from knownface.evaluation.displays import CmcDisplay, DetDisplay
from knownface.evaluation.embeddings import FoundFaces, joined
from knownface.evaluation.faces import FaceSet, Searches, search
from knownface.evaluation.openset import OpenSet, open_set, operating_points
from knownface.evaluation.page_parts import dataset_facts, notes_section, points_table, rule_text
from knownface.evaluation.protocol import Evaluation, Sides, Tick, evaluate, no_tick, search_grid
from knownface.evaluation.report import Cell, FigureData, Report, Section, TableData
from knownface.evaluation.runs import EvaluateOptions, embed_folder
from knownface.research.bars import Outcomes, OutcomesDisplay
from knownface.types import DecisionRule, Ids

_PHOTOS_NOTE = (
    "There are no videos on the side to be named, so all photos of a person stand in for a clip. Photos of different "
    "days differ more than frames do, so a clip gains more here than in a video."
)


def clips_of(found: FoundFaces) -> Ids:
    """The number of each face's clip: its video, or, of photos, its person; shape (n,)."""
    names = [
        f"{person}\0{place.path if place.time is not None else ''}"
        for person, place in zip(found.faces.people.tolist(), found.places, strict=True)
    ]
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def mean_faces(faces: FaceSet, clips: Ids) -> FaceSet:
    """One face a clip: the mean of its embeddings, scaled to length 1; in the order of clips."""
    order = np.arange(clips.max() + 1)
    means = np.stack([faces.embeddings[clips == clip].mean(axis=0) for clip in order])
    first = np.array([np.flatnonzero(clips == clip)[0] for clip in order])
    return FaceSet.of(means / np.linalg.norm(means, axis=1, keepdims=True), faces.people[first], faces.sources[first])


def majority(answers: Ids, nearest: npt.NDArray[np.float32], clips: Ids) -> Ids:
    """The answer given to most frames of each clip; ties go to the answer with the nearest frame.

    Unknown wins only where no frame has a name: a face seen well once outweighs many frames of its back.
    """
    decided = []
    for clip in range(int(clips.max()) + 1):
        rows = np.flatnonzero((clips == clip) & (answers != NOBODY))
        if not len(rows):
            decided.append(NOBODY)
            continue
        people = np.unique(answers[rows])
        votes = np.array([(answers[rows] == person).sum() for person in people])
        near = np.array([nearest[rows[answers[rows] == person]].min() for person in people])
        decided.append(int(people[np.lexsort((people, near, -votes))[0]]))
    return np.array(decided, dtype=np.int64)


def video(
    bench: Bench, root: Path, options: EvaluateOptions, *, facts: Mapping[str, Cell] | None = None, tick: Tick = no_tick
) -> Report:
    """Name every frame, then every clip by the majority of its frames and by its mean embedding."""
    dataset, sides = embed_folder(bench, root, options, tick)
    frames = evaluate(sides, options.grid, options.criterion, options.fpir)
    clips = clips_of(sides.val)
    voted = majority(frames.answers, frames.searches.neighbours.distances[:, 0], clips)
    of_clips = mean_faces(sides.val.faces, clips)
    means = search(sides.train.faces, of_clips, max(options.grid.k2), scoring="nearest")
    table = search_grid(means, _clips_of_strangers(sides, max(options.grid.k2)), options.grid)
    rule = table.rule(table.best_row(options.criterion, options.fpir))
    truth = means.truth
    ways: list[tuple[str, Ids, Ids, DecisionRule]] = [
        ("frame by frame", frames.answers, frames.searches.truth, frames.rule),
        ("clip: majority of its frames", voted, truth, frames.rule),
        ("clip: mean embedding", means.answers(rule), truth, rule),
    ]
    outcomes = [Outcomes(*_count(answers, right), 0) for _, answers, right, _ in ways]
    rows: list[list[Cell]] = [
        [what, o.total, o.right / o.total, o.unknown / o.total, o.wrong / o.total, rule_text(r)]
        for (what, _, _, r), o in zip(ways, outcomes, strict=True)
    ]
    columns = ["decided", "decisions", "right", "Unknown", "wrong name", "parameters"]
    result = TableData(columns, rows, "Enrolled people.", dict.fromkeys(columns[2:5], ".2%"))
    bars = OutcomesDisplay([way[0] for way in ways], outcomes)
    figures = [FigureData("clips", "What became of frames and clips.", bars)]
    if len(frames.enrolled) > 1:
        cmc = CmcDisplay.from_faces(sides.train.faces, sides.val.faces, "frames").plot()
        CmcDisplay.from_faces(sides.train.faces, of_clips, "clips").plot(cmc.ax_)
        figures.append(FigureData("cmc", "How often the right person is among the first r.", cmc))
    notes = list(sides.notes)
    if not any(place.time is not None for place in sides.val.places):
        notes.append(_PHOTOS_NOTE)
    per_clip = len(clips) / len(truth)
    sections = [
        *notes_section(notes),
        Section("Frames and clips", _TEXT, [result], figures),
        *_open_set_sections(sides, frames, rule, max(options.grid.k2)),
    ]
    headline = (
        f"Frame by frame {outcomes[0].right / outcomes[0].total:.1%} are named rightly; decided over whole clips of "
        f"{per_clip:.0f} frames {outcomes[1].right / outcomes[1].total:.1%} by majority and "
        f"{outcomes[2].right / outcomes[2].total:.1%} by mean embedding ({len(truth)} clips)."
    )
    shown = {**dataset_facts(dataset, sides), "Clips": len(truth), **bench.facts(), **(facts or {})}
    return Report("Frames or clips?", headline, shown, sections)


def _clips_of_strangers(sides: Sides, k: int) -> Searches | None:
    if sides.strangers is None:
        return None
    return search(sides.train.faces, mean_faces(sides.strangers.faces, clips_of(sides.strangers)), k, scoring="nearest")


_TEXT = (
    "A clip is one video of one person. The majority counts the names given to its frames (Unknown only where no frame "
    "has a name); the mean embedding is searched like a single face. A mean lies nearer to everybody than single "
    "frames do, so it has its own best parameters."
)


def _count(answers: Ids, truth: Ids) -> tuple[int, int, int]:
    right, unknown = int((answers == truth).sum()), int((answers == NOBODY).sum())
    return right, unknown, len(answers) - right - unknown


def _open_set_sections(sides: Sides, frames: Evaluation, rule: DecisionRule, k: int) -> Sequence[Section]:
    if sides.strangers is None or frames.open_set is None:
        return [Section("Strangers", "No strangers were given (--strangers DIR).")]
    both = joined(sides.val, sides.strangers)
    searches: Searches = search(sides.train.faces, mean_faces(both.faces, clips_of(both)), k, scoring="nearest")
    of_clips: OpenSet = open_set(searches, k1=rule.k1, k2=rule.k2)
    text = (
        f"{len(of_clips.non_mated)} strangers; a stranger's photos or frames make one clip. Both tables show the same "
        "for frames and for clips by their mean embedding. Whether a clip of a stranger is safer than a photo shows "
        "only where strangers have several frames."
    )
    display = DetDisplay(frames.open_set, "frames").plot()
    DetDisplay(of_clips, "clips").plot(display.ax_)
    tables = [points_table(frames.points, "Frames"), points_table(operating_points(of_clips), "Clips")]
    return [Section("Strangers: frames, then clips", text, tables, [FigureData("det", "DET of both.", display)])]
