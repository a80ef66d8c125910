"""``knownface identify``."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape

from knownface.cli.common import (
    open_recognizer,
    out,
    progress,
    recognizer_options,
    rule_options,
    say,
    table,
    with_options,
)
from knownface.cli.outputs import OutputFile, OutputFolder, bom_option, claim, json_option, overwrite_option
from knownface.cli.reading import STDIN, input_files, picture_from_stdin
from knownface.cli.writing import write_json, write_tables
from knownface.files import is_stream
from knownface.parts import fingerprint_of
from knownface.tables import Table
from knownface.wording import plural

if TYPE_CHECKING:
    from knownface.journal import FaceRow, FileResult, Journal
    from knownface.recognizer import FaceRecognizer


_TABLE_ROWS = 200
"""More rows than this are summed up on the screen where a file has them."""


@click.command(name="identify", short_help="Name the faces in photos and videos.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@recognizer_options
@rule_options
@click.option(
    "--csv",
    "csv_file",
    type=OutputFile(".csv", ".xlsx", fields=("file", "time")),
    help="Write a row a face: .csv, or .xlsx for Excel.",
)
@json_option("file", "time", help="Write a list of faces.")
@click.option("--annotate", type=OutputFolder(), help="Write labelled copies into a folder.")
@click.option(
    "--sidecars",
    is_flag=True,
    help="Write names and places of faces beside each photo, as PHOTO.jpg.xmp, for photo managers.",
)
@overwrite_option
@bom_option
@click.option("--top", type=click.IntRange(0, 100), default=0, help="Show the N nearest people of each face.")
@click.option(
    "--every",
    type=click.FloatRange(0.001, 86_400),
    default=0.5,
    show_default=True,
    help="Seconds between video frames.",
)
@click.option("--allow-repeats", is_flag=True, help="One person may be on several faces of a picture.")
def command(
    paths: tuple[str, ...],
    csv_file: Path | None,
    json_file: Path | None,
    annotate: Path | None,
    sidecars: bool,
    top: int,
    every: float,
    allow_repeats: bool,
    **options: Any,
) -> int:
    """Name the faces in photos and videos: files, folders or globs; - is a picture on standard input.

    With --csv or --json a run that was stopped goes on where it was when the same command is given again.
    """
    from knownface.identification import IdentifyOptions, identify_files

    if not every < math.inf:  # also where it is no number
        raise click.BadParameter(f"{every} is no number of seconds.", param_hint="--every")
    files = input_files(paths, annotate)
    contents = {STDIN: picture_from_stdin()} if STDIN in files else None
    with open_recognizer(create=False, **options) as recognizer, contextlib.ExitStack() as opened:
        recognizer.gallery.index.check_not_empty()
        if annotate is not None:
            claim(annotate)
        chosen = IdentifyOptions(every, top, allow_repeats, annotate, sidecars)
        journal = None if contents else _journal(recognizer, chosen, json_file or csv_file)
        if journal:
            opened.callback(journal.close)
        accuracy = recognizer.accuracy.overall.sentence if recognizer.settings.show_accuracy else ""
        results = []
        with progress() as bar:
            task = bar.add_task("Identifying", total=len(files))

            def on_frame(path: Path, time: float) -> None:
                bar.update(task, description=f"{escape(path.name)} {time:.1f} s")

            try:
                for result in identify_files(recognizer, files, chosen, journal, on_frame, contents):
                    results.append(result)
                    bar.advance(task)
            except KeyboardInterrupt:
                if journal:
                    say(f"{len(results)} of {len(files)} files are done. Give the same command again to go on.")
                else:
                    _show(results, top)
                raise
    _write(results, csv_file, json_file, top)
    if journal:
        journal.finish()
    if "-" not in {str(csv_file), str(json_file)}:  # else standard output holds the result, and nothing else
        _show_or_sum_up(results, top, in_file=bool(csv_file or json_file))
        if accuracy:
            say(accuracy)
    if sidecars:
        _tell_of_foreign(files)
    failed = [result for result in results if result.error]
    for result in failed:
        say(f"Passed over: {with_options(result.error or '')}", style="yellow")
    return 1 if failed else 0


def _tell_of_foreign(files: list[Path]) -> None:
    """Which sidecars were left as they are, since another program wrote them."""
    from knownface.media.sidecar import is_foreign, sidecar_of

    left = [sidecar for path in files if is_foreign(sidecar := sidecar_of(path))]
    if left:
        say(f"{plural(len(left), 'sidecar')} of other programs stayed as they were, such as {left[0]}.", style="yellow")


def _journal(recognizer: FaceRecognizer, chosen: Any, result: Path | None) -> Journal | None:
    if result is None or str(result) == "-" or is_stream(result):
        return None
    from knownface.journal import Journal

    gallery = recognizer.gallery
    state = (
        gallery.location,
        gallery.index.snapshot().generation,
        fingerprint_of(recognizer.embedder),
        fingerprint_of(recognizer.detector),
    )
    journal = Journal(result, repr((state, recognizer.rule, chosen, recognizer.settings.show_accuracy)))
    if journal.done:
        say(f"Going on with a stopped run: {len(journal.done)} files are done.")
    return journal


def _write(results: list[FileResult], csv_file: Path | None, json_file: Path | None, top: int) -> None:
    rows = [row for result in results for row in result.entries]
    if json_file:
        write_json(json_file, [row.to_dict() for row in rows])
    if csv_file:
        write_tables(csv_file, {"Faces": _faces_table(rows, top)})


def _faces_table(rows: list[FaceRow], top: int) -> Table:
    columns = ["file", "time", "x", "y", "width", "height", "name", "distance", "votes", "stage", "reason"]
    checked = any(r.liveness is not None for r in rows)
    columns += ["liveness"] * checked
    told = any(r.accuracy for r in rows)
    columns += ["strangers_as_near", "strangers_named", "accuracy_by"] * told
    columns += [f"candidate_{i + 1}{part}" for i in range(top) for part in ("", "_distance")]
    cells = []
    for r in rows:
        name = r.name or ("Unknown" if r.box else None)
        face: list[Any] = [*(r.box or (None,) * 4), name, r.distance, r.votes, r.stage, r.reason]
        face += [r.liveness] * checked
        face += [(r.accuracy or {}).get(key) for key in ("strangers_as_near", "strangers_named", "by")] if told else []
        cells.append([r.file, r.time, *face, *_candidates(r, top)])
    return Table(columns, cells)


def _candidates(row: FaceRow, top: int) -> list[Any]:
    cells = [value for c in row.candidates or [] for value in (c["name"], c["distance"])]
    return cells + [None] * (2 * top - len(cells))


def _show_or_sum_up(results: list[FileResult], top: int, *, in_file: bool) -> None:
    if in_file and sum(len(result.rows) for result in results) > _TABLE_ROWS:
        _summarize(results)
    else:
        _show(results, top)


def _summarize(results: list[FileResult]) -> None:
    """What came of a large run whose rows are in a file: one line instead of a table that nobody reads."""
    names = [row.name for result in results for row in result.rows]
    known = [name for name in names if name is not None]
    out().print(
        f"{len(names)} faces in {len(results)} files: {len(known)} named ({len(set(known))} people), "
        f"{len(names) - len(known)} Unknown.",
        soft_wrap=True,
    )


def _show(results: list[FileResult], top: int) -> None:
    checked = any(row.liveness is not None for result in results for row in result.entries)
    told = any(row.accuracy for result in results for row in result.rows)
    more = [*["strangers as near"] * told, *["live"] * checked, *["nearest people"] * bool(top)]
    from knownface.accuracy import share_text

    rows = table("file", "time", "box", "name", "distance", "votes", "why", *more)
    for row in (row for result in results for row in result.entries):
        nearest = ", ".join(f"{c['name']} {c['distance']:.2f}" for c in row.candidates or [])
        shown = f"[bold green]{escape(row.name)}[/]" if row.name else "Unknown" if row.box else f"[dim]{row.reason}[/]"
        rows.add_row(
            escape(row.file),
            "" if row.time is None else f"{row.time:.2f}",
            " ".join(map(str, row.box or [])),
            shown,
            "" if row.distance is None else f"{row.distance:.3f}",
            str(row.votes) if row.box else "",
            row.reason if row.box and not row.name else "",
            *[share_text((row.accuracy or {}).get("strangers_as_near"))] * told,
            *["" if row.liveness is None else f"{row.liveness:.2f}"] * checked,
            *([escape(nearest)] if top else []),
        )
    out().print(rows)
