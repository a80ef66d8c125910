"""Encrypting a gallery, another key, decrypting: one transaction each, so never half done; backups with keys apart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from knownface.errors import GalleryError, GalleryKeyError, OutputError, SettingsError, UnreadableError
from knownface.files import replacing
from knownface.gallery.gallery import Gallery
from knownface.gallery.index.choice import chosen_index
from knownface.gallery.index.local import LocalIndex
from knownface.settings import Settings
from knownface.storage import Database, backup, parse_location
from knownface.storage.checks import check_file
from knownface.storage.database import check_names_can_be_sealed
from knownface.storage.failures import translated
from knownface.storage.gallery_seal import Resealed, reseal, store_seal
from knownface.storage.person_seal import is_sealed_by_person, make_keys, whole_keys
from knownface.storage.schema import meta, metadata
from knownface.storage.scrub import mark_for_scrubbing
from knownface.storage.sealing.columns import Sealed, SealedText
from knownface.storage.sealing.keys import read_secret
from knownface.storage.sealing.person_keys import key_file, read_key_file
from knownface.storage.sealing.sealer import Sealer, another, new_sealer


@dataclass(frozen=True, slots=True)
class SealChange:
    """What encrypting, another key or decrypting did.

    Attributes:
        records: Records that were sealed anew or opened; 0 where only the key was replaced.
        damaged: What could not be opened, by table, number and column.
        scrubbed: Whether no file holds the former records any more; else another program was using the gallery, and
            they are overwritten when it is opened or scrubbed the next time.
    """

    records: int
    damaged: tuple[str, ...]
    scrubbed: bool


def encrypt_gallery(settings: Settings, key: str, *, names: bool = False) -> SealChange:
    """Seal everything in a gallery that shows or describes somebody; see docs/encryption.md.

    Args:
        settings: Name the gallery and what searches it.
        key: Where its key comes from; see :func:`knownface.storage.sealing.keys.read_secret`.
        names: Whether names are sealed too, and paths and texts that may hold one.

    Raises:
        GalleryKeyError: The key cannot be had.
        GalleryError: The gallery is encrypted already.
        SettingsError: It is searched by pgvector or Milvus, which cannot search what they cannot read.
    """
    _check_index(settings)
    secret = read_secret(key, new=True)
    with _plain(settings.gallery) as gallery:
        check_names_can_be_sealed(gallery.database.location, names=names)
        sealer = new_sealer(names=names)
        with _using(gallery.database), gallery.index.replacing() as connection:
            done = reseal(connection, None, sealer)
            store_seal(connection, sealer, secret)
            mark_for_scrubbing(connection)
            gallery.database.use_sealer(sealer)
        return SealChange(done.records, done.damaged, _scrubbed(gallery.database))


def rekey_gallery(settings: Settings, key: str, *, records: bool = False, names: bool | None = None) -> SealChange:
    """Give an encrypted gallery another key or passphrase.

    Args:
        settings: Name the gallery and its present key.
        key: Where the new one comes from.
        records: Whether every record is sealed anew under a new data key too, so that somebody who had the old key and
            a copy of the gallery cannot read what is enrolled from now on.
        names: Whether names are sealed from now on, for which every record is sealed anew; None is as before.

    Raises:
        GalleryKeyError: A key cannot be had, or the present one is another.
        GalleryError: The gallery is not encrypted.
    """
    secret = read_secret(key, new=True)
    with Gallery.open(settings.gallery, create=False, key=settings.gallery_key) as gallery:
        sealer = _sealer_of(gallery)
        check_names_can_be_sealed(gallery.database.location, names=bool(names))
        anew = records or names not in (None, sealer.names)
        new = another(sealer, names=names) if anew else sealer
        with gallery.database.writing() as connection:
            done = reseal(connection, sealer, new) if anew else Resealed(0, ())
            store_seal(connection, new, secret)
            # The former seal, which the former key opens, must not stay in a gap of the file.
            mark_for_scrubbing(connection)
        gallery.database.use_sealer(new)
        return SealChange(done.records, done.damaged, _scrubbed(gallery.database))


def decrypt_gallery(settings: Settings) -> SealChange:
    """Open every record of an encrypted gallery again; what is damaged cannot be opened, and goes.

    Raises:
        GalleryKeyError: The key cannot be had, or is another one.
        GalleryError: The gallery is not encrypted.
    """
    with Gallery.open(settings.gallery, create=False, key=settings.gallery_key) as gallery:
        sealer = _sealer_of(gallery)
        with _using(gallery.database), gallery.index.replacing() as connection:
            done = reseal(connection, sealer, None)
            store_seal(connection, None, None)
            gallery.database.use_sealer(None)
        return SealChange(done.records, done.damaged, scrubbed=True)


def backup_with_keys_apart(gallery: Gallery, key: str, file: Path, store: Path, *, overwrite: bool = False) -> None:
    """Back an encrypted gallery up so that nobody who is removed from it later can be brought back from that file.

    Each person's records are sealed by a key of their own. The gallery keeps these keys, and destroys a person's with
    the person; the key store holds a copy of all, for when the gallery is lost.

    Args:
        gallery: Open.
        key: Where its key comes from, which opens the key store too.
        file: The backup to make.
        store: The key store, replaced where it is there: an older one still holds the keys of who was removed since.
            It stays as it was where there is no backup.
        overwrite: Whether an existing backup may be replaced.

    Raises:
        GalleryError: The gallery is not encrypted, or a server keeps it.
        GalleryKeyError: The key cannot be had.
        OutputError: A file cannot be written, or the backup exists.
    """
    sealer = _sealer_of(gallery)
    if not gallery.database.location.is_sqlite:
        raise GalleryError("A gallery on a server has no backups with keys apart.", "Back it up with `pg_dump`.")
    secret = read_secret(key)
    with gallery.database.writing() as connection:
        keys, secrets = make_keys(connection), whole_keys(connection)
    file, store = file.expanduser().absolute(), store.expanduser().absolute()
    if store in (file, gallery.database.location.file):
        raise OutputError(f"{store} cannot hold the keys too.", "Choose another file for the keys, and keep it apart.")
    with replacing(store, private=True) as temporary:
        temporary.write_text(key_file(secrets, sealer, secret), encoding="ascii")
        backup(gallery.database, file, overwrite=overwrite, keys=keys)


def people_keys(settings: Settings, file: Path, store: Path | None) -> dict[str, bytes] | None:
    """The people's keys for restoring a backup; None where it needs none.

    Args:
        settings: Name the gallery and its key.
        file: The backup.
        store: The key store; None takes the keys of the gallery that is there.

    Raises:
        GalleryKeyError: They cannot be had.
        UnreadableError: There is no such store.
    """
    if not file.is_file() or not check_file(file) or not is_sealed_by_person(file):
        return None
    if settings.gallery_key is None:
        raise GalleryKeyError(f"{file} is encrypted, and no key is named.")
    if store is not None:
        try:
            text = store.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise UnreadableError(f"The keys of people cannot be read from {store}.") from error
        with translated(str(store)):
            return read_key_file(text, read_secret(settings.gallery_key))
    target = parse_location(settings.gallery).file
    if target is None or not target.exists():
        return None
    with Database.open(target, create=False, key=settings.gallery_key) as database, database.reading() as connection:
        return whole_keys(connection)


@contextmanager
def _using(database: Database) -> Iterator[None]:
    """Go on with the sealer that was in use, if a transaction fails in which another one took its place."""
    before = database.sealer
    try:
        yield
    except BaseException:
        database.use_sealer(before)
        raise


def _plain(location: str) -> Gallery:
    try:
        return Gallery.open(location, create=False)
    except GalleryKeyError as error:
        place = parse_location(location)
        hint = "`knownface gallery rekey` gives it another key."
        raise GalleryError(f"The gallery {place} is encrypted already.", hint) from error


def _check_index(settings: Settings) -> None:
    if not isinstance(chosen_index(settings), LocalIndex):
        raise SettingsError(
            f"{settings.index} cannot search an encrypted gallery: it would have to read the vectors, which only this "
            "program can open.",
            "Set index to auto; Milvus keeps a copy of its own, which you have to drop there.",
        )


def _sealer_of(gallery: Gallery) -> Sealer:
    if gallery.database.sealer is None:
        raise GalleryError(f"The gallery {gallery.location} is not encrypted.", "`knownface gallery encrypt` does it.")
    return gallery.database.sealer


def _scrubbed(database: Database) -> bool:
    """Overwrite the former records, on a server by writing its tables anew."""
    if database.location.is_sqlite:
        return database.scrub()
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in metadata.sorted_tables:
            if table is meta or any(isinstance(column.type, Sealed | SealedText) for column in table.c):
                connection.execute(text(f"VACUUM FULL {table.name}"))
    return True
