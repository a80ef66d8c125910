"""``knownface history`` and ``knownface undo``."""

from __future__ import annotations

from pathlib import Path

import click
from rich.markup import escape

from knownface.cli.common import gallery_option, open_gallery, out, table
from knownface.cli.outputs import json_option, overwrite_option
from knownface.cli.writing import write_json


@click.command(name="history", short_help="List what was edited in the last 30 days and can be undone.")
@click.option("--limit", type=click.IntRange(1), default=30, show_default=True, help="The latest so many.")
@json_option("id", "text", help="Write a list of edits.")
@overwrite_option
@gallery_option
def history(limit: int, json_file: Path | None, gallery: str | None) -> None:
    """List what was edited, the latest first: names, thresholds, joined and parted people, named Unknowns and more.

    `knownface undo ID` takes an edit back. Removing people, templates and sightings is final, and is not listed.
    """
    with open_gallery(gallery) as opened:
        edits = opened.history.edits(limit=limit)
    if json_file is not None:
        write_json(json_file, [edit.to_dict() for edit in edits])
        return
    rows = table("id", "when (UTC)", "what", "")
    for edit in edits:
        rows.add_row(str(edit.id), f"{edit.at:%Y-%m-%d %H:%M}", escape(edit.text), "undone" if edit.undone else "")
    out().print(rows)


@click.command(name="undo", short_help="Take back an edit: a name, a merge, a split, a named Unknown …")
@click.argument("edit", type=int, required=False, metavar="[ID]")
@gallery_option
def undo(edit: int | None, gallery: str | None) -> None:
    """Take back the latest edit, or the one with this ID (`knownface history`).

    The gallery is then what it was before. It is refused where the same people were edited since.
    """
    with open_gallery(gallery) as opened:
        undone = opened.history.undo(edit)
    out().print(f"Undone: {escape(undone.text)}", soft_wrap=True)
