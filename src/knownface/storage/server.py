"""A gallery on a PostgreSQL server: its engine, and what its transactions need to behave as SQLite's do."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, create_engine, func, select

from knownface.errors import GalleryEmptyError, MissingExtraError
from knownface.storage.failures import UnplacedError
from knownface.storage.location import Location
from knownface.storage.migrate import revision_of
from knownface.storage.schema import META_GENERATION, meta

CONNECT_SECONDS = 10
"""How long is waited for a server that does not answer, where the URL's ``connect_timeout`` says nothing else."""

_LOCK = select(meta.c.value).where(meta.c.key == META_GENERATION).with_for_update()


def make_server_engine(place: Location) -> Engine:
    """An engine for a PostgreSQL URL; nothing is sent yet.

    Raises:
        MissingExtraError: The driver is not installed.
    """
    wanted = {"connect_timeout": CONNECT_SECONDS, "application_name": "knownface"}
    arguments = {key: value for key, value in wanted.items() if key not in place.url.query}
    try:
        # The ping finds connections that a restart of the server, or a firewall, has cut.
        return create_engine(
            place.url,
            pool_pre_ping=True,
            isolation_level="READ COMMITTED",
            connect_args=arguments,
            hide_parameters=True,
        )
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"The driver for PostgreSQL is not installed ({error.name}).",
            "postgres",
        ) from error


def check_made(engine: Engine) -> None:
    """Raise unless there is a gallery in the database.

    Raises:
        UnplacedError: There is none; becomes a :class:`GalleryEmptyError`.
    """
    with engine.connect() as connection:
        if revision_of(connection) is None:
            raise UnplacedError(GalleryEmptyError, "There is no gallery at {place}.")


def see_one_state(connection: Connection) -> None:
    """Have the next transaction see one state of the database throughout, and write nothing.

    See https://www.postgresql.org/docs/current/transaction-iso.html: by default every statement sees another state.
    """
    connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def take_write_lock(connection: Connection, seconds: float) -> None:
    """Wait until this transaction is the only one that writes.

    Every writer locks the same row first. Its later statements see all that was committed before it got the lock, and
    ids come in the order of the commits, as on SQLite.

    Args:
        connection: In a transaction that has done nothing yet.
        seconds: How long to wait for others, here and at every later statement.
    """
    connection.execute(select(func.set_config("lock_timeout", f"{round(1000 * seconds)}ms", True)))
    connection.execute(_LOCK)
