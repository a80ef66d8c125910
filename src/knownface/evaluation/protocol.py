"""The paper's protocol: enrol train, name val, search the grid, look at everybody; with strangers the open set too.

The grid is searched over the probes of enrolled people, as in the paper, so that a thousand strangers cannot drown
them; what strangers would have got stands in a column of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np

from knownface.errors import InputError, NoFaceError
from knownface.evaluation.datasets import Dataset, Sample
from knownface.evaluation.embeddings import FaceReader, FoundFaces, joined
from knownface.evaluation.faces import FaceSet, Searches, search
from knownface.evaluation.grid import DEFAULT_GRID, Grid, GridTable, grid_search
from knownface.evaluation.metrics import ClassificationReport, classification_report
from knownface.evaluation.openset import OpenSet, OperatingPoint, open_set, operating_points
from knownface.scorings import Scoring
from knownface.types import DecisionRule, Ids

Tick: TypeAlias = Callable[[str, int, int], None]
"""Called with what is done, how much of it, and of how much."""

DEFAULT_FPIR = 0.01
"""The share of strangers that may get a name, where nobody says another."""

STRANGER = "stranger: "
"""Before the name of everybody who is not enrolled, so that they cannot share a name with somebody who is."""


def no_tick(_what: str, _done: int, _total: int) -> None:
    """Report to nobody."""


@dataclass(frozen=True, slots=True, eq=False)
class Sides:
    """Everything embedded.

    Attributes:
        train: The gallery.
        val: Probes of enrolled people.
        strangers: Probes of people who are not enrolled, their names with :data:`STRANGER` before them.
        notes: What a reader must know.
    """

    train: FoundFaces
    val: FoundFaces
    strangers: FoundFaces | None
    notes: tuple[str, ...] = ()


def embed_dataset(dataset: Dataset, strangers: Sequence[Sample], reader: FaceReader, tick: Tick = no_tick) -> Sides:
    """Embed both sides of a data set, and strangers.

    People who have files in val only join the strangers.

    Raises:
        NoFaceError: Nothing was found to enrol, or nothing to name.
    """
    sides: dict[str, list[Sample]] = {"train": [], "val": [], "shared": []}
    others = [Sample(STRANGER + sample.person, sample.path) for sample in strangers]
    for person in dataset.people:
        for path in person.val if not person.train else ():
            others.append(Sample(STRANGER + person.name, path))
        sides["train"] += [Sample(person.name, path) for path in person.train]
        sides["val"] += [Sample(person.name, path) for path in person.val if person.train]
        sides["shared"] += [Sample(person.name, path) for path in person.shared]
    train, val = (read_all(sides[side], reader, f"Embedding {side}", tick) for side in ("train", "val"))
    if sides["shared"]:
        shared = read_all(sides["shared"], reader, "Embedding frames", tick)
        for_train, for_val = split_frames(shared, dataset.options.seed, dataset.options.train_share)
        train, val = joined(train, for_train), joined(val, for_val)
    unknown = read_all(others, reader, "Embedding strangers", tick) if others else None
    return checked(Sides(train, val, unknown if unknown is not None and len(unknown) else None))


def read_all(samples: Sequence[Sample], reader: FaceReader, what: str, tick: Tick) -> FoundFaces:
    """Embed files and report each."""
    done = 0

    def on_done(_: Sample) -> None:
        nonlocal done
        done += 1
        tick(what, done, len(samples))

    if samples:
        tick(what, 0, len(samples))
    return reader.read(samples, on_done=on_done)


def split_frames(found: FoundFaces, seed: int, train_share: float) -> tuple[FoundFaces, FoundFaces]:
    """Each person's frames at random, so many of them for train; nobody with two frames lacks a side."""
    rng = np.random.default_rng(seed)
    for_train = np.zeros(len(found), dtype=bool)
    for person in np.unique(found.faces.people):
        rows = np.flatnonzero(found.faces.people == person)
        count = max(1, min(round(train_share * len(rows)), len(rows) - 1))
        for_train[rng.permutation(rows)[:count]] = True
    train, val = found.take(for_train), found.take(~for_train)
    # Frames without a face are on neither side; they are reported once.
    return train, replace(val, misses=())


def checked(sides: Sides) -> Sides:
    """The sides without probes of people of whom no train picture could be used, and remarks on all of it.

    Raises:
        NoFaceError: Nothing was found to enrol, or nothing to name.
    """
    train, val, strangers = sides.train, sides.val, sides.strangers
    if not len(train):
        raise _nothing(train, "enrol")
    notes = list(sides.notes)
    known = np.isin(val.faces.people, train.faces.people)
    if not known.all():
        lost = sorted(set(val.faces.people[~known].tolist()))
        notes.append(
            f"No face was found in any train picture of {', '.join(lost)}; their probes were left out, since nobody "
            "could have named them."
        )
        val = val.take(known)
    if not len(val):
        raise _nothing(val, "name")
    twins = np.unique(val.faces.sources[np.isin(val.faces.sources, train.faces.sources)])
    if len(twins) and not _frames_shared(train, val):
        notes.append(
            f"{len(twins)} files are on both sides with the same content, byte by byte: naming them proves nothing."
        )
    for what, found in (("train", train), ("val", val), ("strangers", strangers)):
        if found is not None and found.missed:
            notes.append(
                f"In {found.missed} of {found.missed + len(found)} pictures of {what} no face could be used; they are "
                "counted apart and take part in no other number."
            )
    return Sides(train, val, strangers, tuple(notes))


