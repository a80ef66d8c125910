"""Which files a user means, and pictures that come on standard input."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from knownface.errors import UnreadableError, UnsupportedError

STDIN = Path("-")
"""What standard input is called among the files."""


def input_files(paths: Sequence[str], labelled: Path | None) -> list[Path]:
    """The photos and videos meant, without what lies in the folder for labelled copies, which may be one of the paths.

    Raises:
        UnreadableError: There is none, or a path does not exist.
    """
    from knownface.media import expand_paths

    files = [STDIN] if "-" in paths else []
    files += expand_paths([path for path in paths if path != "-"])
    if labelled is not None:
        files = [file for file in files if not file.resolve().is_relative_to(labelled.resolve())]
    if not files:
        besides = f" besides those in {labelled}" if labelled is not None else ""
        raise UnreadableError(
            f"There is no photo and no video in {' '.join(paths)}{besides}.", "Give photos, videos or folders."
        )
    return files


def picture_from_stdin() -> bytes:
    """The picture that another program pipes in, as the bytes of a file.

    Raises:
        UnsupportedError: It is a video, which must be a file.
    """
    from knownface.media.signatures import HEAD_BYTES, is_video

    if sys.stdin.isatty():
        raise click.UsageError("- is a picture that another program writes: curl ... | knownface identify -")
    content = sys.stdin.buffer.read()
    if is_video(content[:HEAD_BYTES]):
        raise UnsupportedError("A video cannot be read from standard input.", "Write it to a file first.")
    return content
