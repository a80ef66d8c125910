"""What the commands about things seen share: the open log, filters, times and result files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, time, tzinfo
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from knownface.events import SightingFilter, SightingLog

Command = TypeVar("Command", bound=Callable[..., Any])


@contextmanager
def open_log(gallery: str | None) -> Iterator[SightingLog]:
    """The sightings of a gallery that exists; what is older than is to be kept goes at once."""
    from knownface.events import RetentionPolicy, SightingLog
    from knownface.gallery import Gallery
    from knownface.settings import load_settings

    settings = load_settings(gallery=gallery)
    with Gallery.open_by(settings, create=False) as opened:
        yield SightingLog(opened, RetentionPolicy.from_settings(settings))


def _to_zone(_: click.Context, option: click.Parameter, value: str | None) -> tzinfo | None:
    from knownface.events.rules import find_zone

    try:
        return None if value is None else find_zone(value)
    except ValueError as error:
        raise click.BadParameter(str(error), param=option) from error


def zone_option(command: Command) -> Command:
    """``--time-zone``."""
    text = "Of the times shown and given, such as Europe/Berlin. Default: this machine's."
    return click.option("--time-zone", "zone", callback=_to_zone, metavar="ZONE", help=text)(command)


def when(text: str | None, zone: tzinfo | None, *, option: str) -> datetime | None:
    """A date, a time of today, or both, by ISO 8601; of the zone where it names none.

    Raises:
        click.BadParameter: It is none of these.
    """
    if text is None:
        return None
    try:
        if len(text) <= 8 and ":" in text:
            found = datetime.combine(datetime.now(zone).date(), time.fromisoformat(text))
        else:
            found = datetime.fromisoformat(text)
        # Without a zone Python takes this machine's.
        return found if found.tzinfo is not None else found.replace(tzinfo=zone).astimezone(zone)
    except (ValueError, OverflowError) as error:
        message = f"{text!r} is no time such as 2026-03-31, 09:00 or 2026-03-31T09:00."
        raise click.BadParameter(message, param_hint=option) from error


def day(text: str, *, option: str) -> date:
    """A date by ISO 8601.

    Raises:
        click.BadParameter: It is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no day such as 2026-03-31.", param_hint=option) from error


def clock(moment: datetime | None, zone: tzinfo | None) -> str:
    """A time for people; empty where there is none."""
    return "" if moment is None else f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def filter_options(command: Command) -> Command:
    """Which sightings are meant."""
    options = [
        click.option("--person", metavar="NAME", help="Of this person."),
        click.option("--group", metavar="NAME", help="Of the people of this group."),
        click.option("--unknown", is_flag=True, help="Of Unknowns only."),
        click.option("--number", "numbers", type=int, multiple=True, help="Of the Unknown of this number."),
        click.option("--source", metavar="SOURCE", help="At this source."),
        click.option("--from", "after", metavar="TIME", help="Seen then or later: 2026-03-31, 09:00 (today) or both."),
        click.option("--until", "before", metavar="TIME", help="Begun before then."),
        zone_option,
    ]
    for option in reversed(options):
        command = option(command)
    return command


def filter_from(options: Mapping[str, Any]) -> SightingFilter:
    """What the options of :func:`filter_options` say."""
    from knownface.events import SightingFilter

    return SightingFilter(
        person=options["person"],
        group=options["group"],
        unknown=True if options["unknown"] else None,
        numbers=tuple(options["numbers"]) or None,
        source=options["source"],
        after=when(options["after"], options["zone"], option="--from"),
        before=when(options["before"], options["zone"], option="--until"),
    )
