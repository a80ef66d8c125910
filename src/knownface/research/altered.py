"""Altered pictures: of people to be enrolled (augment), of people to be named (degrade), and other backgrounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from knownface.errors import InputError
from knownface.evaluation.alteration import Alteration
from knownface.evaluation.bench import Bench
from knownface.evaluation.datasets import Dataset, Sample
from knownface.evaluation.embeddings import FaceReader, FoundFaces, joined
from knownface.evaluation.faces import search
from knownface.evaluation.page_parts import dataset_facts, notes_section, rule_text
from knownface.evaluation.protocol import Evaluation, Sides, Tick, evaluate, no_tick
from knownface.evaluation.report import Cell, FigureData, PictureData, Report, Section, TableData
from knownface.evaluation.runs import EvaluateOptions, embed_folder
from knownface.media import kind_of, read_image
from knownface.models.joins import parse_join
from knownface.research.alterations import AUGMENTATIONS, BACKGROUNDS, CROPS, DEGRADATIONS
from knownface.research.bars import Outcomes, OutcomesDisplay
from knownface.types import DecisionRule

_AS_IT_IS = "as it is"
_COLUMNS = (
    "what",
    "example",
    "right",
    "Unknown",
    "wrong name",
    "no face found",
    "nearest is right",
    "moved by (median)",
)


@dataclass(frozen=True, slots=True, eq=False)
class _Start:
    """What the three have in common: everything unaltered."""

    dataset: Dataset
    sides: Sides
    evaluation: Evaluation
    train: list[Sample]
    val: list[Sample]


def _start(bench: Bench, root: Path, options: EvaluateOptions, tick: Tick) -> _Start:
    if options.split.by_frames:
        raise InputError(
            "Altered pictures need files of their own for train and val.", "Split by files, not by frames."
        )
    dataset, sides = embed_folder(bench, root, options, tick)
    evaluation = evaluate(sides, options.grid, options.criterion, options.fpir)
    people = [person for person in dataset.people if person.train]
    train = [Sample(person.name, path) for person in people for path in person.train]
    val = [Sample(person.name, path) for person in people for path in person.val]
    return _Start(dataset, sides, evaluation, train, val)


def _read(
    reader: FaceReader, samples: Sequence[Sample], alterations: Sequence[Alteration], tick: Tick
) -> list[FoundFaces]:
    found = []
    done, total = 0, len(samples) * len(alterations)

    def on_done(_: Sample) -> None:
        nonlocal done
        done += 1
        tick("Altering pictures", done, total)

    for alteration in alterations:
        found.append(reader.read(samples, alteration, on_done))
    return found


def augment(
    bench: Bench, root: Path, options: EvaluateOptions, *, facts: Mapping[str, Cell] | None = None, tick: Tick = no_tick
) -> Report:
    """Add altered copies of the train pictures to the gallery; val stays as it is."""
    start = _start(bench, root, options, tick)
    copies = _read(bench.reader, start.train, AUGMENTATIONS, tick)
    galleries = [("nothing (pictures as they are)", start.sides.train)]
    galleries += [(a.label, joined(start.sides.train, c)) for a, c in zip(AUGMENTATIONS, copies, strict=True)]
    everything = start.sides.train
    for copy in copies:
        everything = joined(everything, copy)
    galleries.append(("all of them", everything))
    rows: list[list[Cell]] = []
    fixed = start.evaluation.rule
    for what, gallery in galleries:
        found = evaluate(
            Sides(gallery, start.sides.val, start.sides.strangers), options.grid, options.criterion, options.fpir
        )
        at_fixed = float((found.searches.answers(fixed) == found.searches.truth).mean())
        stranger_rate = _strangers_named(found, fixed)
        rows.append(
            [
                what,
                len(gallery),
                found.report.accuracy,
                found.report.macro.f1,
                rule_text(found.rule),
                at_fixed,
                stranger_rate,
            ]
        )
    columns = [
        "added to train",
        "templates",
        "accuracy",
        "macro F1",
        "best parameters",
        "accuracy at the first row's parameters",
    ]
    columns.append("strangers named at them")
    formats = dict.fromkeys([columns[2], columns[3], *columns[5:]], ".2%")
    base, best = rows[0][2], max(float(str(row[2])) for row in rows[1:])
    text = (
        "Each kind of copy is added to the pictures enrolled, as in the paper; then everything is measured as before. "
        "A gain smaller than one picture in val is none."
    )
    headline = (
        f"Without augmentation {float(str(base)):.2%} are named rightly, with the best of {len(AUGMENTATIONS)} "
        f"augmentations or all together {best:.2%}: one picture is {1 / len(start.sides.val):.2%}."
    )
    section = Section("Augmented train pictures", text, [TableData(columns, rows, "The gallery with copies.", formats)],
                      pictures=_examples(start.train, bench.reader, AUGMENTATIONS))  # fmt: skip
    return _report("Does augmentation help?", headline, start, bench, facts, [section], rows)


def _strangers_named(found: Evaluation, rule: DecisionRule) -> float | None:
    return None if found.strangers is None else float((found.strangers.answers(rule) >= 0).mean())


def degrade(
    bench: Bench, root: Path, options: EvaluateOptions, *, facts: Mapping[str, Cell] | None = None, tick: Tick = no_tick
) -> Report:
    """Alter the probes and keep the gallery: how far recognition holds."""
    start = _start(bench, root, options, tick)
    found = _read(bench.reader, start.val, DEGRADATIONS, tick)
    section, outcomes = _probes_section("Worse pictures", "degraded", start, bench.reader, DEGRADATIONS, found)
    half = [a.label for a, o in zip(DEGRADATIONS, outcomes[1:], strict=True) if o.right < 0.5 * o.total]
    headline = f"{outcomes[0].right / outcomes[0].total:.1%} of the pictures are named rightly as they are. " + (
        f"Fewer than half are with: {', '.join(half)}." if half else "More than half still are in every trial."
    )
    return _report("How bad may a picture be?", headline, start, bench, facts, [section], outcomes)


def background(
    bench: Bench, root: Path, options: EvaluateOptions, *, facts: Mapping[str, Cell] | None = None, tick: Tick = no_tick
) -> Report:
    """Change what is around the face: the paper's main limit."""
    start = _start(bench, root, options, tick)
    found = _read(bench.reader, start.val, BACKGROUNDS, tick)
    section, outcomes = _probes_section("Other backgrounds", "background", start, bench.reader, BACKGROUNDS, found)
    sections = [section]
    # dlib's chip is not resized, and joined embedders see several crops at once.
    if bench.embedder.contract.crop != "chip" and len(parse_join(bench.embedder.contract.name).parts) == 1:
        sections.append(_crops_section(start, bench, options, tick))
    worst = min(outcomes[1:], key=lambda one: one.right)
    headline = (
        f"{outcomes[0].right / outcomes[0].total:.1%} of the pictures are named rightly as they are, and "
        f"{worst.right / worst.total:.1%} with the background that hurts most. {bench.embedder.contract.name} sees "
        f"{_SEES[bench.embedder.contract.crop]}."
    )
    return _report("Does the background matter?", headline, start, bench, facts, sections, outcomes)


