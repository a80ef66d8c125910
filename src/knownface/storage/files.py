"""Files that are either wholly there or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from knownface.errors import OutputError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file so that at any instant, a power cut included, it is the old one or the whole new one.

    The file is readable by its owner only, since what galleries write is personal data.

    Args:
        path: The file to make or replace; its folder is made where it is missing.

    Yields:
        An empty file beside it to write to; it takes the place of ``path`` when the block ends without an error,
        and is deleted otherwise.

    Raises:
        OutputError: The disk is full, or the folder may not be written.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=".tmp", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        sync(temporary)
        temporary.replace(path)
        sync(path.parent)
    except OSError as error:
        raise OutputError(f"{path} could not be written: {error.strerror or error}.") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Have a file's or folder's content on the disk before going on; folders only where the system can do that."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
