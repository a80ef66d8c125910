"""What the commands about things seen share: the open log, filters, times and result files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, TypeVar

import click

from knownface.cli.common import contract_of, say

if TYPE_CHECKING:
    from knownface.events import SightingFilter, SightingLog
    from knownface.gallery import Gallery
    from knownface.review import PersonReview

Command = TypeVar("Command", bound=Callable[..., Any])


@contextmanager
def open_log(gallery: str | None) -> Iterator[SightingLog]:
    """The sightings of a gallery that exists; what is older than is to be kept goes at once."""
    from knownface.events import RetentionPolicy, SightingLog
    from knownface.gallery import Gallery
    from knownface.gallery.own_settings import settings_in_force
    from knownface.settings import load_settings

    settings = load_settings(gallery=gallery)
    with Gallery.open_by(settings, create=False) as opened:
        in_force = settings_in_force(opened.database, settings)
        yield SightingLog(opened, RetentionPolicy.from_settings(in_force))


def say_accuracy(gallery: Gallery) -> None:
    """How many strangers would get a name and who says so, where the setting ``show_accuracy`` asks for it."""
    from knownface.accuracy import accuracy_in_force
    from knownface.gallery.own_settings import settings_in_force
    from knownface.settings import load_settings

    settings = settings_in_force(gallery.database, load_settings())
    if settings.show_accuracy and (contract := contract_of(gallery, settings)) is not None:
        known = accuracy_in_force(gallery.index.snapshot(), gallery.calibration, contract, settings)
        say(known.overall.sentence)


def review_of(gallery: Gallery) -> PersonReview:
    """How what a person is enrolled from is compared, by the settings and what the gallery was filled with."""
    from knownface.gallery.own_settings import settings_in_force
    from knownface.parameters import rule_in_force
    from knownface.review import PersonReview
    from knownface.settings import load_settings
    from knownface.types import DecisionRule

    settings, contract = settings_in_force(gallery.database, load_settings()), gallery.contract
    if contract is None:  # there is nothing to compare
        return PersonReview(DecisionRule(1, 2, 0.0), settings.review)
    return PersonReview.of(
        rule_in_force(gallery.index.snapshot(), contract, settings), settings.review, contract.cohort
    )


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


def when(text: str | None, zone: tzinfo | None, *, option: str, after: datetime | None = None) -> datetime | None:
    """A date, a time of today, or both, by ISO 8601; of the zone where it names none. 24:00 is the end of a day.

    Args:
        text: What the user wrote.
        zone: None is this machine's.
        option: Whose value it is, for the error.
        after: A time of day alone that is not later than this is one of the next day: from 20:00 until 02:00.

    Raises:
        click.BadParameter: It is none of these, does not exist or exists twice, since clocks are changed.
    """
    if text is None:
        return None
    time_alone = len(text) <= 8 and ":" in text
    written, end_of_day = re.subn(r"(^|[T ])24:00(:00)?$", r"\g<1>00:00", text)
    try:
        today = datetime.now(zone).date()
        found = datetime.combine(today, time.fromisoformat(written)) if time_alone else datetime.fromisoformat(written)
        found += timedelta(days=end_of_day)
    except (ValueError, OverflowError) as error:
        message = f"{text!r} is no time such as 2026-03-31, 09:00 or 2026-03-31T09:00."
        raise click.BadParameter(message, param_hint=option) from error
    if found.tzinfo is not None:
        return found
    moment = _of_clock(found, zone, option=option)
    if time_alone and after is not None and moment <= after:
        return _of_clock(found + timedelta(days=1), zone, option=option)
    return moment


def _of_clock(shown: datetime, zone: tzinfo | None, *, option: str) -> datetime:
    """The moment at which a zone's clocks show a time."""
    first, second = _moments(shown, zone)
    place = "here" if zone is None else f"in {zone}"
    if not any(moment.astimezone(zone).replace(tzinfo=None) == shown for moment in (first, second)):
        raise click.BadParameter(
            f"{shown:%Y-%m-%d %H:%M} does not exist {place}: clocks were put forward.", param_hint=option
        )
    if first == second:
        return first
    both = (_offset(moment.astimezone(zone)) for moment in (first, second))
    offsets = " or ".join(f"{shown:%Y-%m-%dT%H:%M}{offset}" for offset in both)
    raise click.BadParameter(
        f"{shown:%Y-%m-%d %H:%M} is there twice {place}, since clocks were put back: say {offsets}.", param_hint=option
    )


def _moments(shown: datetime, zone: tzinfo | None) -> tuple[datetime, datetime]:
    """The two moments (UTC) that a clock's time may stand for: one and the same, but for when clocks are changed."""
    # Without a zone Python takes this machine's.
    meant = [shown.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    return meant[0], meant[1]


def _offset(moment: datetime) -> str:
    offset = f"{moment:%z}"
    return f"{offset[:3]}:{offset[3:5]}"


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
    """A time for people, with its offset in the hour that is there twice in autumn; empty where there is none."""
    if moment is None:
        return ""
    local = moment.astimezone(zone)
    shown = f"{local:%Y-%m-%d %H:%M:%S}"
    first, second = _moments(local, zone)
    return shown if first == second else f"{shown} {_offset(local)}"


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

    after = when(options["after"], options["zone"], option="--from")
    if after is not None and after > datetime.now(UTC):
        raise click.BadParameter(
            f"{options['after']} is still to come, so nobody was seen since. For last night give the day too: "
            "2026-03-31T22:00.",
            param_hint="--from",
        )
    return SightingFilter(
        person=options["person"],
        group=options["group"],
        unknown=True if options["unknown"] else None,
        numbers=tuple(options["numbers"]) or None,
        source=options["source"],
        after=after,
        before=when(options["before"], options["zone"], option="--until", after=after),
    )