def _nothing(found: FoundFaces, purpose: str) -> NoFaceError:
    reasons = Counter(miss.reason for miss in found.misses).most_common(1)
    why = f" (most often: {reasons[0][0]})" if reasons else ""
    return NoFaceError(
        f"None of the {found.missed} pictures to {purpose} could be used{why}.",
        "Look at the pictures; try another detector.",
    )


def _frames_shared(train: FoundFaces, val: FoundFaces) -> bool:
    paths = {place.path for place in train.places}
    return any(place.time is not None and place.path in paths for place in val.places)


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """What was measured.

    Attributes:
        sides: The faces.
        searches: Every probe of an enrolled person.
        table: The grid search.
        criterion: By which the best row was chosen.
        fpir: The share of strangers that may get a name by it, where there are strangers.
        best: Its index.
        answers: The best rule's answers.
        report: Of the best rule.
        strangers: Searches of strangers; None without.
        open_set: Both kinds over the threshold, for the best k1 and k2; None without strangers.
        points: TPIR at given FPIR; empty without strangers.
    """

    sides: Sides
    searches: Searches
    table: GridTable
    criterion: str
    fpir: float
    best: int
    answers: Ids
    report: ClassificationReport
    strangers: Searches | None = None
    open_set: OpenSet | None = None
    points: Sequence[OperatingPoint] = field(default=())

    @property
    def rule(self) -> DecisionRule:
        """The best row's parameters."""
        return self.table.rule(self.best)

    @property
    def enrolled(self) -> tuple[str, ...]:
        """Everybody in the gallery."""
        return self.searches.labels[: self.searches.enrolled]


def evaluate(
    sides: Sides,
    grid: Grid = DEFAULT_GRID,
    criterion: str = "accuracy",
    fpir: float = DEFAULT_FPIR,
    scoring: Scoring = "nearest",
) -> Evaluation:
    """Search the grid and look closely at its best row.

    Args:
        sides: The faces.
        grid: Parameters to try.
        criterion: A column of the grid table; ties go to the stricter row.
        fpir: The share of strangers that may get a name by the best row (see :meth:`GridTable.best_row`).
        scoring: What the distances are measured to; the paper's unless told otherwise.

    Raises:
        SettingsError: The criterion is no column that measures something.
    """
    k = max(grid.k2)
    searches = search(sides.train.faces, sides.val.faces, k, scoring=scoring)
    strangers = None
    if sides.strangers is not None:
        strangers = search(sides.train.faces, sides.strangers.faces, k, scoring=scoring)
    table = search_grid(searches, strangers, grid)
    best = table.best_row(criterion, fpir)
    answers = searches.answers(table.rule(best))
    counts = _open_set(sides, table.rule(best), k) if strangers is not None else None
    return Evaluation(
        sides=sides,
        searches=searches,
        table=table,
        criterion=criterion,
        fpir=fpir,
        best=best,
        answers=answers,
        report=classification_report(searches, answers),
        strangers=strangers,
        open_set=counts,
        points=operating_points(counts) if counts is not None else (),
    )


def search_grid(searches: Searches, strangers: Searches | None, grid: Grid) -> GridTable:
    """The grid over probes of enrolled people, with what strangers would have got beside it."""
    table = grid_search(searches, grid)
    if strangers is not None:
        table.rows["strangers_named_rate"] = grid_search(strangers, grid).rows["strangers_named_rate"]
    return table


def _open_set(sides: Sides, rule: DecisionRule, k: int) -> OpenSet:
    assert sides.strangers is not None  # noqa: S101 - the caller looked
    both = joined(sides.val, sides.strangers)
    return open_set(
        search(sides.train.faces, both.faces, k, scoring=rule.scoring),
        k1=rule.k1,
        k2=rule.k2,
        undetected_mated=sides.val.missed,
        undetected_strangers=sides.strangers.missed,
    )


def with_dropped(
    evaluation: Evaluation, bound: float | None, grid: Grid, names: Collection[str] = ()
) -> tuple[Evaluation, list[str]]:
    """The same without everybody whose F1 is under a bound: the paper's second number, which flatters.

    Args:
        evaluation: Of everybody.
        bound: Of the F1, 0 to 1; None drops nobody for it.
        grid: Parameters to try.
        names: People dropped in any case.

    Returns:
        The new evaluation and who was dropped, in the order of names. With nobody dropped it is the old one.

    Raises:
        InputError: Nobody with a probe would be left.
    """
    scores = evaluation.report.people
    under = {score.person for score in scores if bound is not None and score.support and score.f1 < bound}
    dropped = [score.person for score in scores if score.person in under or score.person in names]
    if not dropped:
        return evaluation, []
    kept = [person for person in evaluation.enrolled if person not in set(dropped)]
    sides = evaluation.sides
    val = sides.val.of_people(kept)
    if not len(val):
        raise InputError("Nobody who was tested would be left.", "Choose a lower bound, or drop fewer people.")
    fewer = Sides(sides.train.of_people(kept), val, sides.strangers, sides.notes)
    return evaluate(fewer, grid, evaluation.criterion, evaluation.fpir, evaluation.searches.scoring), dropped


def all_faces(sides: Sides) -> FaceSet:
    """Train and val together: what the plots of embeddings show."""
    return joined(sides.train, sides.val).faces
