"""How well a liveness check tells living faces from attacks, in the terms of ISO/IEC 30107-3.

- *APCER*: the share of attack presentations that pass as live, told for each kind of attack; the standard's figure is
  that of the worst kind, since an attacker chooses.
- *BPCER*: the share of bona fide presentations, living faces, that are taken for an attack.
- *EER*: where the share of all attacks that pass equals BPCER, to compare checks by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from knownface.detection import FaceDetector
from knownface.errors import CalibrationError, UnreadableError
from knownface.evaluation.intervals import Floats, Interval, clopper_pearson
from knownface.liveness import LivenessCheck
from knownface.media import expand_paths, read_image
from knownface.pipeline import find_faces, map_in_order

REAL = "real"
FEWEST = 10
"""Faces of living people, and of each kind of attack, from which on a threshold is chosen."""


@dataclass(frozen=True, slots=True, eq=False)
class Presentations:
    """Scored pictures, one face each.

    Attributes:
        scores: Float64, shape (n,), 0 (attack) to 1 (live).
        kinds: Of each picture, :data:`REAL` or the kind of attack; shape (n,).
        files: Of each picture.
        missed: Pictures in which no face was found, by kind: they reach no check.
    """

    scores: Floats
    kinds: npt.NDArray[np.str_]
    files: tuple[Path, ...]
    missed: dict[str, int]

    @property
    def real(self) -> Floats:
        """Scores of living faces."""
        real: Floats = self.scores[self.kinds == REAL]
        return real

    @property
    def attacks(self) -> dict[str, Floats]:
        """Scores of attacks by kind, in order of their names."""
        return {kind: self.scores[self.kinds == kind] for kind in sorted(set(self.kinds.tolist()) - {REAL})}


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """A share of wrong answers.

    Attributes:
        errors: Wrong answers.
        count: Presentations.
        interval: Where the true rate lies with 95 % confidence (Clopper and Pearson), pictures taken as independent.
    """

    errors: int
    count: int
    interval: Interval

    @classmethod
    def of(cls, wrong: npt.NDArray[np.bool_]) -> ErrorRate:
        """Counted."""
        errors, count = int(wrong.sum()), len(wrong)
        return cls(errors, count, clopper_pearson(errors, count))

    @property
    def rate(self) -> float:
        """0 to 1."""
        return self.errors / self.count


@dataclass(frozen=True, slots=True)
class AttackReport:
    """A liveness check at one threshold.

    Attributes:
        threshold: Scores from here on pass as live.
        apcer: By kind of attack.
        bpcer: Of living faces.
        eer: Equal error rate over all attacks, whatever the threshold.
        eer_threshold: Where it is.
    """

    threshold: float
    apcer: dict[str, ErrorRate]
    bpcer: ErrorRate
    eer: float
    eer_threshold: float

    @property
    def worst(self) -> str:
        """The kind of attack that passes most often; its rate is the standard's APCER."""
        return max(self.apcer, key=lambda kind: self.apcer[kind].rate)


def report(shown: Presentations, threshold: float) -> AttackReport:
    """The error rates at a threshold.

    Raises:
        CalibrationError: There are no living faces, or no attacks.
    """
    if not len(shown.real) or not shown.attacks:
        missing = "living faces" if not len(shown.real) else "attacks"
        raise CalibrationError(f"No face was found in the pictures of {missing}.", "Check the folders.")
    eer, where = equal_error_rate(shown.real, np.concatenate(list(shown.attacks.values())))
    return AttackReport(
        threshold,
        {kind: ErrorRate.of(scores >= threshold) for kind, scores in shown.attacks.items()},
        ErrorRate.of(shown.real < threshold),
        eer,
        where,
    )


