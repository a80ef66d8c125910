"""Small operations on the files of the model store: finding in a package, folders, deleting."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from knownface.files import unwritable
from knownface.models.entry import PackageSource


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
