"""From decision to decision: when a name appears, stays and changes."""

from __future__ import annotations

from dataclasses import dataclass

from knownface.tracking.values import State


@dataclass(frozen=True, slots=True)
class Standing:
    """The answer of a track and what speaks against it.

    Attributes:
        state: As in :class:`knownface.tracking.values.TrackIdentity`.
        person_id: The person named, or None.
        claim: Whom the evidence named last; None for nobody.
        rounds: How many decisions in a row, each with a new picture, made this claim.
    """

    state: State = "pending"
    person_id: int | None = None
    claim: int | None = None
    rounds: int = 0


def settle(standing: Standing, claim: int | None, *, fresh: bool, clear: bool, enough: bool, agreeing: int) -> Standing:
    """The answer after another decision.

    A name appears at once if the decision is clear, else when pictures agree. It is changed, or taken back, only when
    as many new pictures agree on something else, so one odd picture changes nothing; and an Unknown is given only to
    a face that has been seen often enough to be one.

    Args:
        standing: Before.
        claim: Person whom the evidence names now; None for nobody.
        fresh: Whether there is a new picture since the last decision.
        clear: Whether the evidence lies well within the threshold.
        enough: Whether the face was found and looked at often enough to be an Unknown.
        agreeing: How many pictures must agree where one is not enough.
    """
    rounds = standing.rounds + fresh if claim == standing.claim and standing.rounds else int(fresh)
    if standing.state == "named":
        changes = claim != standing.person_id and rounds >= agreeing
    elif claim is not None:
        changes = clear or rounds >= agreeing
    else:
        changes = standing.state == "pending" and enough and rounds >= agreeing
    if not changes:
        return Standing(standing.state, standing.person_id, claim, rounds)
    return Standing("unknown" if claim is None else "named", claim, claim, rounds)


def displaced(standing: Standing) -> Standing:
    """The answer of a track whose person was given to another face of the picture."""
    return Standing("pending", None, None if standing.claim == standing.person_id else standing.claim, 0)
