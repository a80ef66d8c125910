"""What ``knownface watch`` tells people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape

from knownface.cli.common import out, say, table
from knownface.wording import plural

if TYPE_CHECKING:
    from knownface.live import LiveEvent, WatchStatus
    from knownface.live.sinks import Timeline, TimelineRow, TimelineTotal

_ROWS_SHOWN = 200


def say_alert(event: LiveEvent) -> None:
    """Say that a rule has struck."""
    say(f"Alert: {event.why}", style="bold yellow")


def say_challenge(event: LiveEvent) -> None:
    """Say what a face is asked, or what came of it."""
    say(event.why, style="bold")


def status_line(status: WatchStatus) -> str:
    """The status in one line; once the source has ended, what was done."""
    if status.state == "ended":
        return f"{status.state}: {plural(status.frames, 'frame')}, {status.dropped} dropped"
    delay = (
        f"latency {1000 * status.latency_p50:.0f}/{1000 * status.latency_p95:.0f} ms (p50/p95)"
        if status.latency_p50 is not None and status.latency_p95 is not None
        else "no frame yet"
    )
    parts = [
        f"{status.state}: {status.frames} frames",
        f"{status.fps_in:.1f}/s in",
        f"{status.fps_out:.1f}/s out",
        delay,
        f"{status.faces} faces{': ' + ', '.join(status.names) if status.names else ''}",
        f"queue {status.queue}",
        f"{status.dropped} dropped",
    ]
    if status.reconnects:
        parts.append(f"reconnected {status.reconnects} times")
    return ", ".join(parts)


def show_rows(timeline: Timeline) -> None:
    """Show who was there, for people to read."""
    rows = timeline.rows
    if not rows:
        out().print("Nobody was seen.")
        return
    shown = table("name", "from", "to", "distance", "frames")
    for row in rows[:_ROWS_SHOWN]:
        shown.add_row(
            _label(row),
            f"{row.first_time:.2f}",
            f"{row.last_time:.2f}",
            "" if row.best_distance is None else f"{row.best_distance:.3f}",
            str(row.frames),
        )
    out().print(shown)
    if len(rows) > _ROWS_SHOWN:
        out().print(f"… and {len(rows) - _ROWS_SHOWN} more; --timeline writes all.")
    totals = timeline.totals
    if len(totals) < len(rows):
        shown = table("in total", "seconds", "stretches", "frames")
        for total in totals[:_ROWS_SHOWN]:
            shown.add_row(_label(total), f"{total.seconds:.2f}", str(total.stretches), str(total.frames))
        out().print(shown)


def _label(row: TimelineRow | TimelineTotal) -> str:
    return f"[bold green]{escape(row.label)}[/]" if row.person_id is not None else escape(row.label)
