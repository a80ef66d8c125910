"""Small operations on the files of the model store: finding in a package, folders, deleting."""

from __future__ import annotations

import contextlib
import functools
import shutil
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from knownface.files import put_in_place, sha256_of, unwritable
from knownface.models.entry import PackageSource


@functools.lru_cache(maxsize=256)
def _sha256_of_state(path: Path, *_state: int) -> str:
    return sha256_of(path)


def weights_sha256(path: Path) -> str:
    """SHA-256 in hex of a weight file, computed once as long as neither its size nor its time changes.

    Raises:
        OSError: It cannot be read.
    """
    status = path.stat()
    return _sha256_of_state(path, status.st_size, status.st_mtime_ns)


def forget_sha256() -> None:
    """Have every file read anew."""
    _sha256_of_state.cache_clear()


def packaged_file(source: PackageSource) -> Path | None:
    """The file of an installed package, found by the package's own list of files.

    The package is not imported: that of dlib's weights wants ``pkg_resources``, which newer machines lack.
    """
    try:
        path = Path(str(metadata.distribution(source.distribution).locate_file(source.path)))
    except metadata.PackageNotFoundError:
        return None
    return path if path.is_file() else None


def make_folder(path: Path) -> None:
    """The folder and those above it.

    Raises:
        OutputError: It cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error


def remove(path: Path) -> None:
    """Delete a file if it is there.

    Raises:
        OutputError: The folder refuses.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error


def remove_folder(folder: Path) -> int:
    """Delete a folder with all that is in it; returns the bytes that its files took.

    Raises:
        OutputError: It cannot be deleted, or not all of it.
    """
    try:
        freed = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        shutil.rmtree(folder)
    except OSError as error:
        raise unwritable(folder, error) from error
    return freed


def copy_in(source: Path, target: Path, check: Callable[[Path], None] | None = None) -> Path:
    """Copy beside the target and rename, so that a half-written file never has its name.

    Args:
        source: A weight file.
        target: Where it goes.
        check: Given the copy, which has the target's suffix, before it gets its name; raises what speaks against it.

    Raises:
        ModelError: The check raised it.
        OutputError: The folder refuses.
    """
    make_folder(target.parent)
    part = target.with_name(f"importing-{target.name}")
    try:
        shutil.copyfile(source, part)
        if check is not None:
            check(part)
        put_in_place(part, target)
    except OSError as error:
        raise unwritable(target, error) from error
    finally:
        part.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # it holds something, as after every success
            target.parent.rmdir()
    return target