def equal_error_rate(real: Floats, attacks: Floats) -> tuple[float, float]:
    """Where as large a share of attacks passes as of living faces does not: the rate and the threshold.

    Of the thresholds that differ, the one at which both are nearest is taken, and the mean of both told.
    """
    candidates = np.unique(np.concatenate([real, attacks]))
    passing = 1 - np.searchsorted(np.sort(attacks), candidates, side="left") / len(attacks)
    refused = np.searchsorted(np.sort(real), candidates, side="left") / len(real)
    best = int(np.abs(passing - refused).argmin())
    return float((passing[best] + refused[best]) / 2), float(candidates[best])


def threshold_for(shown: Presentations, apcer: float) -> float:
    """The lowest threshold at which no kind of attack passes more often than wanted.

    Args:
        shown: At least :data:`FEWEST` of each.
        apcer: The largest share, of every kind, above 0 and below 1.

    Raises:
        CalibrationError: There are too few pictures, or the threshold would refuse every living face.
    """
    for kind, scores in {REAL: shown.real, **shown.attacks}.items():
        if len(scores) < FEWEST:
            raise CalibrationError(
                f"{len(scores)} faces of the kind {kind!r} are too few to choose a threshold by.",
                f"Give {FEWEST} pictures or more of each kind.",
            )
    lowest = 0.0
    for scores in shown.attacks.values():
        ordered = np.sort(scores)[::-1]
        # As many as may pass do; the next one just does not.
        lowest = max(lowest, float(np.nextafter(ordered[int(apcer * len(ordered))], np.inf)))
    if not (shown.real >= lowest).any():
        raise CalibrationError(
            f"To let at most {apcer:.1%} of each kind of attack pass, every living face would be refused.",
            "Accept a larger share, or look at the pictures: are attacks among the living faces?",
        )
    return lowest


def kinds_of_folder(folder: Path, words: Sequence[str] = ()) -> list[tuple[str, Path]]:
    """The pictures of attacks with the kind of each.

    Args:
        folder: Of pictures, in folders within it or not.
        words: Kinds that file names tell: a picture is of the first that its path within the folder contains.

    Returns:
        The kind is a word, else the folder within the folder, else ``attack``.

    Raises:
        UnreadableError: There is no picture in it.
    """
    found = []
    for path in expand_paths([folder]):
        inside = path.relative_to(folder)
        named = next((word for word in words if word.lower() in str(inside).lower()), None)
        found.append((named or (inside.parts[0] if len(inside.parts) > 1 else "attack"), path))
    if not found:
        raise UnreadableError(f"{folder} holds no picture.", "Name a folder of photos.")
    return found


def present(
    pictures: Sequence[tuple[str, Path]],
    detector: FaceDetector,
    check: LivenessCheck,
    *,
    threads: int,
    max_pixels: int,
    on_done: Callable[[], None] = lambda: None,
) -> Presentations:
    """Score the largest face of each picture.

    Args:
        pictures: The kind of each, :data:`REAL` for living faces, and its file.
        detector: Finds the face.
        check: Scores it.
        threads: Worker threads.
        max_pixels: Larger pictures are refused.
        on_done: Called after each picture.

    Raises:
        InputError: A picture cannot be read.
    """

    def score(item: tuple[str, Path]) -> float | None:
        image = read_image(item[1], max_pixels)
        faces = find_faces(image, detector)
        return float(check.score([check.crop(image, faces[0])])[0]) if faces else None

    scores = list(_told(map_in_order(score, pictures, threads=threads, ahead=2 * threads), on_done))
    kept = [i for i, value in enumerate(scores) if value is not None]
    missed: dict[str, int] = {}
    for (kind, _), value in zip(pictures, scores, strict=True):
        if value is None:
            missed[kind] = missed.get(kind, 0) + 1
    return Presentations(
        np.array([scores[i] for i in kept], dtype=np.float64),
        np.array([pictures[i][0] for i in kept], dtype=np.str_),
        tuple(pictures[i][1] for i in kept),
        missed,
    )


def _told(scores: Iterator[float | None], on_done: Callable[[], None]) -> Iterator[float | None]:
    for value in scores:
        on_done()
        yield value
