"""``knownface people alike``: who may be enrolled under two names."""

from __future__ import annotations

import shlex
from pathlib import Path

import click
from rich.markup import escape

from knownface.cli.common import gallery_option, open_gallery, out, say, table
from knownface.cli.outputs import json_option, overwrite_option
from knownface.cli.seen import review_of
from knownface.cli.writing import write_json


@click.command(name="alike", short_help="List people who may be one, enrolled under two names.")
@gallery_option
@json_option("first", "second", help="Write a list of pairs.")
@overwrite_option
def command(gallery: str | None, json_file: Path | None) -> None:
    """List people who may be one, enrolled under two names, the most alike first.

    Such people are recognised worse than they could be, and spoil what is estimated and calibrated from the gallery.
    """
    from knownface.embedding.base import as_known_now
    from knownface.models import ModelStore
    from knownface.review.alike import alike_people
    from knownface.settings import load_settings

    settings = load_settings()
    with open_gallery(gallery) as opened:
        contract = opened.contract
        known = (
            None if contract is None else as_known_now(contract, ModelStore(settings.models, settings.cache).catalog)
        )
        found = [] if known is None else alike_people(opened, known, review_of(opened).rule)
    if json_file is not None:
        write_json(json_file, [pair.to_dict() for pair in found])
        return
    if not found:
        out().print("Nobody looks like anybody else.")
        return
    rows = table("name", "looks like", "distance")
    for pair in found:
        rows.add_row(escape(pair.first), escape(pair.second), f"{pair.distance:.3f}")
    out().print(rows)
    first = found[0]
    merge = f"knownface people merge {shlex.quote(first.second)} --into {shlex.quote(first.first)}"
    say(f"Look at their pictures. If they are one: {merge}")
