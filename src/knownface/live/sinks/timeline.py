"""Who was there from when to when: one row a stretch, as CSV or JSON, with a picture of each."""

from __future__ import annotations

import json
import time as clock
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from knownface.errors import OutputError
from knownface.files import replacing
from knownface.live.identity_events import wall_time
from knownface.live.values import FrameResult
from knownface.media import write_image
from knownface.tables import csv_text
from knownface.tracking import Segment, TrackSummary

GAP = 1.0
"""Seconds: somebody who is back within so long was not away. A cut ends tracks, not somebody's presence."""
_SAVE_EVERY = 30.0
_COLUMNS = ("name", "from", "to", "best_distance", "frames", "thumbnail", "person_id", "unknown", "from_at", "to_at")


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """A stretch of time in which somebody was visible.

    Attributes:
        label: The name, or ``Unknown 3``.
        person_id: Of the gallery, or None.
        unknown: Number of the Unknown, or None.
        first_time: Stream seconds.
        last_time: Stream seconds.
        best_distance: Smallest distance, 0 to 2, or None.
        frames: In how many frames.
        thumbnail: File name of the best picture, relative to the table; empty where there is none.
        quality: Of that picture, 0 to 1.
        began: Wall-clock time of second 0, or None.
    """

    label: str
    person_id: int | None
    unknown: int | None
    first_time: float
    last_time: float
    best_distance: float | None
    frames: int
    thumbnail: str = ""
    quality: float = -1.0
    began: datetime | None = None

    def as_dict(self) -> dict[str, Any]:
        """As written to the file."""
        first, last = wall_time(self.began, self.first_time), wall_time(self.began, self.last_time)
        values = (
            self.label,
            round(self.first_time, 3),
            round(self.last_time, 3),
            None if self.best_distance is None else round(self.best_distance, 4),
            self.frames,
            self.thumbnail or None,
            self.person_id,
            self.unknown,
            first and first.isoformat(timespec="milliseconds"),
            last and last.isoformat(timespec="milliseconds"),
        )
        return dict(zip(_COLUMNS, values, strict=True))


@dataclass(frozen=True, slots=True)
class TimelineTotal:
    """All the stretches of somebody.

    Attributes:
        label: The name, or ``Unknown 3``.
        person_id: Of the gallery, or None.
        stretches: How many there are.
        seconds: How long they are together.
        frames: In how many frames.
    """

    label: str
    person_id: int | None
    stretches: int
    seconds: float
    frames: int


class Timeline:
    """Collects the segments of all tracks; with a file it is written there, with JPEG pictures in a folder beside it.

    The folder is called like the file with ``-faces`` behind. The file is written at the end, and every half minute
    before it, each time as a whole.

    Args:
        path: ``.csv`` or ``.json``; None only collects.
        bom: Whether CSV begins with a byte order mark, which Excel needs to read it as UTF-8.

    Raises:
        OutputError: The suffix is another.
    """

    wants_frames = False

    def __init__(self, path: Path | None = None, *, bom: bool = False) -> None:
        if path is not None and path.suffix.lower() not in {".csv", ".json"}:
            raise OutputError(
                f"{path} cannot be written: a timeline's suffix must be .csv or .json.", "Choose another name."
            )
        self._path = path
        self._mark = "\ufeff" if bom else ""
        self._rows: list[TimelineRow] = []
        self._last: dict[tuple[int | None, int | None], int] = {}
        self._saved = clock.monotonic()

    @property
    def rows(self) -> list[TimelineRow]:
        """What was collected so far, by time."""
        return sorted(self._rows, key=lambda row: (row.first_time, row.last_time))

    @property
    def totals(self) -> list[TimelineTotal]:
        """Everybody's stretches together, whoever was seen longest first."""
        of_each: dict[tuple[int | None, int | None], list[TimelineRow]] = {}
        for row in self._rows:
            of_each.setdefault((row.person_id, row.unknown), []).append(row)
        totals = [
            TimelineTotal(
                rows[-1].label,
                rows[-1].person_id,
                len(rows),
                sum(row.last_time - row.first_time for row in rows),
                sum(row.frames for row in rows),
            )
            for rows in of_each.values()
        ]
        return sorted(totals, key=lambda total: -total.seconds)

    def take(self, result: FrameResult) -> None:
        """Takes the tracks that ended.

        Raises:
            OutputError: The file or a picture cannot be written.
        """
        for track in result.ended:
            for segment in track.segments:
                if segment.identity.state != "pending":
                    of_last = segment is track.segments[-1]
                    self._add(segment, track if of_last else None, result.began)
        if result.ended and clock.monotonic() - self._saved >= _SAVE_EVERY:
            self._save()

    def __enter__(self) -> Self:
        self._save()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(error, OutputError):
            self._save()

    def _add(self, segment: Segment, track: TrackSummary | None, began: datetime | None) -> None:
        identity = segment.identity
        who = (identity.person_id, identity.unknown)
        row = TimelineRow(
            label=identity.label,
            person_id=identity.person_id,
            unknown=identity.unknown,
            first_time=segment.first_time,
            last_time=segment.last_time,
            best_distance=segment.best_distance,
            frames=segment.frames,
            began=began,
        )
        number = self._last.get(who)
        if number is not None and _near(self._rows[number], row):
            row = _joined(self._rows[number], row)
        else:
            number = len(self._rows)
            self._rows.append(row)
            self._last[who] = number
        self._rows[number] = row if track is None else self._with_picture(row, number, track)

    def _with_picture(self, row: TimelineRow, number: int, track: TrackSummary) -> TimelineRow:
        quality = track.best_quality if track.best_quality is not None else 0.0
        if self._path is None or track.picture is None or quality <= row.quality:
            return row
        folder = self._path.with_name(f"{self._path.stem}-faces")
        name = row.thumbnail or f"{folder.name}/{number + 1:04d}.jpg"
        write_image(self._path.parent / name, track.picture)
        return replace(row, thumbnail=name, quality=quality)

    def _save(self) -> None:
        self._saved = clock.monotonic()
        if self._path is None:
            return
        rows = [row.as_dict() for row in self.rows]
        if self._path.suffix.lower() == ".json":
            text = json.dumps(rows, ensure_ascii=False, indent=1) + "\n"
        else:
            text = self._mark + csv_text(_COLUMNS, [list(row.values()) for row in rows])
        with replacing(self._path) as part:
            part.write_text(text, encoding="utf-8", errors="backslashreplace", newline="")


def _near(before: TimelineRow, row: TimelineRow) -> bool:
    return row.first_time - before.last_time <= GAP and before.first_time - row.last_time <= GAP


def _joined(before: TimelineRow, row: TimelineRow) -> TimelineRow:
    distances = [d for d in (before.best_distance, row.best_distance) if d is not None]
    return replace(
        before,
        label=row.label,
        first_time=min(before.first_time, row.first_time),
        last_time=max(before.last_time, row.last_time),
        best_distance=min(distances, default=None),
        frames=before.frames + row.frames,
    )
