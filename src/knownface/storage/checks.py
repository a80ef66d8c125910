"""Looking at a file before anything writes to it: is it a gallery of ours, whole, and of a version we know?"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from knownface.errors import GalleryDamagedError, GalleryError
from knownface.storage.migrate import check_known
from knownface.storage.schema import VERSION_TABLE

# A check reads about 1 GB a second from the cache; up to this size it is not felt when a command starts. In a larger
# file damage shows when the damaged page is read, and is reported then.
QUICK_CHECK_BYTES = 64 * 1024 * 1024


def connect_read_only(file: Path) -> sqlite3.Connection:
    """Open an SQLite file without the right to change it.

    Never read such a file by other means: closing it would drop the locks that SQLite holds in this process
    (https://www.sqlite.org/howtocorrupt.html, section 2.2).
    """
    uri = f"file:{quote(str(file))}?mode=ro"
    return sqlite3.connect(uri, uri=True, timeout=30, isolation_level=None, check_same_thread=False)


def is_new(file: Path) -> bool:
    """Whether there is nothing in a file, or no file."""
    return not file.exists() or (file.is_file() and file.stat().st_size == 0)


def check_file(file: Path, *, whole: bool = False) -> bool:
    """Look at an existing file without changing it.

    Args:
        file: The file.
        whole: Check every page and every index, however large the file is.

    Returns:
        True where it holds a gallery; False where it holds no table at all.

    Raises:
        GalleryDamagedError: It is damaged or no SQLite database.
        GalleryVersionError: A newer knownface wrote it.
        GalleryError: It is another program's database, or a folder.
        sqlite3.Error: It cannot be read; :func:`knownface.storage.failures.translated` knows what to make of it.
    """
    if not file.is_file():
        raise GalleryError(f"{file} is not a file.", "Name a file, such as gallery.db.")
    with closing(connect_read_only(file)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables:
            return False
        if VERSION_TABLE not in tables:
            raise GalleryError(f"{file} is another program's database.", "Name a file of its own for the gallery.")
        row = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()  # noqa: S608
        if row is None:
            raise GalleryDamagedError(f"{file} is damaged (its schema has no revision).")
        check_known(row[0])
        if whole or file.stat().st_size <= QUICK_CHECK_BYTES:
            check_pages(connection, file, "integrity_check" if whole else "quick_check")
    return True


def check_pages(connection: sqlite3.Connection, file: Path, pragma: str) -> None:
    """Have SQLite look at every page, and with ``integrity_check`` at every index.

    Raises:
        GalleryDamagedError: It found a fault.
    """
    findings = [text for (text,) in connection.execute(f"PRAGMA {pragma}(1)")]
    if findings != ["ok"]:
        raise GalleryDamagedError(f"{file} is damaged ({' '.join(findings[0].split())}).")
