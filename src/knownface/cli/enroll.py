"""``knownface enroll``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import click
from rich.markup import escape

from knownface.cli.common import (
    err,
    open_recognizer,
    out,
    progress,
    recognizer_options,
    say,
    table,
)
from knownface.cli.outputs import OutputFile, bom_option, overwrite_option
from knownface.cli.writing import write_tables
from knownface.tables import Table

_SHOWN = 40


@click.command(name="enroll", short_help="Learn people from a folder that holds one folder a person.")
@click.argument("people", type=click.Path(path_type=Path))
@recognizer_options
@click.option(
    "--faces",
    type=click.Choice(["dominant", "largest", "only", "all-same-person"]),
    default="dominant",
    show_default=True,
    help="Which face of a picture is meant: the one that is clearly larger than the others, the largest in any case, "
    "the only one, or all of them.",
)
@click.option(
    "--report",
    type=OutputFile(".csv", ".xlsx", fields=("file", "person")),
    help="Write the review of every file: .csv or .xlsx.",
)
@overwrite_option
@bom_option
def command(people: Path, faces: Any, report: Path | None, **options: Any) -> int:
    """Learn people from the folder PEOPLE, which holds one folder a person.

    Pictures and videos are taken from each person's folder, or from its `train` subfolder where there is one.
    Enrolling a folder again adds only what is new.
    """
    from knownface.enrolment import EnrolmentReport, enrol_people, scan_people
    from knownface.errors import OutputError

    scan = scan_people(people)
    with open_recognizer(**options) as recognizer:
        enrolment = recognizer.enrolment_options(faces)
        reviews = list(scan.refused)
        try:
            with progress() as bar:
                task = bar.add_task("Enrolling", total=scan.file_count)
                for found in enrol_people(
                    scan.people, recognizer.gallery, recognizer.detector, recognizer.embedder, enrolment
                ):
                    reviews.append(found)
                    bar.advance(task)
        finally:
            result = EnrolmentReport(tuple(reviews))
            if report:
                _write_report(report, result)
            if reviews:
                _summary(result, str(recognizer.gallery.location))
        try:
            recognizer.build_index()
        except OutputError as error:  # everything is enrolled; the index is built again when it is needed
            say(f"The index was not saved: {error.message}", style="yellow")
    return 1 if result.count("refused") or result.count("held") else 0


def _summary(result: Any, gallery: str) -> None:
    console = out()
    people = len({review.person for review in result.reviews if review.status == "enrolled"})
    held_back = f"{count} held back; " if (count := result.count("held")) else ""
    console.print(
        f"{result.templates} templates of {people} people enrolled from {result.count('enrolled')} files; "
        f"{result.count('known')} files known already; {held_back}{result.count('refused')} not "
        f"used. Gallery: {escape(gallery)}",
        soft_wrap=True,
    )
    learnt = {review.person for review in result.reviews if review.status in ("enrolled", "known")}
    strange = sorted({review.person for review in result.reviews if review.person} - learnt)
    if strange:
        console.print(escape(f"Nothing was learnt of: {', '.join(strange)}"), soft_wrap=True)
    refused = [review for review in result.reviews if review.status == "refused"]
    warned = [review for review in result.reviews if review.status == "enrolled" and review.text]
    held = [review for review in result.reviews if review.status == "held"]
    for title, listed in (("Not used", refused), ("Held back", held), ("Enrolled, but look", warned)):
        if not listed:
            continue
        rows = table("file", "person", "why", title=title)
        for review in listed[:_SHOWN]:
            rows.add_row(escape(str(review.path)), escape(review.person), escape(review.text))
        console.print(rows)
        if len(listed) > _SHOWN:
            counts = Counter(review.reason for review in listed)
            summed = ", ".join(f"{count} {reason}" for reason, count in counts.most_common())
            err().print(f"… of {len(listed)} in all ({summed}); --report FILE.csv lists them.", style="dim")


def _write_report(path: Path, result: Any) -> None:
    columns = ["file", "person", "status", "reason", "text", "templates"]
    rows = [[str(r.path), r.person, r.status, r.reason, r.text, r.templates] for r in result.reviews]
    write_tables(path, {"Enrolment": Table(columns, rows)})
