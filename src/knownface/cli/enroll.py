"""``knownface enroll``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from knownface.cli.reading import picture_from_stdin
from knownface.cli.writing import write_tables
from knownface.tables import Table
from knownface.wording import plural

if TYPE_CHECKING:
    from knownface.enrolment import FileReview, PeopleScan
    from knownface.gallery import Gallery
    from knownface.recognizer import FaceRecognizer

_SHOWN = 40


@click.command(name="enroll", short_help="Learn people from a folder that holds one folder a person.")
@click.argument("people", nargs=-1, required=True, metavar="PEOPLE|FILE...")
@recognizer_options
@click.option(
    "--as", "name", metavar="NAME", help="The FILEs are photos and videos of this person; - is standard input."
)
@click.option("--sync", is_flag=True, help="Follow what was deleted, moved and renamed in PEOPLE as well; asks first.")
@click.option("--dry-run", is_flag=True, help="With --sync: only show what would be renamed, moved and removed.")
@click.option("--yes", is_flag=True, help="With --sync: do not ask.")
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
def command(
    people: tuple[str, ...],
    faces: Any,
    report: Path | None,
    name: str | None,
    sync: bool,
    dry_run: bool,
    yes: bool,
    **options: Any,
) -> int:
    """Learn people from the folder PEOPLE, which holds one folder a person, or one person from the FILEs with --as.

    Pictures and videos are taken from each person's folder and those below it, or from its `train` subfolder where
    there is one. Enrolling a folder again adds only what is new. People who were renamed since are remembered, and what
    was taken out of them stays out.
    """
    from knownface.enrolment import EnrolmentReport, enrol_people, scan_files, scan_people
    from knownface.errors import OutputError

    _check_usage(people, name, sync, dry_run, yes)
    content = picture_from_stdin() if "-" in people else None
    scan = scan_people(people[0]) if name is None else scan_files(name, [path for path in people if path != "-"])
    with open_recognizer(**options) as recognizer:
        if sync and not _follow(recognizer.gallery, Path(people[0]), scan, dry_run, yes):
            return 0
        enrolment = recognizer.enrolment_options(faces)
        reviews = list(scan.refused)
        if content is not None and name is not None:
            reviews.append(_enrol_content(recognizer, name, content, faces))
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


def _check_usage(people: tuple[str, ...], name: str | None, sync: bool, dry_run: bool, yes: bool) -> None:
    if name is None and (len(people) > 1 or people[0] == "-"):
        raise click.UsageError(
            "Give one folder that holds one folder a person, or name whose photos these are: --as NAME."
        )
    if name is not None and sync:
        raise click.UsageError("--sync follows a folder of people, not the files of one person (--as).")
    if (dry_run or yes) and not sync:
        raise click.UsageError("--dry-run and --yes belong to --sync.")


def _enrol_content(recognizer: FaceRecognizer, name: str, content: bytes, faces: Any) -> FileReview:
    """Enrol the picture from standard input."""
    from knownface.enrolment import FileReview
    from knownface.errors import DoubtfulError

    found = recognizer.review_picture(content, faces=faces, person=name, source="standard input")
    added = recognizer.enrol_reviewed(name, found)
    if found.error is not None:
        held = isinstance(found.error, DoubtfulError) and recognizer.settings.review == "hold"
        return FileReview(Path("-"), name, "held" if held else "refused", found.error.code, found.error.message)
    if not added:
        return FileReview(Path("-"), name, "known", "known", "Already enrolled for this person.")
    return FileReview(Path("-"), name, "enrolled", templates=added)


def _follow(gallery: Gallery, folder: Path, scan: PeopleScan, dry_run: bool, yes: bool) -> bool:
    """Show what the folder says, ask, and do it; whether to enrol what is new then."""
    from knownface.enrolment import apply_sync, plan_sync

    plan = plan_sync(gallery, folder, scan)
    if plan:
        rows = table("what", "person", "to", "file", title="To follow the folder")
        for old, new in plan.renames:
            rows.add_row("rename", escape(old), escape(new), "")
        for move in plan.moves:
            rows.add_row("move", escape(move.person), escape(move.to), escape(move.source))
        names = gallery.names
        for template in plan.removals:
            rows.add_row("remove", escape(names[template.person_id]), "", escape(template.source))
        out().print(rows)
    for person in plan.left:
        say(f"{person} is left without a template; `knownface people remove` takes everything of theirs away.")
    if dry_run:
        out().print(
            f"{plural(len(plan.renames), 'person', 'people')} to rename, {plural(len(plan.moves), 'file')} to move, "
            f"{plural(len(plan.removals), 'template')} to remove. Nothing was changed."
        )
        return False
    if plan and not yes:
        final = f" {plural(len(plan.removals), 'template')} to remove for good." if plan.removals else ""
        click.confirm(f"Follow the folder?{final}", abort=True)
    apply_sync(gallery, plan)
    return True


def _summary(result: Any, gallery: str) -> None:
    console = out()
    people = len({review.person for review in result.reviews if review.status == "enrolled"})
    held_back = f"{count} held back; " if (count := result.count("held")) else ""
    console.print(
        f"{plural(result.templates, 'template')} of {plural(people, 'person', 'people')} enrolled from "
        f"{plural(result.count('enrolled'), 'file')}; "
        f"{plural(result.count('known'), 'file')} known already; {held_back}{result.count('refused')} not "
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
    if held:
        say("Decide on what was held back: knownface review list, then accept or reject.")


def _write_report(path: Path, result: Any) -> None:
    columns = ["file", "person", "status", "reason", "text", "templates"]
    rows = [[str(r.path), r.person, r.status, r.reason, r.text, r.templates] for r in result.reviews]
    write_tables(path, {"Enrolment": Table(columns, rows)})