_SEES = {
    "square": "a square around the face, with some of the background",
    "aligned": "the face alone, aligned by five points, with hardly any background",
    "chip": "dlib's chip: the face with a quarter of ground around it",
}


def _crops_section(start: _Start, bench: Bench, options: EvaluateOptions, tick: Tick) -> Section:
    train, val = (_read(bench.reader, samples, CROPS, tick) for samples in (start.train, start.val))
    rows: list[list[Cell]] = [
        ["the network's own crop", start.evaluation.report.accuracy, start.evaluation.report.macro.f1]
    ]
    for crop, gallery, probes in zip(CROPS, train, val, strict=True):
        if len(gallery) and len(probes):
            found = evaluate(Sides(gallery, probes, None), options.grid, options.criterion, options.fpir)
            rows.append([crop.label, found.report.accuracy, found.report.macro.f1])
    text = (
        "Here the network gets a square around the face box instead of its own crop, in train and val alike: tight "
        "(hair and ears cut off) to loose (shoulders and room). Every row has its own best parameters."
    )
    table = TableData(
        ["crop", "accuracy", "macro F1"], rows, "Tight and loose crops.", {"accuracy": ".2%", "macro F1": ".2%"}
    )
    return Section("Tight and loose crops", text, [table])


def _probes_section(
    title: str,
    name: str,
    start: _Start,
    reader: FaceReader,
    alterations: Sequence[Alteration],
    found: Sequence[FoundFaces],
) -> tuple[Section, list[Outcomes]]:
    """Altered probes against the unaltered gallery, with the parameters that were best before."""
    sides, contract = start.sides, reader.embedder.contract
    # A handful of easy pictures allows a very strict threshold; the embedder's own was measured on many people.
    rule = contract.rule_for("nearest") if contract.calibrated else start.evaluation.rule
    whose = f"{contract.name}'s own" if contract.calibrated else "best for the unaltered pictures"
    outcomes: list[Outcomes] = []
    rows: list[list[Cell]] = []
    pictures = {p.caption: p for p in _examples(start.val, reader, alterations)}
    for label, faces in [(_AS_IT_IS, sides.val), *zip((a.label for a in alterations), found, strict=True)]:
        searches = search(sides.train.faces, faces.faces, rule.k2, scoring="nearest")
        answers = searches.answers(rule)
        outcome = Outcomes.of(searches, answers, faces.missed)
        nearest = int((searches.neighbours.people[:, 0] == searches.truth).sum()) / max(1, outcome.total)
        outcomes.append(outcome)
        rows.append([label, pictures.get(label), *outcome.shares().tolist(), nearest, _moved(sides.val, faces)])
    text = (
        f"The gallery stays as it is, and so do the parameters ({rule_text(rule)}, {whose}). A picture in which "
        "no face was found is neither right nor wrong, but not recognised either: all shares are of all pictures. "
        "'Nearest is right' leaves the threshold aside. 'Moved by' is the median distance between the embeddings of "
        "the altered picture and of the same picture unaltered. Turned faces are imitated by turning the photo; a head "
        "that turns shows another side."
    )
    formats = {**dict.fromkeys(_COLUMNS[2:7], ".1%"), "moved by (median)": ".2f"}
    table = TableData(_COLUMNS, rows, f"{outcomes[0].total} pictures each.", formats)
    display = OutcomesDisplay([_AS_IT_IS, *(a.label for a in alterations)], outcomes)
    return Section(title, text, [table], [FigureData(name, "What became of every picture.", display)]), outcomes


