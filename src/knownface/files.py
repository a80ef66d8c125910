"""Files on disk: whole or not at all, and known by their content."""

from __future__ import annotations

import contextlib
import hashlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

from knownface.errors import OutputError


def sha256_of(path: str | Path) -> str:
    """Hex digest of a file's content.

    Raises:
        OSError: It cannot be read; what that means only the caller knows.
    """
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def unwritable(path: str | Path, error: OSError | ValueError) -> OutputError:
    """The error for a file that the system will not write."""
    return OutputError(f"{path} cannot be written: {getattr(error, 'strerror', None) or error}.")


def beside(path: Path) -> Path:
    """A name for the unfinished version of a file: in the same folder, with the same suffix, of its own."""
    return path.with_name(f".{path.stem[:80]}-{uuid.uuid4().hex[:12]}.part{path.suffix}")


def is_stream(path: Path) -> bool:
    """Whether a path stands for a device or a pipe, which can be written to but not replaced."""
    return path.exists() and not path.is_file() and not path.is_dir()


@contextlib.contextmanager
def replacing(path: str | Path, *, private: bool = False) -> Iterator[Path]:
    """Write a file so that at any instant, a power cut included, it is the old one or the whole new one.

    Args:
        path: The file to make or replace; its folder is made where it is missing.
        private: Whether only its owner may read it, as for everything that galleries write.

    A link is followed. What is no file, such as ``/dev/stdout`` or a pipe, is written to as it is.

    Yields:
        An empty file beside it to write to; it takes the place of ``path`` when the body ends without an error, and
        is deleted otherwise.

    Raises:
        OutputError: The disk is full, or the folder may not be written.
    """
    path = Path(os.path.realpath(path))
    if is_stream(path):
        yield path
        return
    part = beside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.touch(mode=0o600 if private else 0o666, exist_ok=False)
        yield part
        put_in_place(part, path)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        with contextlib.suppress(OSError):  # the folder may be what failed
            part.unlink(missing_ok=True)


def put_in_place(part: Path, target: Path) -> None:
    """Give a finished file its name, once its content is safe on the disk.

    Raises:
        OutputError: The disk or the folder refuses.
    """
    try:
        sync(part)
        part.replace(target)
        sync(target.parent)
    except OSError as error:
        raise unwritable(target, error) from error


def sync(path: Path) -> None:
    """Have a file's or folder's content on the disk before going on; folders only where the system can do that."""
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
