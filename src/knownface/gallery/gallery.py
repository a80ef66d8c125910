"""``Gallery``: the people known, their templates, and the index that searches them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Self

from knownface.gallery.calibration import GalleryCalibration, load_calibration, store_calibration
from knownface.gallery.consent_store import ConsentStore
from knownface.gallery.held import HeldStore
from knownface.gallery.history import History
from knownface.gallery.index.choice import chosen_index
from knownface.gallery.index.copy import IndexChoice
from knownface.gallery.index.gallery_index import GalleryIndex
from knownface.gallery.index.local import LocalIndex
from knownface.gallery.index.saved import delete_index
from knownface.gallery.info import read_info
from knownface.gallery.migration import MigrationStore
from knownface.gallery.people_store import PeopleStore
from knownface.gallery.template_store import TemplateStore
from knownface.gallery.values import (
    UNSET,
    Enrolled,
    GalleryInfo,
    GalleryVectors,
    NewHeld,
    NewTemplate,
    PeopleImport,
    Person,
    PersonKey,
    Refusal,
    RemovedPerson,
    Template,
    Unset,
)
from knownface.settings import Settings
from knownface.storage import Database, Restored, backup, parse_location, restore
from knownface.storage.person_seal import put_keys
from knownface.types import EmbedderContract, Embeddings, Neighbours


class Gallery:
    """People and their templates. The database is the truth; the index follows it, also when others write to it.

    It may be used from several threads, and several programs may have the same gallery open. Every change is one
    transaction: when a method returns, it is on the disk.

    Attributes:
        database: The open database, for rooms that keep tables of their own in it (see :mod:`knownface.events`).
        index: What searches the gallery.
        people_store: Listing and editing people; what is done most often has a method here too.
        template_store: The same of templates.
        held_store: What is held back from enrolment until somebody decides.
        consents: Who may be enrolled, named and recorded, and what for.
        history: What was edited, and undoing it.
        migration: Another network for the templates that are there; see :class:`knownface.enrolment.Migration`.

    Example:
        >>> with Gallery.open(":memory:") as gallery:
        ...     _ = gallery.add_person("Ann Lee", external_id="4711", groups=["staff"])
        ...     gallery.person("ann lee").name
        'Ann Lee'
    """

    def __init__(self, database: Database, index: IndexChoice | None = None) -> None:
        self.database = database
        self.index = GalleryIndex(database, index or LocalIndex())
        self.people_store = PeopleStore(database, self.index)
        self.template_store = TemplateStore(database, self.index)
        self.held_store = HeldStore(database, self.template_store)
        self.consents = ConsentStore(database)
        self.history = History(database, self.index)
        self.migration = MigrationStore(database, self.index)

    @classmethod
    def open(
        cls,
        location: str | Path,
        *,
        create: bool = True,
        index: IndexChoice | None = None,
        key: str | None = None,
        seal_names: bool = False,
    ) -> Self:
        """Open a gallery.

        Args:
            location: A file, a database URL, or ``":memory:"`` for one that is gone when it is closed.
            create: Whether a gallery that does not exist is made, with the folders above it.
            index: What searches it; None is an index in this process, chosen by size.
            key: Where the key of an encrypted gallery comes from: ``file:PATH``, ``env:VARIABLE``, ``command:COMMAND``
                or ``prompt``. A new gallery is encrypted if one is named.
            seal_names: Whether a new encrypted gallery seals names too.

        Raises:
            GalleryKeyError: It is encrypted, and the key is not named, cannot be had, or is another one.
            GalleryEmptyError: There is none, and ``create`` is False.
            GalleryDamagedError, GalleryVersionError: It cannot be used; it is left untouched.
            GalleryLockedError: Another program kept it locked for half a minute.
            OutputError: The disk is full.
            SettingsError: The index cannot search such a gallery.
            GalleryError: It may not be read or written, is another program's file, or its server does not answer.
        """
        database = Database.open(location, create=create, key=key, seal_names=seal_names)
        try:
            return cls(database, index)
        except BaseException:
            database.close()
            raise

    @classmethod
    def open_by(cls, settings: Settings, *, create: bool = True) -> Self:
        """Open the gallery that the settings name, with the index that they name.

        Raises:
            KnownFaceError: As :meth:`open`.
        """
        opened = cls.open(
            settings.gallery,
            create=create,
            index=chosen_index(settings),
            key=settings.gallery_key,
            seal_names=settings.seal_names,
        )
        if settings.consent is not None:
            opened.consents.require(settings.consent == "required")
        return opened

    def close(self) -> None:
        """Close the gallery, saving its index where that is worth it; anything else is an error afterwards."""
        if not self.database.closed:
            # Before the database, so that its last connection may write: it then puts the side files away.
            self.index.close()
        self.database.close()

    def __repr__(self) -> str:
        return f"<Gallery {self.location}: {len(self.names)} people, {len(self)} templates>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def location(self) -> str:
        """The file, or the URL without the password."""
        return str(self.database)

    # People

    def people(self, group: str | None = None) -> list[Person]:
        """Everybody, or the members of a group, in the order of their names."""
        return self.people_store.everybody(group)

    def groups(self) -> list[tuple[str, int]]:
        """The groups in the order of their names, and how many belong to each."""
        return self.people_store.groups()

    def person(self, person: PersonKey) -> Person:
        """The person meant."""
        return self.people_store.get(person)

    def add_person(
        self, name: str, external_id: str | None = None, groups: Iterable[str] = (), *, new: bool = False
    ) -> Person:
        """Add a person without templates; see :meth:`PeopleStore.add`."""
        return self.people_store.add(name, external_id, groups, new=new)

    def edit(
        self,
        person: PersonKey,
        *,
        name: str | Unset = UNSET,
        external_id: str | Unset | None = UNSET,
        groups: Iterable[str] | Unset = UNSET,
        threshold: float | Unset | None = UNSET,
        until: date | Unset | None = UNSET,
    ) -> Person:
        """Change what is said of a person; see :meth:`PeopleStore.edit`."""
        return self.people_store.edit(
            person, name=name, external_id=external_id, groups=groups, threshold=threshold, until=until
        )

    def rename(self, person: PersonKey, new_name: str) -> Person:
        """Give a person another name, or another letter case."""
        return self.people_store.edit(person, name=new_name)

    def set_threshold(self, person: PersonKey, threshold: float | None) -> Person:
        """Set a person's own threshold, 0 to 2, or clear it."""
        return self.people_store.edit(person, threshold=threshold)

    def set_external_id(self, person: PersonKey, external_id: str | None) -> Person:
        """Set or clear a person's external id."""
        return self.people_store.edit(person, external_id=external_id)

    def set_groups(self, person: PersonKey, groups: Iterable[str]) -> Person:
        """Make a person a member of these groups and no others; groups are made as needed."""
        return self.people_store.edit(person, groups=groups)

    def merge(self, sources: Sequence[PersonKey], into: PersonKey) -> Person:
        """Join people who are one; see :meth:`PeopleStore.merge`."""
        return self.people_store.merge(sources, into)

    def split(self, person: PersonKey, template_ids: Iterable[int], new_name: str) -> Person:
        """Give some of a person's templates to somebody new; see :meth:`PeopleStore.split`."""
        return self.people_store.split(person, template_ids, new_name)

    def remove(self, *who: PersonKey) -> tuple[RemovedPerson, ...]:
        """Remove people with everything of theirs; see :meth:`PeopleStore.remove`."""
        return self.people_store.remove(*who)

    def export_people(self, path: str | Path, *, bom: bool = False) -> int:
        """Write everybody to a CSV file; see :meth:`PeopleStore.export_csv`."""
        return self.people_store.export_csv(path, bom=bom)

    def import_people(self, path: str | Path) -> PeopleImport:
        """Read people from a CSV file; see :meth:`PeopleStore.import_csv`."""
        return self.people_store.import_csv(path)

    # Templates

    @property
    def contract(self) -> EmbedderContract | None:
        """The contract of the embedder that filled the gallery; before the first template, the one bound, if any."""
        return self.template_store.contract

    def bind(self, contract: EmbedderContract) -> None:
        """Say which embedder the templates to be added come from; see :meth:`TemplateStore.bind`."""
        self.template_store.bind(contract)

    def __len__(self) -> int:
        """Templates, counter-examples aside."""
        return self.index.snapshot().templates

    def __bool__(self) -> bool:
        """True, also of an empty gallery."""
        return True

    def templates(self, person: PersonKey) -> list[Template]:
        """A person's templates and counter-examples, oldest first."""
        return self.template_store.of_person(person)

    def add_templates(self, person: PersonKey, new: Sequence[NewTemplate]) -> int:
        """Add templates to a person, who is made if there is nobody of this name, all in one transaction.

        Returns:
            How many were added; those that the person has already are passed over.

        Raises:
            KnownFaceError, ValueError: As :meth:`TemplateStore.enrol`.
        """
        return sum(self.template_store.enrol([(person, template) for template in new]).added.values())

    def enrol(
        self,
        new: Sequence[tuple[PersonKey, NewTemplate]],
        refusals: Iterable[tuple[str, Refusal]] = (),
        held: Sequence[tuple[PersonKey, NewHeld]] = (),
    ) -> Enrolled:
        """Add templates of many people in one transaction; see :meth:`TemplateStore.enrol`."""
        return self.template_store.enrol(new, refusals, held)

    def remove_templates(self, ids: Iterable[int]) -> int:
        """Remove templates, leaving no trace of them; returns how many there were."""
        return self.template_store.remove(ids)

    def vectors(self, person: PersonKey | None = None, *, negative: bool = False) -> GalleryVectors:
        """Every template's embedding, or those of one person; with ``negative`` the counter-examples' instead."""
        return self.template_store.vectors(person, negative=negative)

    # Searching

    @property
    def names(self) -> Mapping[int, str]:
        """Name of each person id; read-only."""
        return self.index.snapshot().names

    def search(self, embeddings: Embeddings, k: int) -> Neighbours:
        """Find the k nearest templates of each probe; see :meth:`GalleryIndex.search`."""
        return self.index.search(embeddings, k)

    def build_index(self) -> int:
        """Bring the index up to date and save it; returns the number of templates in it. Never needed."""
        return self.index.build()

    # Calibration

    @property
    def calibration(self) -> GalleryCalibration | None:
        """The calibration that is in force, with what was enrolled since; None where there is none."""
        return load_calibration(self.database)

    def set_calibration(self, calibration: GalleryCalibration | None) -> None:
        """Store a calibration in the place of the one before, or, with None, take that away.

        Raises:
            ContractMismatchError: Another embedder has filled the gallery meanwhile.
        """
        store_calibration(self.database, calibration)

    # The gallery as a whole

    def info(self) -> GalleryInfo:
        """The gallery in figures."""
        return read_info(self.database, self.index, self.contract)

    def scrub(self) -> bool:
        """Overwrite the last traces of what was removed now, and not only when the gallery is closed.

        Only a gallery of more than 64 MB has any; see :meth:`knownface.storage.Database.scrub`.
        """
        return self.database.scrub()

    def backup(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the gallery's present state to one file, while others may go on using the gallery.

        :func:`knownface.gallery.sealing.backup_with_keys_apart` writes one that brings nobody back who was removed.

        Raises:
            OutputError: The file exists and ``overwrite`` is False, or it cannot be written.
        """
        backup(self.database, Path(path), overwrite=overwrite)

    @staticmethod
    def restore(
        path: str | Path, location: str | Path, *, key: str | None = None, secrets: Mapping[str, bytes] | None = None
    ) -> Restored:
        """Put a backup in the place of a gallery that nobody has open.

        The backup is checked wholly first. The gallery that was there is kept as ``….before-restore``. What was
        withdrawn, or demanded, in it counts in the restored one too: see :meth:`ConsentStore.follow`.

        Args:
            path: The backup.
            location: The gallery's file.
            key: Where the key comes from that opens both, where they are encrypted.
            secrets: The people's keys, of a backup with keys apart; see :func:`knownface.gallery.sealing.people_keys`.

        Raises:
            GalleryKeyError: It is restored, but the key does not open it, or the one before.
            UnreadableError, GalleryDamagedError, GalleryVersionError: The backup cannot be used.
            GalleryLockedError: A program has the gallery open.
            OutputError: The disk is full.
        """
        done = restore(Path(path), location, secrets)
        file = parse_location(location).file
        if file is not None:
            delete_index(file)
        if secrets:
            with Database.open(location, create=False, key=key) as database, database.writing() as connection:
                put_keys(connection, secrets)
        if done.kept is not None:
            with (
                Database.open(done.kept, create=False, key=key) as earlier,
                Gallery.open(location, create=False, key=key) as restored,
            ):
                restored.consents.follow(earlier)
        return done
