"""Pictures that come on standard input."""

from __future__ import annotations

import sys

import click

from knownface.errors import UnsupportedError


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
