"""``knownface alerts pending``, ``confirm``, ``reject``: people decide on alerts before anything follows from them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.markup import escape

from knownface.cli.common import gallery_option, out, say, table
from knownface.cli.outputs import OutputFolder, claim, json_option, overwrite_option
from knownface.cli.seen import clock, open_log, say_accuracy
from knownface.cli.writing import write_text

if TYPE_CHECKING:
    from knownface.events import PendingAlert


@click.command()
@click.option("--decided", is_flag=True, help="Those that were rejected or not confirmed in time instead.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many.")
@click.option("--pictures", metavar="DIR", type=OutputFolder(), help="Write there what was seen, where that is kept.")
@json_option("id", "kind", help="Write them as lines of JSON.", suffixes=(".jsonl", ".json"))
@overwrite_option
@gallery_option
def pending(decided: bool, limit: int, pictures: Path | None, json_file: Path | None, gallery: str | None) -> None:
    """List alerts that wait for somebody to confirm them; nothing is sent or run before."""
    import json

    from knownface.events import list_pending
    from knownface.files import replacing
    from knownface.law.oversight import expire

    if pictures is not None:
        claim(pictures)
    with open_log(gallery) as log:
        expire(log.gallery.database)
        found = list_pending(log.gallery.database, decided=decided, limit=limit)
        say_accuracy(log.gallery)
        for one in found if pictures is not None else ():
            picture = log.picture(one.sighting_id) if one.has_picture and one.sighting_id is not None else None
            if pictures is not None and picture is not None:
                with replacing(pictures / f"{one.alert.id}.jpg") as part:
                    part.write_bytes(picture)
    if json_file is not None:
        lines = (json.dumps(one.facts(), ensure_ascii=False) for one in found)
        write_text(json_file, "".join(f"{line}\n" for line in lines))
        return
    rows = table("id", "at", "rule", "what", "confirmed by", "became" if decided else "until")
    for one in found:
        confirmed = f"{', '.join(one.confirmed_by) or 'nobody'} ({len(one.confirmed_by)} of {one.needed})"
        last = _became(one) if decided else clock(one.expires, None)
        cells = (one.alert.rule, one.alert.sentence, confirmed, last)
        rows.add_row(str(one.alert.id), clock(one.alert.at, None), *map(escape, cells))
    out().print(rows)


@click.command()
@click.argument("alert_id", type=click.IntRange(1), metavar="ID")
@gallery_option
def confirm(alert_id: int, gallery: str | None) -> None:
    """Confirm the alert ID: it is what its rule is meant for.

    With the last confirmation that the rule demands, the alert goes to the log, webhooks and MQTT, and the rule's
    command and sound are run here. You count once, as the user of this machine that you are.
    """
    from knownface.events.actions import act
    from knownface.events.alert_log import note_outcome
    from knownface.law.audit import local_actor
    from knownface.law.oversight import confirm as confirm_as

    with open_log(gallery) as log:
        database = log.gallery.database
        done = confirm_as(database, alert_id, local_actor())
        if done.passed_on is None:
            missing = done.pending.needed - len(done.pending.confirmed_by)
            out().print(f"Confirmed. {missing} more must confirm it before {clock(done.pending.expires, None)}.")
            return
        out().print(escape(f"Confirmed and passed on: {done.passed_on.sentence}"), soft_wrap=True)
        if done.rule is not None:
            outcome = act(done.rule, done.passed_on.facts())
            note_outcome(database, done.passed_on.id, outcome)
            say(outcome)


@click.command()
@click.argument("alert_id", type=click.IntRange(1), metavar="ID")
@gallery_option
def reject(alert_id: int, gallery: str | None) -> None:
    """Reject the alert ID: nothing is sent or run."""
    from knownface.law.audit import local_actor
    from knownface.law.oversight import reject as reject_as

    with open_log(gallery) as log:
        done = reject_as(log.gallery.database, alert_id, local_actor())
    out().print(escape(f"Rejected: {done.pending.alert.sentence}"), soft_wrap=True)


def _became(one: PendingAlert) -> str:
    return f"rejected by {one.decided_by}" if one.state == "rejected" else "not confirmed in time"
