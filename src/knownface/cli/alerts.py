"""``knownface alerts``: rules that report when somebody is seen or missing."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from rich.markup import escape

from knownface.cli import confirming
from knownface.cli.common import gallery_option, out, say, table
from knownface.cli.outputs import json_option, overwrite_option
from knownface.cli.seen import clock, open_log
from knownface.cli.writing import write_text


@click.group(name="alerts")
def command() -> None:
    """Rules that report, run a command or ring when somebody is seen or missing.

    `knownface watch` applies them to what it sees. Everything reported is kept in a log.
    """


_EXAMPLES = """\b
knownface alerts add door --when unknown --source door --sound bell
knownface alerts add late --when missing --group staff --by 09:00
knownface alerts add vip --when seen --group guests -- /usr/local/bin/tell
"""


@command.command(epilog=_EXAMPLES)
@click.argument("name")
@click.argument("command_line", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND ARGUMENT...]")
@click.option(
    "--when", "kind", type=click.Choice(["seen", "missing", "unknown"]), required=True, help="What is reported."
)
@click.option("--group", metavar="NAME", help="Of whom; for seen: everybody where it is left out.")
@click.option("--source", metavar="SOURCE", help="Only there.")
@click.option("--by", metavar="HH:MM", help="missing: who has not been seen by then.")
@click.option("--days", metavar="DAYS", help="missing: only then, such as mon,tue,wed,thu,fri.")
@click.option("--time-zone", metavar="ZONE", help="missing: of --by, such as Europe/Berlin. Default: this machine's.")
@click.option("--cooldown", type=click.IntRange(0), default=300, show_default=True, help="Seconds of silence after.")
@click.option("--timeout", type=click.FloatRange(0.1, 600), default=30, show_default=True, help="Of the command.")
@click.option("--sound", metavar="bell|FILE", help="The terminal's bell, or a sound file.")
@click.option(
    "--confirm",
    type=click.IntRange(0, 2),
    default=0,
    show_default=True,
    metavar="0|1|2",
    help="How many people must confirm an alert before anything is sent or run.",
)
@click.option(
    "--confirm-within",
    type=click.FloatRange(0.5, 10_080),
    default=60,
    show_default=True,
    metavar="MINUTES",
    help="What is not confirmed by then is never sent.",
)
@gallery_option
def add(
    name: str,
    command_line: tuple[str, ...],
    kind: str,
    group: str | None,
    source: str | None,
    by: str | None,
    days: str | None,
    time_zone: str | None,
    cooldown: int,
    timeout: float,
    sound: str | None,
    confirm: int,
    confirm_within: float,
    gallery: str | None,
) -> None:
    """Add the rule NAME.

    The command is run without a shell. It gets what happened as variables KNOWNFACE_ALERT_NAME, _SOURCE, _DISTANCE
    and so on, and as JSON on its standard input. `alerts test` tries it.
    """
    from typing import cast

    from knownface.events import AlertRule, add_rule
    from knownface.events.rules import BELL, Kind, time_of_day

    try:
        by_time = None if by is None else time_of_day(by)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--by") from error
    # `watch` may run in another folder.
    sound = sound if sound in {None, BELL} else str(Path(str(sound)).absolute())
    if command_line and Path(command_line[0]).name != command_line[0]:
        command_line = (str(Path(command_line[0]).absolute()), *command_line[1:])
    rule = AlertRule(
        name=name,
        kind=cast("Kind", kind),
        group=group,
        source=source,
        by=by_time,
        days=tuple(part.strip().lower() for part in days.split(",")) if days else (),
        time_zone=time_zone,
        cooldown=timedelta(seconds=cooldown),
        command=command_line,
        timeout=timeout,
        sound=sound,
        confirm=confirm,
        confirm_within=timedelta(minutes=confirm_within),
    )
    with open_log(gallery) as log:
        added = add_rule(log.gallery.database, rule)
        members = added.group is None or log.gallery.people(group=added.group)
    out().print(escape(f"The rule {added.name} is in force."), soft_wrap=True)
    if not members:
        say(f"Nobody is in the group {added.group} yet.", style="yellow")
    if command_line and shutil.which(command_line[0]) is None:
        say(f"There is no program {command_line[0]} on this machine.", style="yellow")
    if sound not in {None, BELL} and not Path(str(sound)).is_file():
        say(f"There is no file {sound} on this machine.", style="yellow")


@command.command(name="list")
@gallery_option
def list_rules(gallery: str | None) -> None:
    """List the rules."""
    from knownface.events import list_rules as read_all

    rows = table("name", "when", "of", "where", "cool-down", "does")
    with open_log(gallery) as log:
        for rule in read_all(log.gallery.database):
            on = f" on {', '.join(rule.days)}" if rule.days else ""
            by = "" if rule.by is None else f" by {rule.by:%H:%M}{f' {rule.time_zone}' if rule.time_zone else ''}{on}"
            whom = "strangers" if rule.kind == "unknown" else rule.group or "everybody"
            does = [
                *([f"sound {rule.sound}"] if rule.sound else []),
                *([" ".join(rule.command)] if rule.command else []),
            ]
            cells = (rule.name, f"{rule.kind}{by}", whom, rule.source or "everywhere")
            does += [f"once confirmed by {rule.confirm}"] if rule.confirm else []
            quiet = f"{rule.cooldown.total_seconds():g} s"
            rows.add_row(*map(escape, cells), quiet, escape("; ".join(does) or "log only"))
    out().print(rows)


@command.command()
@click.argument("name")
@gallery_option
def remove(name: str, gallery: str | None) -> None:
    """Remove the rule NAME; what it reported stays in the log."""
    from knownface.events import remove_rule

    with open_log(gallery) as log:
        remove_rule(log.gallery.database, name)
    out().print(escape(f"The rule {name} is removed."), soft_wrap=True)


@command.command()
@click.argument("name")
@gallery_option
def test(name: str, gallery: str | None) -> None:
    """Do what the rule NAME does, with made-up facts; nothing is logged."""
    from knownface.events import Alert, get_rule
    from knownface.events.actions import act

    with open_log(gallery) as log:
        rule = get_rule(log.gallery.database, name)
    person, number = ("Test Person", None) if rule.kind != "unknown" else (None, 0)
    place = rule.source or "test"
    alert = Alert(0, rule.kind, rule.name, datetime.now(UTC), None, person, number, place, 0.5, 1.0, 10)
    out().print(escape(act(rule, alert.facts()) or "The rule does nothing but write to the log."), soft_wrap=True)


@command.command()
@click.option("--rule", metavar="NAME", help="Of this rule only.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many, the newest.")
@json_option("id", "kind", help="Write them as lines of JSON.", suffixes=(".jsonl", ".json"))
@overwrite_option
@gallery_option
def log(rule: str | None, limit: int, json_file: Path | None, gallery: str | None) -> None:
    """List what was reported, the newest last."""
    import json

    from knownface.events import read_alerts

    with open_log(gallery) as opened:
        found = read_alerts(opened.gallery.database, limit=limit, newest=True, rule=rule)
    if json_file is not None:
        lines = (json.dumps({**alert.facts(), "outcome": alert.outcome}, ensure_ascii=False) for alert in found)
        write_text(json_file, "".join(f"{line}\n" for line in lines))
        return
    rows = table("id", "at", "rule", "what", "outcome")
    for alert in found:
        confirmed = f"confirmed by {alert.confirmed_by}" if alert.confirmed_by else None
        cells = (alert.rule, alert.sentence, "; ".join(filter(None, (confirmed, alert.outcome))))
        rows.add_row(str(alert.id), clock(alert.at, None), *map(escape, cells))
    out().print(rows)


for _deciding in (confirming.pending, confirming.confirm, confirming.reject):
    command.add_command(_deciding)
