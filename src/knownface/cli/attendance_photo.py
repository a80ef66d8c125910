"""``knownface attendance photo``: who is on a photo of the class has come."""

from __future__ import annotations

from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape

from knownface.cli.common import open_recognizer, out, progress, recognizer_options, say, table, with_options
from knownface.cli.outputs import OutputFolder, claim, json_option, overwrite_option
from knownface.cli.reading import STDIN, input_files, picture_from_stdin
from knownface.cli.seen import when, zone_option
from knownface.cli.writing import write_json

if TYPE_CHECKING:
    from knownface.events import Photographed
    from knownface.journal import FaceRow


@click.command()
@click.argument("name")
@click.argument("pictures", nargs=-1, required=True, metavar="PICTURE...")
@click.option("--at", "taken", metavar="TIME", help="When they were taken. Default: as for mark.")
@click.option("--annotate", type=OutputFolder(), help="Write labelled copies into a folder.")
@json_option("came", help="Write who came, every face, and the session.")
@overwrite_option
@zone_option
@recognizer_options
def photo(
    name: str,
    pictures: tuple[str, ...],
    taken: str | None,
    annotate: Path | None,
    json_file: Path | None,
    zone: tzinfo | None,
    **options: Any,
) -> int:
    """Mark everybody on each PICTURE as having come to the session NAME, and say whom nobody could decide.

    A PICTURE is a file, a folder, a glob, or - for standard input.

    Who was marked by hand as absent stays so. Look at the labelled copies of --annotate; `attendance mark --absent`
    puts right what is wrong.
    """
    from knownface.events import find_session, mark_photographed
    from knownface.identification import IdentifyOptions, identify_files

    at = when(taken, zone, option="--at")
    files = input_files(pictures, annotate)
    contents = {STDIN: picture_from_stdin()} if STDIN in files else None
    with open_recognizer(create=False, **options) as recognizer:
        database = recognizer.gallery.database
        session = find_session(database, name)
        recognizer.gallery.index.check_not_empty()
        if annotate is not None:
            claim(annotate)
        with progress() as bar:
            chosen = IdentifyOptions(top=1, annotate=annotate)
            results = list(bar.track(identify_files(recognizer, files, chosen, contents=contents), total=len(files)))
        rows = [row for result in results for row in result.entries]
        people = [recognizer.gallery.person(row.name).id for row in rows if row.name is not None]
        done = mark_photographed(database, session.id, people, at=at)
    if json_file is not None:
        names = {"came": done.came, "there": done.there, "denied": done.denied}
        write_json(json_file, {**names, "faces": [row.to_dict() for row in rows], **done.report.to_dict()})
    if str(json_file) != "-":
        _show(rows, done)
    failed = [result.error for result in results if result.error]
    for error in failed:
        say(f"Passed over: {with_options(error)}", style="yellow")
    return 1 if failed else 0


def _show(rows: list[FaceRow], done: Photographed) -> None:
    undecided = [row for row in rows if row.box and row.name is None]
    if undecided:
        shown = table("file", "box", "nearest", "distance", title="Not decided")
        for row in undecided:
            nearest = row.candidates[0] if row.candidates else {"name": "", "distance": None}
            distance = "" if nearest["distance"] is None else f"{nearest['distance']:.3f}"
            shown.add_row(escape(row.file), " ".join(map(str, row.box or [])), escape(nearest["name"] or ""), distance)
        out().print(shown)
    missing = [a.name for a in done.report.attendees if a.listed and a.first_seen is None and a.name not in done.denied]
    for title, names in (
        ("Came by these pictures", done.came),
        ("Had come before", done.there),
        ("On a picture, but marked as absent by hand", done.denied),
        ("On the list, not here yet", missing),
    ):
        if names:
            out().print(escape(f"{title} ({len(names)}): {', '.join(names)}"), soft_wrap=True)
    if undecided:
        out().print(f"{len(undecided)} face{'s' * (len(undecided) != 1)} could not be decided.", soft_wrap=True)
