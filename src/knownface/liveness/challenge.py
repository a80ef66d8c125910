"""A turn of the head, asked for to one side at random: a flat picture cannot follow.

Judged by five landmarks. The nose stands out from the plane of eyes and mouth, so that it moves between the eyes when a
head turns; on a sheet it stays where it is however the sheet is shifted and turned in its plane, and nearly so however
it is tilted, while the eyes come closer together at once. What this does not stop: a film of somebody who turns, to the
side that is asked for, and a mask.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

import numpy as np

from knownface.types import Landmarks

Side: TypeAlias = Literal["left", "right"]
"""As who is asked has it."""

SECONDS: Final = 8.0
"""In which the head must have been turned."""
FRONT: Final = 0.2
"""Turn, at most, of a face that looks at the camera."""
TURN: Final = 0.28
"""Change that counts as turned: about 30 degrees. Measured, see ``docs/liveness.md``."""
HALF: Final = 0.12
"""What must be seen on the way, so that a picture that is swapped for another one does not pass."""
BREADTH: Final = 0.72
"""Share of its breadth that a turned face keeps at least; a sheet keeps less long before its nose has moved as far."""
STEADY: Final = 3
"""Looks to the front, one after another, before anything is asked."""
TURNED: Final = 2
"""Turned looks, one after another, that pass."""
_GAP: Final = 1.5
"""Seconds without the face after which all begins anew."""


@dataclass(frozen=True, slots=True)
class Pose:
    """What landmarks say of how a head is turned.

    Attributes:
        turn: Of the nose from the middle, in distances of the eyes: 0 from the front, positive to the viewer's right,
            about 0.3 at 30 degrees.
        breadth: Distance of the eyes over that from eyes to mouth.
    """

    turn: float
    breadth: float


@dataclass(frozen=True, slots=True)
class Challenge:
    """How far somebody is with what was asked.

    Attributes:
        side: To which the head is to be turned.
        state: ``front``: is to look at the camera first; ``asked``; ``passed``; ``failed``.
        why: Of a failure: ``too slow``, ``wrong side`` or ``jumped``; else "".
        rest: The pose from the front that the turn is measured from.
        since: Stream seconds when it was asked.
        last: Stream seconds of the last look.
        looks: That count one after another.
        halfway: Whether the face was seen on its way.
    """

    side: Side
    state: Literal["front", "asked", "passed", "failed"] = "front"
    why: str = ""
    rest: Pose | None = None
    since: float = 0.0
    last: float = 0.0
    looks: int = 0
    halfway: bool = False

    @property
    def words(self) -> str:
        """What is asked, or what came of it, in a sentence."""
        if self.state == "asked":
            return f"Please turn your head to the {self.side}."
        if self.state == "failed":
            return f"{_FAILURES[self.why]} Please look into the camera."
        return "Please look into the camera." if self.state == "front" else "The head was turned as asked."


_FAILURES: Final = {
    "too slow": "That took too long.",
    "wrong side": "That was the other side.",
    "jumped": "That was too quick for the camera.",
}


def new_challenge() -> Challenge:
    """To one side at random, by the system's source of randomness."""
    return Challenge(random.SystemRandom().choice(("left", "right")))


def pose_of(landmarks: Landmarks) -> Pose | None:
    """How a head is turned; None where the landmarks do not tell.

    Args:
        landmarks: Shape (5, 2), pixels of a picture that is not mirrored: eyes, nose, corners of the mouth, each pair
            from left to right as the viewer sees it.
    """
    left, right, nose, *mouth = np.asarray(landmarks, dtype=np.float64)
    across, eyes, lips = right - left, (left + right) / 2, (mouth[0] + mouth[1]) / 2
    apart, high = float(np.hypot(*across)), float(np.hypot(*(lips - eyes)))
    if not (np.isfinite(landmarks).all() and apart > 0 and high > 0):
        return None
    return Pose(float((nose - (eyes + lips) / 2) @ across / apart**2), apart / high)


def look(challenge: Challenge, time: float, pose: Pose | None) -> Challenge:
    """What follows from the next look at the face; a challenge that is over stays as it is.

    Args:
        challenge: As it stood.
        time: Stream seconds, not before the last look's.
        pose: Of the face; None where it cannot be told.
    """
    if challenge.state in ("passed", "failed"):
        return challenge
    if challenge.looks and time - challenge.last > _GAP:
        challenge = Challenge(challenge.side)
    if challenge.state == "front":
        return _to_front(challenge, time, pose)
    if time - challenge.since > SECONDS:
        return replace(challenge, state="failed", why="too slow")
    return challenge if pose is None else _turning(replace(challenge, last=time), pose)


def _to_front(challenge: Challenge, time: float, pose: Pose | None) -> Challenge:
    if pose is None or abs(pose.turn) > FRONT:
        return replace(challenge, looks=0, last=time)
    looks = challenge.looks + 1
    if looks < STEADY:
        return replace(challenge, looks=looks, last=time)
    return replace(challenge, state="asked", rest=pose, since=time, last=time, looks=1)


def _turning(challenge: Challenge, pose: Pose) -> Challenge:
    assert challenge.rest is not None  # noqa: S101 - it was asked from the front
    # The left of who looks into a camera is the right of the picture.
    change = (pose.turn - challenge.rest.turn) * (1 if challenge.side == "left" else -1)
    if pose.breadth < BREADTH * challenge.rest.breadth:
        return replace(challenge, looks=1)
    if change <= -TURN:
        return replace(challenge, state="failed", why="wrong side")
    if change < TURN:
        return replace(challenge, looks=1, halfway=challenge.halfway or change >= HALF)
    if not challenge.halfway:
        return replace(challenge, state="failed", why="jumped")
    looks = challenge.looks + 1
    return replace(challenge, looks=looks, state="passed" if looks > TURNED else "asked")
