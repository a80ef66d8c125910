"""From decision to decision: when a name appears, stays and changes."""

from __future__ import annotations

from dataclasses import dataclass

from knownface.tracking.values import State


@dataclass(frozen=True, slots=True)
class Estimate:
    """The state of an answer and what speaks against it.

    Attributes:
        state: As in :class:`knownface.tracking.values.Identity`.
        person_id: The person named, or None.
        hypothesis: Whom the evidence named last; None for nobody.
        streak: How many decisions in a row, each with a new picture, had this hypothesis.
    """

    state: State = "pending"
    person_id: int | None = None
    hypothesis: int | None = None
    streak: int = 0


def settle(
    estimate: Estimate,
    hypothesis: int | None,
    *,
    fresh: bool,
    clear: bool,
    enough: bool,
    agreeing: int,
    parting: int,
) -> Estimate:
    """The answer after another decision.

    A name appears at once if the decision is clear, else when pictures agree. It is changed only when as many new
    pictures agree on another one, so one odd picture changes nothing. It is taken back when more pictures in a row
    name nobody; the face is undecided then, and Unknown only if twice as many do. An Unknown is given only to a face
    that has been seen often enough to be one.

    Args:
        estimate: Before.
        hypothesis: Person whom the evidence names now; None for nobody.
        fresh: Whether there is a new picture since the last decision.
        clear: Whether the evidence lies well within the threshold.
        enough: Whether the face was detected and embedded often enough to be an Unknown.
        agreeing: How many pictures must agree where one is not enough.
        parting: How many must name nobody before a name is taken back.
    """
    streak = estimate.streak + fresh if hypothesis == estimate.hypothesis and estimate.streak else int(fresh)
    if estimate.state == "named":
        changes = hypothesis != estimate.person_id and streak >= (parting if hypothesis is None else agreeing)
    elif hypothesis is not None:
        changes = clear or streak >= agreeing
    else:
        changes = estimate.state == "pending" and enough and streak >= 2 * parting
    if not changes:
        return Estimate(estimate.state, estimate.person_id, hypothesis, streak)
    if hypothesis is not None:
        return Estimate("named", hypothesis, hypothesis, streak)
    return Estimate("pending" if estimate.state == "named" else "unknown", None, None, streak)


def displaced(estimate: Estimate) -> Estimate:
    """The answer of a track whose person was given to another face of the picture."""
    return Estimate("pending", None, None if estimate.hypothesis == estimate.person_id else estimate.hypothesis, 0)
