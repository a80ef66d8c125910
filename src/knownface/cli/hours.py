"""``knownface attendance hours``: working hours by day and week."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from pathlib import Path

import click
from rich.markup import escape

from knownface.cli.common import gallery_option, out, table
from knownface.cli.outputs import OutputFile, bom_option, overwrite_option
from knownface.cli.seen import day, open_log, zone_option
from knownface.cli.writing import write_tables


@click.command()
@click.option("--from", "first", required=True, metavar="DAY", help="First day, such as 2026-03-01.")
@click.option("--until", "last", metavar="DAY", help="Last day. Default: today.")
@click.option("--person", metavar="NAME", help="Of this person only.")
@click.option("--group", metavar="NAME", help="Of the people of this group.")
@click.option("--source", metavar="SOURCE", help="Only what is seen there counts.")
@click.option("--breaks", type=click.IntRange(1, 1440), metavar="MIN", help="Away longer than this is a break.")
@click.option("--day-starts", default="00:00", show_default=True, metavar="HH:MM", help="Later where work is at night.")
@click.option("--weeks", is_flag=True, help="Totals of weeks instead of days.")
@click.option(
    "--out",
    "file",
    type=OutputFile(".csv", ".json", ".xlsx", fields=("person", "external_id")),
    help="FILE.csv, .json or .xlsx (days and weeks).",
)
@overwrite_option
@bom_option
@zone_option
@gallery_option
def hours(
    first: str,
    last: str | None,
    person: str | None,
    group: str | None,
    source: str | None,
    breaks: int | None,
    day_starts: str,
    weeks: bool,
    file: Path | None,
    zone: tzinfo | None,
    gallery: str | None,
) -> None:
    """Add up working hours: first in, last out and breaks.

    Without --breaks everything between first in and last out counts: right for a camera at the door. With it, who is
    not seen for longer was away: right for cameras where people work.
    """
    from knownface.events import SightingFilter, read_hours
    from knownface.events.rules import time_of_day
    from knownface.events.sheets import days_table, weeks_table

    try:
        starts = time_of_day(day_starts)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--day-starts") from error
    with open_log(gallery) as log:
        found = read_hours(
            log.gallery.database,
            day(first, option="--from"),
            day(last, option="--until") if last is not None else datetime.now(zone).date(),
            where=SightingFilter(person=person, group=group, source=source),
            zone=zone,
            breaks_after=None if breaks is None else timedelta(minutes=breaks),
            day_starts=starts,
        )
    by_day, by_week = days_table(found, zone), weeks_table(found)
    if file is not None:
        write_tables(file, {"Weeks": by_week, "Days": by_day} if weeks else {"Days": by_day, "Weeks": by_week})
        return
    shown = by_week if weeks else by_day
    rows = table(*(column.replace("_", " ") for column in shown.columns))
    for row in shown.rows:
        rows.add_row(*(escape(_cell(cell)) for cell in row))
    out().print(rows)


def _cell(cell: object) -> str:
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M}"
    if isinstance(cell, timedelta):
        minutes = round(cell / timedelta(minutes=1))
        return f"{minutes // 60}:{minutes % 60:02}"
    return "" if cell is None else str(cell)
