"""A copy of a gallery in one file, made while others use it, and the way back."""

from __future__ import annotations

import shutil
import sqlite3
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from knownface.errors import (
    GalleryDamagedError,
    GalleryError,
    GalleryKeyError,
    GalleryLockedError,
    OutputError,
    UnreadableError,
)
from knownface.files import replacing, sync
from knownface.storage.checks import check_file, check_pages, connect_read_only, is_new
from knownface.storage.database import Database
from knownface.storage.failures import UnplacedError, translated
from knownface.storage.location import parse_location
from knownface.storage.person_seal import is_sealed_by_person, open_people, seal_people
from knownface.storage.schema import META_STAMP
from knownface.storage.sealing.person_keys import OwnKey


@dataclass(frozen=True, slots=True)
class Restored:
    """What restoring a backup did.

    Attributes:
        kept: Where the gallery that was there is kept now (``….before-restore``), or None if there was none.
        left_out: Names of people whose keys are gone, so that they cannot be brought back.
    """

    kept: Path | None
    left_out: tuple[str, ...] = ()


def backup(
    database: Database, file: Path, *, overwrite: bool = False, keys: Mapping[int, OwnKey] | None = None
) -> None:
    """Write one state of the database to a file, whole or not at all.

    Args:
        database: Open; others may go on using it.
        file: The file to make.
        overwrite: Whether an existing file may be replaced.
        keys: The people's, by id, where each one's records are to be sealed by them; the file does not hold them.

    Raises:
        OutputError: The file exists, or cannot be written.
        GalleryDamagedError: The database is damaged; no file was made.
        GalleryError: A server keeps the database.
    """
    if not database.location.is_sqlite:
        raise GalleryError(
            "A gallery on a server is backed up by the server's own tools.",
            "Use `pg_dump --format=custom`, or its archive.",
        )
    file = file.expanduser().absolute()
    if file.exists() and not overwrite:
        raise OutputError(
            f"{file} exists already.", "Choose another name, or allow it to be replaced with overwrite=True."
        )
    if database.location.file == file:
        raise OutputError(f"{file} is the gallery itself.", "Choose another name.")
    place, engine = str(database), database.engine
    with replacing(file, private=True) as temporary, translated(place), closing(engine.raw_connection()) as pooled:
        connection = pooled.driver_connection
        assert isinstance(connection, sqlite3.Connection)  # noqa: S101  (the engine is SQLite's)
        # Damage met while copying may look like a full disk to SQLite.
        check_pages(connection, Path(place), "quick_check")
        connection.execute("VACUUM INTO ?", (str(temporary),))
        if keys is not None:
            with closing(sqlite3.connect(temporary, isolation_level=None)) as copy:
                seal_people(copy, keys)
        check_file(temporary, whole=True)


def restore(file: Path, location: str | Path, secrets: Mapping[str, bytes] | None = None) -> Restored:
    """Put a backup in the place of a gallery; what was there is kept beside it.

    Args:
        file: What :func:`backup` wrote; it is checked wholly before anything is touched, and stays.
        location: The gallery's file.
        secrets: The people's keys, where the backup was made with keys apart; who has none there is left out.

    Raises:
        GalleryKeyError: The backup was made with keys apart, and none is given, or none fits.
        UnreadableError: There is no such backup.
        GalleryDamagedError: The backup is damaged or none.
        GalleryVersionError: A newer knownface wrote it.
        GalleryLockedError: A program has the gallery open.
        OutputError: The disk is full.
        GalleryError: The gallery is no file.
    """
    file = file.expanduser().absolute()
    target = parse_location(location).file
    if target is None:
        raise GalleryError(
            f"{parse_location(location)} is no file, so no backup can take its place.",
            "Name a file; a gallery on a server is restored with pg_restore.",
        )
    if is_new(file):
        raise UnreadableError(f"There is no backup at {file}.")
    with translated(str(file)):
        if target.exists() and file.samefile(target):
            raise GalleryError(f"{file} is the gallery itself.", "Name the backup's file.")
        if not check_file(file, whole=True):
            raise GalleryDamagedError(f"{file} holds no gallery.", "Name a file that `knownface gallery backup` wrote.")
        apart = is_sealed_by_person(file)
    if apart and not secrets:
        raise GalleryKeyError(
            f"The people in {file} are sealed by keys of their own, which are kept apart from it.",
            "Name the file that keeps them with `--keys`.",
        )
    with translated(str(target)), _alone(target), replacing(target, private=True) as temporary:
        left_out = _copy(file, temporary, secrets if apart else None)
        return Restored(None if is_new(target) else _set_aside(target), tuple(left_out))


def _copy(file: Path, copy: Path, secrets: Mapping[str, bytes] | None) -> list[str]:
    with closing(connect_read_only(file)) as source, closing(sqlite3.connect(copy, isolation_level=None)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")
        # Indexes that were saved beside the old gallery must not be taken for this one's.
        target.execute("UPDATE meta SET value = ? WHERE key = ?", (uuid.uuid4().hex, META_STAMP))
        return [] if secrets is None else open_people(target, secrets)


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Hold the gallery that is to be replaced, after making sure that nobody has it open.

    Leaving WAL mode succeeds for the only user alone, and takes the side files away. A gallery that is damaged has
    no users to be asked, and is not opened again, since that might change it.
    """
    if is_new(target) or _is_damaged(target):
        yield
        return
    with closing(sqlite3.connect(target, timeout=2, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            raise GalleryLockedError(
                f"A program has the gallery {target} open.", "Stop it, then restore again."
            ) from error
        yield


def _is_damaged(target: Path) -> bool:
    try:
        check_file(target)
    except (GalleryDamagedError, sqlite3.DatabaseError):
        return True
    except UnplacedError:
        return False
    return False


def _set_aside(target: Path) -> Path:
    number = 1
    while (kept := target.with_name(f"{target.name}.before-restore{'' if number == 1 else f'-{number}'}")).exists():
        number += 1
    # The old name keeps the old file until the new one replaces it: there is a gallery at any instant.
    try:
        kept.hardlink_to(target)
    except OSError:
        shutil.copy2(target, kept)
    for side in ("-wal", "-shm"):
        # Left where they are, they would be taken for the restored file's.
        with suppress(FileNotFoundError):
            target.with_name(target.name + side).replace(kept.with_name(kept.name + side))
    sync(target.parent)
    return kept
