"""Where a tracked face is from frame to frame, and whether it is in sight."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

from knownface.tracking.appearance import ODD, Appearance, blended, likeness
from knownface.tracking.assignment import gaps_to_others
from knownface.tracking.box_filter import BoxFilter
from knownface.tracking.trajectory import Trajectory
from knownface.types import Box, Face

_GOES_ON = 0.4
"""Seconds out of sight after which a face that is found again may still move as before."""
_AS_BEFORE = 0.5
"""How far, in face sides, it may lie then from where that puts it."""


@dataclass(slots=True, eq=False)
class Motion:
    """Place, appearance and visibility of one track.

    Attributes:
        filter: Predicts the box.
        appearance: Of its last detections.
        first_time: Stream seconds of the first detection.
        last_time: Stream seconds of the last detection.
        first_box: The first detection's.
        box: In the frame observed last, detected or predicted.
        face: The detection in the frame observed last, or None.
        visible: Whether it is in the frame observed last, detected or predicted.
        lost: Whether it has been undetected so long that only an embedding can find it again.
        missed: Whether the detector did not find it when it ran last.
        near: Whether another face was so near when it was detected last that the two may be mixed up.
        crowded: Whether another face was so near then that pictures may show both.
        detections: How many there were.
        frames: In how many frames it was visible.
        coasted: In how many of these since the last detection.
        trajectory: Where it was, if that is kept.
    """

    filter: BoxFilter
    appearance: Appearance
    first_time: float
    last_time: float
    first_box: Box
    box: Box
    face: Face | None
    visible: bool = True
    lost: bool = False
    missed: bool = False
    near: bool = False
    crowded: bool = False
    detections: int = 1
    frames: int = 0
    coasted: int = 0
    trajectory: Trajectory | None = None

    @classmethod
    def begin(cls, face: Face, appearance: Appearance, time: float, trajectory: Trajectory | None = None) -> Motion:
        """That of a face detected for the first time.

        Args:
            face: The detection.
            appearance: Its.
            time: Stream seconds.
            trajectory: To keep where it goes; None does not keep that.
        """
        if trajectory is not None:
            trajectory.detect(time, face.box)
        return cls(
            BoxFilter(face.box, time), appearance, time, time, face.box, face.box, face, trajectory=trajectory
        )  # fmt: skip

    def predict(self, time: float) -> None:
        """Moves the box to the time of a new frame, in which nothing has been detected yet."""
        self.box, self.face = self.filter.predict(time), None

    def detect(self, face: Face, appearance: Appearance, time: float) -> bool:
        """Takes a detection in the present frame.

        Returns:
            Whether it looks so different from the last ones that it may be somebody else's.
        """
        odd = likeness(self.appearance, appearance) < ODD
        self.missed, self.coasted = False, 0
        if not self.crowded:
            self.appearance = blended(self.appearance, appearance)
        self.filter.update(face.box, time)
        self.box, self.face, self.last_time = face.box, face, time
        self.detections += 1
        if self.trajectory is not None:
            self.trajectory.detect(time, face.box)
        return odd

    def count_frame(self) -> None:
        """Counts a frame in which it is visible."""
        self.frames += 1
        self.coasted += self.face is None

    def close(self, time: float) -> None:
        """Notes the last frame in which it is taken to be, if where it goes is kept."""
        if self.trajectory is not None:
            self.trajectory.close(time)

    def hide(self) -> None:
        """Takes it out of sight."""
        self.lost, self.visible, self.face = True, False, None

    def split(self, first_time: float, detections: int) -> Motion:
        """The motion of somebody else who has been in this track's place since ``first_time``."""
        return Motion(
            copy(self.filter), self.appearance, first_time, self.last_time, self.box, self.box, self.face,
            detections=detections,
            trajectory=self.trajectory and self.trajectory.split(first_time),
        )  # fmt: skip

    def _moves_as_before(self, place: Box, newer: Motion) -> bool:
        """Whether its own motion tells more than that of the newer track, which may be another face's until then."""
        expected = self.filter.predict(newer.last_time)
        fits = self.filter.updates == 1 or gaps_to_others([expected, place])[0] <= _AS_BEFORE
        return fits and newer.last_time - self.last_time <= _GOES_ON

    def resume(self, newer: Motion) -> None:
        """Goes on where a newer track found the same face again."""
        place = newer.filter.predict(newer.last_time) if newer.face is None else newer.face.box
        if self._moves_as_before(place, newer):
            self.filter.update(place, newer.last_time)
        else:
            self.filter = newer.filter
        self.box, self.face, self.appearance = newer.box, newer.face, newer.appearance
        self.visible, self.lost, self.last_time = newer.visible, newer.lost, newer.last_time
        self.detections += newer.detections
        # Where its box coasted, the face was not: it is in the frames of the newer track.
        self.frames += newer.frames - self.coasted
        self.coasted = newer.coasted
        if self.trajectory is not None and newer.trajectory is not None:
            self.trajectory.resume(newer.trajectory)
