"""``knownface audit``: who did what with the service."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
from rich.markup import escape

from knownface.cli.common import gallery_option, out, table
from knownface.cli.outputs import json_option, overwrite_option
from knownface.cli.writing import write_json


@click.command(name="audit", short_help="Show who did what with the service.")
@click.option("--action", help="Such as person.delete; with a dot at the end all that begin like it.")
@click.option("--key", "key_id", type=int, help="Only what was done with this key (`knownface keys list`).")
@click.option("--since", type=click.DateTime(), help="Only from then on, UTC.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="The latest so many.")
@json_option("id", "at", help="Write a list of them.")
@overwrite_option
@gallery_option
def command(
    action: str | None,
    key_id: int | None,
    since: datetime | None,
    limit: int,
    json_file: Path | None,
    gallery: str | None,
) -> None:
    """Show who enrolled, changed, deleted and exported what, the latest first. Numbers, no names of people."""
    from dataclasses import asdict

    from knownface.server.audit import AuditLog
    from knownface.settings import load_settings
    from knownface.storage import Database

    settings = load_settings(gallery=gallery)
    with Database.open(settings.gallery, create=False, key=settings.gallery_key) as database:
        found = AuditLog(database).page(
            action=action, key_id=key_id, since=since.replace(tzinfo=UTC) if since else None, limit=limit
        )
    if json_file:
        write_json(json_file, [asdict(entry) for entry in found])
        return
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
