"""``knownface verify``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from knownface.cli.common import (
    gallery_is_there,
    open_recognizer,
    out,
    recognizer_options,
    rule_options,
    say,
)
from knownface.cli.outputs import json_option, overwrite_option
from knownface.cli.writing import write_json
from knownface.errors import UnknownPersonError, UnreadableError

if TYPE_CHECKING:
    from knownface.accuracy import Accuracy


@click.command(name="verify", short_help="Compare two pictures, or a person and a picture: are they one?")
@click.argument("first", metavar="PICTURE|NAME")
@click.argument("second", metavar="PICTURE", type=click.Path(path_type=Path))
@recognizer_options
@rule_options
@click.option(
    "--faces",
    type=click.Choice(["dominant", "largest", "only"]),
    default="dominant",
    show_default=True,
    help="Which face of a picture with several is meant.",
)
@json_option("same", help="Write the answer.")
@overwrite_option
def command(first: str, second: Path, faces: Any, gallery: str | None, json_file: Path | None, **options: Any) -> int:
    """Compare two pictures, or a person of the gallery and a picture: do they show the same person?

    A NAME is compared by all the person's templates and the person's own threshold. What is a file's
    name as well is the file. Of two pictures the gallery only decides which embedder is used.

    Exit status 0: the same person; 1: not the same; others: an error.
    """
    from knownface.settings import load_settings

    location = load_settings(gallery=gallery).gallery
    is_file, is_there = Path(first).exists(), gallery is not None or gallery_is_there(location)
    if not is_file and not is_there:
        raise _nothing_called(first)
    with open_recognizer(location if is_there else ":memory:", create=not is_there, **options) as recognizer:
        if is_file:
            answer = recognizer.verify(first, second, faces=faces)
        else:
            try:
                answer = recognizer.verify_person(second, first, faces=faces)
            except UnknownPersonError as error:
                raise _nothing_called(first) from error
    if json_file is not None:
        write_json(json_file, answer.to_dict())
    if str(json_file) != "-":
        out().print(f"{'same person' if answer.same else 'not the same person'}: {answer.reason}", soft_wrap=True)
        if answer.accuracy is not None:
            say(_sure(answer.accuracy))
    return 0 if answer.same else 1


def _sure(accuracy: Accuracy) -> str:
    from knownface.accuracy import share_text

    if accuracy.strangers_named is None:
        return "How many strangers would pass is not known: too few people are enrolled."
    near, passing = share_text(accuracy.strangers_as_near), share_text(accuracy.strangers_named)
    return f"Of strangers {near} would be as near and {passing} would pass, only estimated from the people enrolled."


def _nothing_called(name: str) -> UnreadableError:
    return UnreadableError(
        f"There is no picture {name}, and nobody of that name is in the gallery.",
        "Check the spelling; `knownface people list` shows everybody.",
    )
