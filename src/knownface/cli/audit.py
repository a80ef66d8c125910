"""``knownface audit``: who did what, with the service and on the command line."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.markup import escape

from knownface.cli.common import gallery_option, out, say, table
from knownface.cli.outputs import json_option, overwrite_option
from knownface.cli.writing import write_json

if TYPE_CHECKING:
    from knownface.law.audit import AuditCheck


@click.command(name="audit", short_help="Show who did what; check that nothing of it was altered.")
@click.option("--action", help="Such as person.delete; with a dot at the end all that begin like it.")
@click.option("--key", "key_id", type=int, help="Only what was done with this key (`knownface keys list`).")
@click.option("--since", type=click.DateTime(), help="Only from then on, UTC.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="The latest so many.")
@click.option("--check", is_flag=True, help="Check that no entry was altered or taken out, instead of showing them.")
@click.option("--expect", help="With --check: a digest noted earlier, which must still be in the log.")
@json_option("id", "at", help="Write a list of them.")
@overwrite_option
@gallery_option
def command(
    action: str | None,
    key_id: int | None,
    since: datetime | None,
    limit: int,
    check: bool,
    expect: str | None,
    json_file: Path | None,
    gallery: str | None,
) -> int:
    """Show who enrolled, changed, deleted and exported what, the latest first. Numbers, no names of people."""
    from dataclasses import asdict

    from knownface.law.audit import AuditLog
    from knownface.settings import load_settings
    from knownface.storage import Database

    if expect is not None and not check:
        raise click.UsageError("--expect is for --check.")
    settings = load_settings(gallery=gallery)
    with Database.open(settings.gallery, create=False, key=settings.gallery_key) as database:
        if check:
            return _check(AuditLog(database).check(expect))
        found = AuditLog(database).page(
            action=action, key_id=key_id, since=since.replace(tzinfo=UTC) if since else None, limit=limit
        )
    if json_file:
        write_json(json_file, [asdict(entry) for entry in found])
        return 0
    rows = table("when", "who", "role", "address", "action", "what", "details")
    for entry in found:
        rows.add_row(
            f"{entry.at:%Y-%m-%d %H:%M:%S}",
            escape(entry.actor.name),
            entry.actor.role,
            entry.actor.address,
            entry.action,
            "" if entry.subject_id is None else str(entry.subject_id),
            escape(", ".join(f"{name} {value}" for name, value in entry.details.items())),
        )
    out().print(rows)
    return 0


def _check(found: AuditCheck) -> int:
    if found.broken is not None:
        out().print(f"Entry {found.broken} was altered, or one before it is missing; {found.checked} before are whole.")
        return 1
    out().print(f"{found.checked} entries are as they were written, none is missing between them.")
    if found.unchained:
        say(f"{found.unchained} of an earlier version before them cannot be checked.")
    out().print(f"Latest: {found.head or 'none'}", soft_wrap=True)
    say("Note it elsewhere: --expect tells later whether what was there is still there.")
    return 0
