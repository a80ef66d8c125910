"""``knownface sightings``: who was seen, where and when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape

from knownface.cli.common import contract_of, gallery_option, out, say, table
from knownface.cli.outputs import OutputFile, bom_option, json_option, overwrite_option
from knownface.cli.seen import clock, filter_from, filter_options, open_log, review_of, say_accuracy
from knownface.cli.writing import write_json, write_tables

if TYPE_CHECKING:
    from knownface.events import Sighting


@click.group(name="sightings", short_help="List, export and delete who was seen; name Unknowns.")
def command() -> None:
    """List, export and delete who was seen; give names to Unknowns.

    `knownface watch` writes sightings. Pictures and the faces of Unknowns are kept only where the settings
    keep_pictures and keep_unknown_faces say so; retention_days deletes by itself.
    """


@command.command(name="list")
@filter_options
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many, the last.")
@json_option("id", "person_id", help="Write a list of sightings.")
@overwrite_option
@gallery_option
def list_sightings(limit: int, json_file: Path | None, gallery: str | None, **options: Any) -> None:
    """List sightings in the order in which they were written down."""
    with open_log(gallery) as log:
        where = filter_from(options)
        found = log.find(where, limit=limit)
        count = log.count(where)
        say_accuracy(log.gallery)
    if json_file is not None:
        write_json(json_file, [seen.to_dict() for seen in reversed(found)])
    else:
        _show(found, options["zone"])
    if count > len(found):
        say(f"{len(found)} of {count}; --limit shows more.")


def _show(found: Sequence[Sighting], zone: tzinfo | None) -> None:
    rows = table("id", "who", "source", "from", "until", "frames", "distance")
    for s in reversed(found):
        near = "" if s.best_distance is None else f"{s.best_distance:.3f}"
        times = (clock(t, zone) for t in (s.first_seen, s.last_seen))
        rows.add_row(str(s.id), escape(s.label), escape(s.source), *times, str(s.frames), near)
    out().print(rows)


@command.command()
@click.argument("file", type=OutputFile(".csv", ".json", ".xlsx", fields=("id", "person")))
@overwrite_option
@bom_option
@filter_options
@gallery_option
def export(file: Path, gallery: str | None, **options: Any) -> None:
    """Write sightings to FILE: .csv, .json or .xlsx; - is CSV on standard output. The last written come first."""
    from knownface.events.sheets import sightings_table

    with open_log(gallery) as log:
        found = sightings_table(log.each(filter_from(options)), options["zone"])
    write_tables(file, {"Sightings": found})
    if str(file) != "-":
        say(f"{_so_many(len(found.rows))} written to {file}.")


@command.command()
@filter_options
@click.option("--all", "everything", is_flag=True, help="All of them.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@gallery_option
def delete(everything: bool, yes: bool, gallery: str | None, **options: Any) -> None:
    """Delete sightings, their pictures and the alerts about them; no trace stays."""
    where = filter_from(options)
    if where.everything != everything:
        raise click.UsageError("Say which, or --all; not both.")
    with open_log(gallery) as log:
        count = log.count(where)
        if count and not yes:
            click.confirm(f"Delete {_so_many(count)}?", abort=True, err=True)
        deleted = log.delete(where) if count else 0
    out().print(f"{_so_many(deleted)} deleted.")


@command.command()
@click.option("--dismissed", is_flag=True, help="Those too that were dismissed.")
@gallery_option
def unknowns(dismissed: bool, gallery: str | None) -> None:
    """List the Unknowns, those who look alike on one line (where their faces were kept)."""
    from knownface.events import SightingFilter, group_unknowns
    from knownface.parameters import rule_in_force
    from knownface.settings import load_settings

    settings = load_settings(gallery=gallery)
    rows = table("numbers", "seen", "sources", "first", "last")
    with open_log(gallery) as log:
        # Without an embedder no faces are kept, and there is nothing to compare.
        contract = contract_of(log.gallery, settings)
        snapshot = log.gallery.index.snapshot()
        threshold = 0.0 if contract is None else rule_in_force(snapshot, contract, settings).rule.threshold
        where = SightingFilter(unknown=True, dismissed=None if dismissed else False)
        for group in group_unknowns(log.gallery, threshold, where):
            places = ", ".join(sorted({s.source for s in group.sightings}))
            numbers = " ".join(map(str, group.numbers))
            times = (clock(t, None) for t in (group.first_seen, group.last_seen))
            rows.add_row(numbers, f"{len(group.sightings)}x", escape(places), *times)
    out().print(rows)


@command.command()
@click.argument("numbers", nargs=-1, required=True, type=int, metavar="NUMBER...")
@click.option("--as", "name", required=True, help="Somebody in the gallery, or somebody new.")
@click.option("--no-enroll", is_flag=True, help="Only rename; do not recognise the person by these faces.")
@gallery_option
def name(numbers: tuple[int, ...], name: str, no_enroll: bool, gallery: str | None) -> None:
    """Say who the Unknowns NUMBER... are: their sightings become the person's, their faces templates."""
    from knownface.events import name_unknown
    from knownface.settings import load_settings

    kept = load_settings().keeps_crops
    with open_log(gallery) as log:
        named = name_unknown(log.gallery, numbers, name, review_of(log.gallery), enrol=not no_enroll, keep_crops=kept)
    summed = f"{named.sightings} sightings are {named.person.name}'s now"
    summed += f", who has {named.person.templates} templates ({named.enrolled} new)."
    out().print(escape(summed), soft_wrap=True)
    for reason in named.reasons:
        say(f"Not enrolled: {reason}")
    if named.held:
        say("`knownface review` decides on what is held back.")
    if not (named.enrolled or named.reasons or no_enroll):
        say("No faces of these Unknowns were kept; the setting keep_unknown_faces keeps them from now on.")


def _so_many(count: int) -> str:
    return f"{count} sighting{'s' * (count != 1)}"


@command.command()
@click.argument("numbers", nargs=-1, required=True, type=int, metavar="NUMBER...")
@click.option("--undo", is_flag=True, help="They do matter.")
@gallery_option
def dismiss(numbers: tuple[int, ...], undo: bool, gallery: str | None) -> None:
    """Say that the Unknowns NUMBER... do not matter; they are listed and counted no more."""
    with open_log(gallery) as log:
        count = log.dismiss(numbers, dismissed=not undo)
    out().print(f"{_so_many(count)} {'brought back' if undo else 'dismissed'}.")


@command.command()
@click.argument("sighting", type=int)
@click.argument("file", type=OutputFile(".jpg", ".jpeg"))
@overwrite_option
@gallery_option
def picture(sighting: int, file: Path, gallery: str | None) -> None:
    """Write the picture of the sighting with this id to FILE (JPEG)."""
    from knownface.errors import UnknownSightingError
    from knownface.files import replacing

    with open_log(gallery) as log:
        content = log.picture(sighting)
    if content is None:
        raise UnknownSightingError(f"No picture of sighting {sighting} was kept.", "The setting keep_pictures does.")
    with replacing(file) as part:
        part.write_bytes(content)