def _moved(before: FoundFaces, after: FoundFaces) -> float | None:
    """Median distance between the embeddings of the same picture."""
    rows = {(place.path, place.time): i for i, place in enumerate(before.places)}
    pairs = [(rows[(p.path, p.time)], j) for j, p in enumerate(after.places) if (p.path, p.time) in rows]
    if not pairs:
        return None
    first, second = np.array(pairs).T
    difference = before.faces.embeddings[first] - after.faces.embeddings[second]
    return float(np.median(np.linalg.norm(difference, axis=1)))


def _examples(samples: Sequence[Sample], reader: FaceReader, alterations: Sequence[Alteration]) -> list[PictureData]:
    """The first photo with a face, altered in every way; empty where there is none among the first few."""
    for sample in samples[:5]:
        if kind_of(sample.path) != "image":
            continue
        image = read_image(sample.path, reader.max_pixels)
        faces = reader.detector.detect(image)
        if faces:
            altered = [PictureData(a.label, a.change(image, faces[0])) for a in alterations]
            return [PictureData(_AS_IT_IS, image), *altered]
    return []


def _report(
    title: str,
    headline: str,
    start: _Start,
    bench: Bench,
    facts: Mapping[str, Cell] | None,
    sections: Sequence[Section],
    data: object,
) -> Report:
    everything = {**dataset_facts(start.dataset, start.sides), **bench.facts(), **(facts or {})}
    return Report(title, headline, everything, [*notes_section(start.sides.notes), *sections], {"rows": data})
