"""``Database``: an open database, what it is called, and its three kinds of transaction."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, Engine, delete, select

from knownface.errors import GalleryError, GalleryKeyError, KnownFaceError
from knownface.storage import engine as engines
from knownface.storage.failures import UnplacedError, translated
from knownface.storage.gallery_seal import data_key_in_use, holds_nobody, store_seal, stored_seal
from knownface.storage.location import Location, parse_location
from knownface.storage.schema import META_PERSON_SEAL, META_SCRUB, meta
from knownface.storage.scrub import is_marked, mark_for_scrubbing, overwrite
from knownface.storage.sealing.columns import sealer_of, use_sealer
from knownface.storage.sealing.keys import read_secret
from knownface.storage.sealing.sealer import Sealer, new_sealer, unlocked
from knownface.storage.server import see_one_state, take_write_lock

_log = logging.getLogger(__name__)


class Database:
    """A gallery's database; it may be used from several threads, and several programs may have the same one open.

    Every error of the database and the disk leaves a transaction as one of ours that names the place; see
    :func:`knownface.storage.failures.translated`.

    Args:
        engine: Open, at the newest schema.
        location: Where it lies.
    """

    def __init__(self, engine: Engine, location: Location) -> None:
        self.location = location
        self._engine = engine
        self._closed = self._erased = False
        # A program that was stopped between a removal and its scrubbing left this to the next one.
        self.scrub(thorough=False)

    @classmethod
    def open(
        cls, location: str | Path | Location, *, create: bool = True, key: str | None = None, seal_names: bool = False
    ) -> Self:
        """Open a gallery's database at the newest schema.

        Args:
            location: A path, a database URL, or ``:memory:`` (gone when the database is closed).
            create: Whether to make the file, and its folder, where there is none.
            key: Where the key of an encrypted gallery comes from; a new gallery is encrypted if one is named. See
                :func:`knownface.storage.sealing.keys.read_secret`.
            seal_names: Whether a new encrypted gallery seals names too.

        Raises:
            GalleryKeyError: It is encrypted, and the key is not named, cannot be had, or is another one.
            GalleryEmptyError: There is none, and ``create`` is False.
            GalleryDamagedError: The file is damaged or no database; it is left untouched.
            GalleryVersionError: A newer knownface wrote it; it is left untouched.
            GalleryLockedError: Another program kept it locked for longer than
                :data:`knownface.storage.engine.BUSY_SECONDS`.
            OutputError: The disk is full.
            MissingExtraError: The URL names a server, and its driver is not installed.
            GalleryError: It may not be read or written, belongs to another program, or the server does not answer.
        """
        place = location if isinstance(location, Location) else parse_location(location)
        with translated(str(place)):
            engine = engines.open_engine(place, create=create)
            try:
                _unlock(engine, place, key, seal_names=seal_names)
                return cls(engine, place)
            except BaseException:
                engine.dispose()
                raise

    def __str__(self) -> str:
        """The file, or the URL without the password."""
        return str(self.location)

    @property
    def engine(self) -> Engine:
        """SQLAlchemy's engine.

        Raises:
            GalleryError: The database was closed.
        """
        self.check_open()
        return self._engine

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._closed

    def check_open(self) -> None:
        """Raise if the database was closed.

        Raises:
            GalleryError: It was.
        """
        if self._closed:
            raise GalleryError(f"The gallery {self} was closed.", "Open it again.")

    @property
    def sealer(self) -> Sealer | None:
        """What seals the records; None where the gallery is not encrypted."""
        return sealer_of(self._engine.dialect)

    def use_sealer(self, sealer: Sealer | None) -> None:
        """Seal with another sealer from now on, which the transaction before has given all records, or with none."""
        use_sealer(self._engine.dialect, sealer)
        self._engine.clear_compiled_cache()  # how names are read stands in the statements

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database, whatever others write meanwhile."""
        with translated(str(self)), self.engine.connect() as connection:
            if not self.location.is_sqlite:
                see_one_state(connection)
            with connection.begin():
                yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that alone may write; committed at the end of the block, rolled back on an error.

        It takes the write lock at once: a transaction that begins by reading and then wants to write would fail,
        instead of waiting, if another program has written in between.
        """
        with (
            translated(str(self)),
            self.engine.connect().execution_options(knownface_write=True) as connection,
            connection.begin(),
        ):
            if not self.location.is_sqlite:
                take_write_lock(connection, engines.BUSY_SECONDS)
            self._check_seal(connection)
            yield connection

    def _check_seal(self, connection: Connection) -> None:
        """Raise if what is written would not be sealed as the rest is."""
        sealer = self.sealer
        if data_key_in_use(connection) != (None if sealer is None else sealer.id.hex()):
            raise UnplacedError(
                GalleryKeyError,
                "The gallery {place} was encrypted, decrypted or given another key meanwhile.",
                "Start the program again.",
            )

    @contextmanager
    def erasing(self) -> Iterator[Connection]:
        """A transaction that takes something away for good; afterwards no file holds a trace of it."""
        with self.writing() as connection:
            yield connection
            mark_for_scrubbing(connection)
        self._erased = True
        self.scrub(thorough=False)

    def scrub(self, *, thorough: bool = True) -> bool:
        """Overwrite the traces of what was removed, where something was.

        The rows themselves are overwritten as they are deleted (``secure_delete``), and the write-ahead log, which
        holds earlier states of pages, is emptied here. That alone leaves some traces: when SQLite moves rows between
        pages, copies of them may stay in the gaps of the old page, and outlive the row. So the file is written anew,
        at once where it is small; a large one only when asked.

        A server's traces are its own affair.

        Args:
            thorough: Whether a file of any size is written anew, which takes about 10 s for each GB.

        Returns:
            Whether nothing is left to do. False for a large file, and where another program was reading: the next
            removal, closing or opening tries again.
        """
        if not self.location.is_sqlite:
            return True
        with self.reading() as connection:
            if not is_marked(connection):
                return True
        try:
            with translated(str(self)), closing(self.engine.raw_connection()) as pooled:
                done = overwrite(pooled.driver_connection, thorough=thorough)
            if done:
                with self.writing() as connection:
                    connection.execute(delete(meta).where(meta.c.key == META_SCRUB))
        except KnownFaceError as error:
            _log.warning("What was removed from %s is not yet overwritten; the next start tries again: %s", self, error)
            return False
        return done

    def close(self) -> None:
        """Close the database; anything but closing again is an error afterwards."""
        if self._closed:
            return
        try:
            # Whoever removed somebody stays for the time that it takes; others are not kept waiting.
            self.scrub(thorough=self._erased)
        finally:
            self._closed = True
            self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _unlock(engine: Engine, place: Location, key: str | None, *, seal_names: bool) -> None:
    """Have an encrypted gallery opened; encrypt one that holds nobody yet, where a key is named."""
    with engine.connect() as connection:
        seal = stored_seal(connection)
        apart = connection.scalar(select(meta.c.value).where(meta.c.key == META_PERSON_SEAL))
    if apart is not None:
        raise UnplacedError(
            GalleryKeyError,
            "{place} is a backup whose people are sealed by keys of their own.",
            "Use it with `knownface gallery restore FILE --keys KEYS`.",
        )
    if seal is not None:
        if key is None:
            raise UnplacedError(GalleryKeyError, "The gallery {place} is encrypted, and no key is named.")
        use_sealer(engine.dialect, unlocked(seal, read_secret(key)))
    elif key is not None and not place.is_memory:
        _seal_if_new(engine, place, key, names=seal_names)


def check_names_can_be_sealed(place: Location, *, names: bool) -> None:
    """Raise if names are to be sealed where they cannot be.

    Raises:
        GalleryError: A server keeps the gallery.
    """
    if names and not place.is_sqlite:
        raise GalleryError(
            "Names can be sealed in a gallery that is a file only: a server could not order or search by them.",
            "Leave the setting `seal_names` and the option `--names` out; everything else is sealed.",
        )


def _seal_if_new(engine: Engine, place: Location, key: str, *, names: bool) -> None:
    with engine.connect().execution_options(knownface_write=True) as connection, connection.begin():
        if not place.is_sqlite:
            take_write_lock(connection, engines.BUSY_SECONDS)
        seal = stored_seal(connection)
        if seal is not None:
            use_sealer(engine.dialect, unlocked(seal, read_secret(key)))
        elif holds_nobody(connection):
            check_names_can_be_sealed(place, names=names)
            sealer, secret = new_sealer(names=names), read_secret(key, new=True)
            store_seal(connection, sealer, secret)
            use_sealer(engine.dialect, sealer)
        else:
            _log.warning(
                "A key is set, but the gallery %s is not encrypted; `knownface gallery encrypt` does it.", place
            )
