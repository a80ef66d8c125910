"""``knownface demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.markup import escape

from knownface.cli.common import network_options, open_recognizer, out, progress, rule_options, table
from knownface.cli.outputs import OutputFolder, claim, overwrite_option


@click.command(name="demo", short_help="Do the main job on real faces and leave the pictures.")
@click.option("--data", type=click.Path(path_type=Path), help="Your own folder of people instead of the astronaut.")
@click.option(
    "--out",
    "folder",
    type=OutputFolder(),
    default="demo-output",
    show_default=True,
    help="For the pictures.",
)
@overwrite_option
@network_options
@rule_options
def command(data: Path | None, folder: Path, **options: Any) -> int:
    """Do the main job on real faces and leave the labelled pictures.

    Without --data: one photo of the astronaut Eileen Collins, which scikit-image ships, is enrolled; then she is looked
    for in altered copies and among strangers of the LFW data set. With --data: your own people are enrolled with every
    fifth picture held out, and the held-out pictures are named.
    """
    from knownface.demo import astronaut_demo, own_folder_demo
    from knownface.enrolment import FileReview

    claim(folder)
    console = out()
    refused: list[FileReview] = []
    with open_recognizer(":memory:", **options) as recognizer:
        rule = recognizer.rule
        console.print(f"k1 {rule.k1}, k2 {rule.k2}, threshold {rule.threshold:.3f}", soft_wrap=True)
        rows = table("picture", "expected", "named", "Unknown faces", "distance", "right")
        made = own_folder_demo(recognizer, data, folder, refused) if data else astronaut_demo(recognizer, folder)
        shown = []
        with progress() as bar:
            task = bar.add_task("Naming", total=None)
            for row in made:
                shown.append(row)
                bar.advance(task)
                rows.add_row(
                    escape(row.what),
                    escape(", ".join(row.expected) or "nobody"),
                    escape(", ".join(row.found) or "nobody"),
                    str(row.strangers),
                    "" if row.distance is None else f"{row.distance:.3f}",
                    "[green]yes[/]" if row.right else "[red]no[/]",
                )
    console.print(rows)
    right = sum(row.right for row in shown)
    console.print(
        f"{right} of {len(shown)} pictures right. The labelled pictures are in {escape(str(folder.absolute()))}",
        soft_wrap=True,
    )
    if refused:
        console.print(f"{len(refused)} files could not be used for enrolment; `knownface enroll` shows why.")
    return 0
