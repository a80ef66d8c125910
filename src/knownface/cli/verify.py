"""``knownface verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from knownface.cli.common import gallery_is_there, open_recognizer, out, recognizer_options, rule_options


@click.command(name="verify", short_help="Compare two pictures: do they show the same person?")
@click.argument("first", type=click.Path(path_type=Path))
@click.argument("second", type=click.Path(path_type=Path))
@recognizer_options
@rule_options
@click.option(
    "--faces",
    type=click.Choice(["dominant", "largest", "only"]),
    default="dominant",
    show_default=True,
    help="Which face of a picture with several is meant.",
)
def command(first: Path, second: Path, faces: Any, gallery: str | None, **options: Any) -> int:
    """Compare the pictures FIRST and SECOND: do they show the same person?

    Exit status 0: the same person; 1: not the same; others: an error. The gallery only decides which embedder is used.
    """
    from knownface.settings import load_settings

    location = load_settings(gallery=gallery).gallery
    given = gallery is not None
    place = location if given or gallery_is_there(location) else ":memory:"
    with open_recognizer(place, create=not given, **options) as recognizer:
        answer = recognizer.verify(first, second, faces=faces)
    out().print(f"{'same person' if answer.same else 'not the same person'}: {answer.reason}", soft_wrap=True)
    return 0 if answer.same else 1
