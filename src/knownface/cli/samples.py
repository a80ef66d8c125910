"""``knownface samples``: new pictures of known people, offered as templates."""

from __future__ import annotations

from pathlib import Path

import click
from rich.markup import escape

from knownface.cli.common import gallery_option, out, say, table
from knownface.cli.outputs import OutputFolder, claim, overwrite_option
from knownface.cli.seen import clock, open_log, review_of
from knownface.wording import plural


@click.group(name="samples")
def command() -> None:
    """Look at new pictures of known people that are offered as templates.

    With the setting samples = "offer", `knownface watch` offers a picture of somebody it is sure of where it shows the
    person otherwise than the templates do. Look at it before you accept it: whoever it shows has this name afterwards.
    """


@command.command(name="list")
@click.option("--person", metavar="NAME", help="Of this person only.")
@click.option("--pictures", metavar="DIR", type=OutputFolder(), help="Write the pictures there.")
@overwrite_option
@gallery_option
def list_samples(person: str | None, pictures: Path | None, gallery: str | None) -> None:
    """List what is offered."""
    from knownface.events import list_offers, offer_picture

    if pictures is not None:
        claim(pictures)
    rows = table("id", "name", "seen", "source", "distance", "next person", "quality")
    with open_log(gallery) as log:
        for offer in list_offers(log.gallery.database, person):
            rival = "" if offer.rival_distance is None else f"{offer.rival_distance:.3f}"
            numbers = (f"{offer.distance:.3f}", rival, f"{offer.quality:.2f}")
            seen = clock(offer.seen_at, None)
            rows.add_row(str(offer.id), escape(offer.name), seen, escape(offer.source), *numbers)
            if pictures is not None:
                _write(pictures / f"{offer.id}.jpg", offer_picture(log.gallery.database, offer.id))
    out().print(rows)


@command.command()
@click.argument("offers", nargs=-1, required=True, type=int, metavar="ID...")
@gallery_option
def accept(offers: tuple[int, ...], gallery: str | None) -> None:
    """Make the offered pictures ID... templates of their people."""
    from knownface.events import accept_offers
    from knownface.settings import load_settings

    with open_log(gallery) as log:
        done = accept_offers(log.gallery, offers, review_of(log.gallery), keep_crops=load_settings().keeps_crops)
    out().print(f"{plural(done.added, 'template')} added.")
    for reason in done.reasons:
        say(f"Not enrolled: {reason}")
    if done.held:
        say("`knownface review` decides on what is held back.")


@command.command()
@click.argument("offers", nargs=-1, required=True, type=int, metavar="ID...")
@click.option("--not-them", is_flag=True, help="They show somebody else: keep them as counter-examples.")
@gallery_option
def reject(offers: tuple[int, ...], not_them: bool, gallery: str | None) -> None:
    """Reject the offered pictures ID...; nothing like them is offered again."""
    from knownface.events import reject_offers

    with open_log(gallery) as log:
        rejected = reject_offers(log.gallery, offers, not_the_person=not_them)
    out().print(f"{rejected} rejected.")


def _write(path: Path, content: bytes) -> None:
    from knownface.files import replacing

    with replacing(path) as part:
        part.write_bytes(content)
