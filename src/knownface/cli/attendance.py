"""``knownface attendance``: who came, who is late, who is absent; guests greeted; working hours."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.markup import escape

from knownface.cli.attendance_photo import photo
from knownface.cli.common import gallery_option, out, say, table
from knownface.cli.hours import hours
from knownface.cli.outputs import OutputFile, bom_option, json_option, overwrite_option
from knownface.cli.seen import clock, open_log, say_accuracy, when, zone_option
from knownface.cli.writing import write_json, write_tables

if TYPE_CHECKING:
    from knownface.events import Session, SessionReport


@click.group(name="attendance")
def command() -> None:
    """Open and close sessions, list who came, greet guests, add up working hours.

    A session is computed from what `knownface watch` writes down while it is open, on any number of cameras; with its
    `--challenge turn` from those who turned their heads as asked. NAME is a session's name (the open one, else the
    newest) or id.
    """


@command.command(name="open")
@click.argument("name")
@click.option("--people", multiple=True, metavar="NAME", help="Is expected; may be given several times.")
@click.option("--group", metavar="NAME", help="Everybody of this group is expected.")
@click.option("--guests", metavar="FILE.csv", type=click.Path(path_type=Path), help="A list with the column name.")
@click.option("--source", "sources", multiple=True, metavar="SOURCE", help="Only what is seen there counts.")
@click.option("--grace", type=click.IntRange(0, 1440), default=10, show_default=True, help="Minutes until late.")
@click.option("--from", "start", metavar="TIME", help="When it begins. Default: now.")
@click.option("--until", metavar="TIME", help="When it ends by itself.")
@zone_option
@gallery_option
def open_(
    name: str,
    people: tuple[str, ...],
    group: str | None,
    guests: Path | None,
    sources: tuple[str, ...],
    grace: int,
    start: str | None,
    until: str | None,
    zone: tzinfo | None,
    gallery: str | None,
) -> None:
    """Open the session NAME for people, a group or a guest list.

    A guest list is CSV: name, external_id if there is one, and any further columns, such as table and profile.
    """
    from knownface.events import open_session, read_guests, report_session

    listed = read_guests(guests) if guests is not None else []
    begins = when(start, zone, option="--from")
    with open_log(gallery) as log:
        session = open_session(
            log.gallery.database,
            name,
            people=people,
            group=group,
            guests=listed,
            sources=sources,
            grace=timedelta(minutes=grace),
            start=begins,
            until=when(until, zone, option="--until", after=begins or datetime.now(UTC)),
        )
        report = report_session(log.gallery.database, session.id)
    expected = len(report.attendees)
    are = "1 person is" if expected == 1 else f"{expected} people are"
    out().print(escape(f"{session.name} is open; {are} expected."), soft_wrap=True)
    strange = [a.name for a in report.attendees if a.person_id is None]
    if strange:
        some = ", ".join(strange[:5]) + (" …" if len(strange) > 5 else "")
        say(f"Not in the gallery, so not recognised until enrolled: {len(strange)} of the list ({some}).")


@command.command()
@click.argument("name")
@gallery_option
def close(name: str, gallery: str | None) -> None:
    """Close a session and write down who came."""
    from knownface.events import close_session, find_session, report_session

    with open_log(gallery) as log:
        session = close_session(log.gallery.database, find_session(log.gallery.database, name).id)
        report = report_session(log.gallery.database, session.id)
    out().print(escape(f"{session.name} is closed: {_summary(report)}."), soft_wrap=True)


@command.command()
@click.argument("name")
@click.option(
    "--out",
    "file",
    type=OutputFile(".csv", ".json", ".xlsx", fields=("name", "external_id")),
    help="FILE.csv, .json or .xlsx.",
)
@click.option(
    "--moodle",
    type=OutputFile(".csv", fields=("user", "scantime")),
    help="FILE.csv for Moodle's attendance import.",
)
@json_option("session", help="Write the session, everybody and the counts.")
@overwrite_option
@bom_option
@click.option("--moodle-user", metavar="COLUMN", help="Guest list's column of Moodle's user. Default: external id.")
@zone_option
@gallery_option
def report(
    name: str,
    file: Path | None,
    moodle: Path | None,
    json_file: Path | None,
    moodle_user: str | None,
    zone: tzinfo | None,
    gallery: str | None,
) -> None:
    """List who came to a session, who is late and who is absent."""
    from knownface.events import find_session, report_session
    from knownface.events.sheets import moodle_table, session_table

    with open_log(gallery) as log:
        found = report_session(log.gallery.database, find_session(log.gallery.database, name).id)
        say_accuracy(log.gallery)
    if file is not None:
        write_tables(file, {"Attendance": session_table(found, zone)})
    if json_file is not None:
        write_json(json_file, found.to_dict())
    if moodle is not None:
        scans, without = moodle_table(found, moodle_user)
        write_tables(moodle, {"Moodle": scans})
        if without:
            say(f"Left out, since nothing identifies them to Moodle: {', '.join(without)}")
    if file or moodle or json_file:
        return
    rows = table("name", "status", "first seen", "last seen", "where", *found.session.columns)
    for a in found.attendees:
        times = (clock(t, zone) for t in (a.first_seen, a.last_seen))
        place = "by hand" if a.by_hand else a.source or ""
        facts = (escape(a.facts.get(column, "")) for column in found.session.columns)
        rows.add_row(escape(a.name), a.status, *times, escape(place), *facts)
    out().print(rows)
    out().print(escape(f"{_told(found.session, zone)}: {_summary(found)}."), soft_wrap=True)


@command.command(name="list")
@zone_option
@gallery_option
def list_sessions(zone: tzinfo | None, gallery: str | None) -> None:
    """List sessions, the newest last."""
    from knownface.events import list_sessions as read_sessions

    rows = table("id", "name", "from", "until", "grace")
    with open_log(gallery) as log:
        for s in reversed(read_sessions(log.gallery.database)):
            end = clock(s.closed, zone) if s.closed is not None else "open"
            grace = f"{s.grace / timedelta(minutes=1):g} min"
            rows.add_row(str(s.id), escape(s.name), clock(s.opened, zone), end, grace)
    out().print(rows)


@command.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@gallery_option
def delete(name: str, yes: bool, gallery: str | None) -> None:
    """Delete a session with its list; the sightings stay."""
    from knownface.events import delete_session, find_session

    with open_log(gallery) as log:
        session = find_session(log.gallery.database, name)
        if not yes:
            click.confirm(f"Delete the session {_told(session, None)}?", abort=True, err=True)
        delete_session(log.gallery.database, session.id)
    out().print(escape(f"{session.name} is deleted."), soft_wrap=True)


@command.command()
@click.argument("name")
@click.argument("person")
@click.option("--absent", is_flag=True, help="They have not come, whoever was taken for them.")
@click.option("--walk-in", is_flag=True, help="PERSON may be neither on the list nor in the gallery.")
@click.option(
    "--at", "came", metavar="TIME", help="When they came. Default: now; of a session that is over, its start."
)
@zone_option
@gallery_option
def mark(
    name: str, person: str, absent: bool, walk_in: bool, came: str | None, zone: tzinfo | None, gallery: str | None
) -> None:
    """Say by hand that PERSON (name or external id) has come to the session NAME."""
    from knownface.events import find_session
    from knownface.events import mark as mark_by_hand

    if absent and came is not None:
        raise click.UsageError("Who is absent has not come at any time: leave --at out.")
    at = when(came, zone, option="--at")
    with open_log(gallery) as log:
        session = find_session(log.gallery.database, name)
        found = mark_by_hand(log.gallery.database, session.id, person, absent=absent, walk_in=walk_in, at=at)
    out().print(escape(f"{person} is marked. {_summary(found).capitalize()}."), soft_wrap=True)


@command.command()
@click.argument("name")
@click.option("--every", type=click.FloatRange(0.1, 60), default=1.0, show_default=True, help="Seconds between looks.")
@gallery_option
def greet(name: str, every: float, gallery: str | None) -> None:
    """Greet everybody who comes to the session NAME, once, with what its list says; until Ctrl-C or its end."""
    from knownface.events import find_session, report_session

    with open_log(gallery) as log:
        session = find_session(log.gallery.database, name)
        greeted: set[tuple[int | None, str]] = set()
        going = True
        while going:
            now = datetime.now(UTC)
            found = report_session(log.gallery.database, session.id, now)
            for attendee in reversed(found.arrivals):
                if (attendee.person_id, attendee.name) not in greeted:
                    greeted.add((attendee.person_id, attendee.name))
                    click.echo(f"{clock(attendee.first_seen, None)}  {attendee.greeting}")
            going = found.session.is_open(now)
            time.sleep(every if going else 0)


command.add_command(hours)
command.add_command(photo)


def _told(session: Session, zone: tzinfo | None) -> str:
    end = f"until {clock(session.closed, zone)}" if session.closed is not None else "open"
    return f"{session.name}, from {clock(session.opened, zone)}, {end}"


def _summary(found: SessionReport) -> str:
    counts = found.counts
    order: Sequence[tuple[str, str]] = [(s, s) for s in ("present", "late", "expected", "absent")]
    parts = [f"{counts[key]} {word}" for key, word in order if counts[key]]
    parts += [f"{counts['walk-in']} walk-in{'s' * (counts['walk-in'] != 1)}"] if counts["walk-in"] else []
    return ", ".join([*parts, f"{found.strangers} stranger{'s' * (found.strangers != 1)}"])
