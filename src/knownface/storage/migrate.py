"""Bringing a database to the schema of this version of knownface, when it is opened."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from knownface.errors import GalleryVersionError
from knownface.storage.failures import UnplacedError
from knownface.storage.schema import VERSION_TABLE

HEAD = "0019"
"""The newest revision. Written down, so that opening a gallery that has it does not import Alembic."""

KNOWN = frozenset(f"{number:04}" for number in range(1, int(HEAD) + 1))
"""Every revision that this version of knownface can read or bring forward."""


def check_known(revision: str) -> None:
    """Raise unless a database of this revision can be used.

    Raises:
        UnplacedError: A newer knownface wrote it; becomes a :class:`GalleryVersionError`.
    """
    if revision not in KNOWN:
        written = f"was written by a newer knownface (its schema is {revision})."
        raise UnplacedError(GalleryVersionError, f"The gallery {{place}} {written}")


def revision_of(connection: Connection) -> str | None:
    """The revision of a database's schema, or None where there is none yet."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    revision: str | None = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608
    return revision


def migrate(engine: Engine) -> None:
    """Bring a database to :data:`HEAD`, in one transaction; does nothing if it is there already.

    Of two programs that open an old gallery at once the second waits for the first, then finds nothing to do.

    Raises:
        UnplacedError: A newer knownface wrote it; it is left as it is.
    """
    with engine.connect() as connection:
        revision = revision_of(connection)
    if revision == HEAD:
        return
    with engine.connect().execution_options(knownface_write=True) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(7236530417)"))
        revision = revision_of(connection)
        if revision == HEAD:
            return
        if revision is not None:
            check_known(revision)
        _upgrade(connection)


def _upgrade(connection: Connection) -> None:
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(Path(__file__).parent / "migrations"))
    context = MigrationContext.configure(
        connection,
        opts={
            "version_table": VERSION_TABLE,
            # SQLite can roll back tables made inside a transaction that was begun by hand, as ours are.
            "transactional_ddl": True,
            "fn": lambda revision, _context: scripts._upgrade_revs(HEAD, revision),
        },
    )
    with Operations.context(context):
        context.run_migrations()
