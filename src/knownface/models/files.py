"""Small operations on the files of the model store: finding in a package, folders, deleting."""

from __future__ import annotations

import shutil
from importlib import metadata
from pathlib import Path

from knownface.files import put_in_place, unwritable
from knownface.models.contract import InputContract
from knownface.models.entry import PackageSource
from knownface.models.session import try_network


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


def copy_in(source: Path, target: Path, contract: InputContract | None = None) -> Path:
    """Copy beside the target and rename, so that a half-written file never has its name.

    Args:
        source: A weight file.
        target: Where it goes.
        contract: Where there is one, the network is tried with it first.

    Raises:
        ModelError: The network does not fit the contract.
        OutputError: The folder refuses.
    """
    make_folder(target.parent)
    part = target.with_name(target.name + ".import")
    try:
        shutil.copyfile(source, part)
        if contract is not None:
            try_network(part, contract)
        put_in_place(part, target)
    except OSError as error:
        raise unwritable(target, error) from error
    finally:
        part.unlink(missing_ok=True)
    return target
