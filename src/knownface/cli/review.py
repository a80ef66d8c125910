"""``knownface review``: pictures held back from enrolment."""

from __future__ import annotations

from pathlib import Path

import click
from rich.markup import escape

from knownface.cli.common import gallery_option, out, table
from knownface.cli.outputs import OutputFolder, claim, overwrite_option
from knownface.cli.seen import clock, open_log
from knownface.wording import plural


@click.group(name="review", short_help="Decide on pictures that were held back from enrolment.")
def command() -> None:
    """Decide on pictures that were held back from enrolment.

    A picture that does not look like the person's others, or that looks like somebody else who is enrolled, is not
    learnt until somebody has looked at it. The setting review = "refuse" refuses such pictures instead, "off" learns
    them without a word.
    """


@command.command(name="list")
@click.option("--person", metavar="NAME", help="Of this person only.")
@click.option("--pictures", metavar="DIR", type=OutputFolder(), help="Write the faces there.")
@overwrite_option
@gallery_option
def list_held(person: str | None, pictures: Path | None, gallery: str | None) -> None:
    """List what waits."""
    from knownface.files import replacing

    if pictures is not None:
        claim(pictures)
    rows = table("id", "name", "file", "held", "why")
    with open_log(gallery) as log:
        store = log.gallery.held_store
        for waiting in store.list(person):
            held_at = clock(waiting.held_at, None)
            rows.add_row(str(waiting.id), escape(waiting.name), escape(waiting.source), held_at, escape(waiting.detail))
            content = None if pictures is None else store.picture(waiting.id)
            if pictures is not None and content is not None:
                with replacing(pictures / f"{waiting.id}.jpg") as part:
                    part.write_bytes(content)
    out().print(rows)


@command.command()
@click.argument("held", nargs=-1, required=True, type=int, metavar="ID...")
@gallery_option
def accept(held: tuple[int, ...], gallery: str | None) -> None:
    """Learn the pictures ID...: they do show the person they are meant for."""
    from knownface.settings import load_settings

    with open_log(gallery) as log:
        added = log.gallery.held_store.accept(held, keep_crops=load_settings().keeps_crops)
    out().print(f"{plural(added, 'template')} added.")


@command.command()
@click.argument("held", nargs=-1, required=True, type=int, metavar="ID...")
@gallery_option
def reject(held: tuple[int, ...], gallery: str | None) -> None:
    """Do not learn the pictures ID..., now or when their folder is enrolled again."""
    with open_log(gallery) as log:
        rejected = log.gallery.held_store.reject(held)
    out().print(f"{rejected} rejected.")
