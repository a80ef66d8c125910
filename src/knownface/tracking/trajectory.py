"""Where a face was over the whole of its track, so that it can be shown in hindsight."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field

from knownface.types import Box


@dataclass(slots=True, eq=False)
class Trajectory:
    """The detections of one face, 40 bytes each.

    Attributes:
        opens: Stream seconds of the first frame in which the face is taken to be: a little before the first
            detection, since the detector does not look at every frame.
        closes: Of the last frame; infinite while that is not known.
        times: Stream seconds of the detections, increasing.
        boxes: Their x, y, width and height in pixels, one after another.
    """

    opens: float
    closes: float = math.inf
    times: array[float] = field(default_factory=lambda: array("d"))
    boxes: array[float] = field(default_factory=lambda: array("d"))

    def detect(self, time: float, box: Box) -> None:
        """Takes another detection; a face that was gone is there again."""
        self.times.append(time)
        self.boxes.extend((box.x, box.y, box.width, box.height))
        self.closes = math.inf

    def close(self, time: float) -> None:
        """Notes the last frame in which the face is taken to be, unless that is known."""
        self.closes = min(self.closes, time)

    def split(self, since: float) -> Trajectory:
        """Takes out what is somebody else's: the detections from ``since`` on."""
        at = bisect_left(self.times, since)
        other = Trajectory(since, self.closes, self.times[at:], self.boxes[4 * at :])
        self.times, self.boxes = self.times[:at], self.boxes[: 4 * at]
        self.closes = self.times[-1] if self.times else self.opens
        return other

    def resume(self, newer: Trajectory) -> None:
        """Goes on with what was found later of the same face."""
        at = bisect_left(self.times, newer.times[0]) if newer.times else len(self.times)
        self.times = self.times[:at] + newer.times
        self.boxes = self.boxes[: 4 * at] + newer.boxes
        self.closes = newer.closes

    def box_at(self, time: float, gap: float) -> Box | None:
        """The box at a time; None where the face is not shown.

        Between two detections it moves on a straight line, as it does before the first and behind the last one.

        Args:
            time: Stream seconds.
            gap: Where two detections are farther apart in time the face was out of sight between them.
        """
        times = self.times
        at = bisect_right(times, time)
        if at and times[at - 1] == time:
            return self._box(at - 1)
        if not times or not self.opens <= time <= self.closes:
            return None
        right = min(max(at, 1), len(times) - 1)
        left = max(right - 1, 0)
        if times[right] - times[left] > gap:
            return None if 0 < at < len(times) else self._box(0 if at == 0 else -1)
        share = (time - times[left]) / (times[right] - times[left]) if right > left else 0.0
        a, b = self._box(left), self._box(right)
        x, y = (p + share * (q - p) for p, q in ((a.x, b.x), (a.y, b.y)))
        width, height = (max(1.0, p + share * (q - p)) for p, q in ((a.width, b.width), (a.height, b.height)))
        return Box(x, y, width, height)

    def detected_at(self, time: float) -> bool:
        """Whether the detector found the face at that very time."""
        at = bisect_left(self.times, time)
        return at < len(self.times) and self.times[at] == time

    def _box(self, at: int) -> Box:
        at %= len(self.times)
        return Box(*self.boxes[4 * at : 4 * at + 4])


class Looks:
    """The frames of a shot since the detector last looked at one: in which of them a face may already have been."""

    def __init__(self) -> None:
        self._times: list[float] = []
        self._looked = False

    def frame(self, time: float) -> None:
        """Takes the next frame."""
        self._times.append(time)

    def look(self) -> None:
        """Notes that the detector looked at the newest frame."""
        self._times, self._looked = self._times[-1:], True

    def cut(self) -> None:
        """Another shot begins."""
        self._times, self._looked = [], False

    @property
    def newest(self) -> float:
        """Time of the newest frame of the shot; infinite where there is none."""
        return self._times[-1] if self._times else math.inf

    def opens(self) -> float:
        """When a face came that the look at the newest frame found and the one before did not: halfway."""
        times = self._times
        if not self._looked:
            return times[0]
        return next(time for time in times[1:] if time >= (times[0] + times[-1]) / 2)

    def closes(self, seen: float) -> float:
        """When a face was last there that was seen at a time, and is not at the newest frame: halfway."""
        return max((time for time in self._times if seen < time < (seen + self._times[-1]) / 2), default=seen)
