"""``Gallery``: the people known and their templates, with the search index kept in step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from sqlalchemy import func, select

from knownface.errors import NoFaceError
from knownface.gallery import people as people_sql
from knownface.gallery import sources
from knownface.gallery import templates as template_sql
from knownface.gallery.calibration import GalleryCalibration, read_calibration, write_calibration
from knownface.gallery.changes import note_templates_added
from knownface.gallery.contracts import check_fingerprint, read_contract, store_contract
from knownface.gallery.enrolled import EnrolledFaces, read_enrolled
from knownface.gallery.index.saved import delete_index
from knownface.gallery.names import name_key
from knownface.gallery.people_store import PeopleStore
from knownface.gallery.searching import Searchable
from knownface.gallery.values import (
    Enrolled,
    GalleryInfo,
    GalleryVectors,
    NewTemplate,
    PersonKey,
    Refusal,
    Template,
)
from knownface.storage import backup, parse_location, restore
from knownface.storage.migrate import HEAD
from knownface.storage.schema import groups, people


class Gallery(PeopleStore, Searchable):
    """People and their templates. The database is the truth; the index follows it, also when others write to it.

    It may be used from several threads, and several programs may have the same gallery open. Every change is one
    transaction: when a method returns, it is on the disk.

    Example:
        >>> with Gallery.open(":memory:") as gallery:
        ...     _ = gallery.add_person("Ann Lee", external_id="4711", groups=["staff"])
        ...     gallery.person("ann lee").name
        'Ann Lee'
    """

    # Templates

    def templates(self, person: PersonKey) -> list[Template]:
        """A person's templates and counter-examples, oldest first."""
        with self._reading() as connection:
            return template_sql.list_templates(connection, people_sql.find_id(connection, person))

    def template(self, template_id: int) -> Template:
        """One template or counter-example.

        Raises:
            UnknownTemplateError: There is none of this id.
        """
        with self._reading() as connection:
            return template_sql.get_template(connection, template_id)

    def add_templates(self, person: PersonKey, new: Sequence[NewTemplate]) -> int:
        """Add templates to a person, who is made if there is nobody of this name, all in one transaction.

        Returns:
            How many were added; those that the person has already are passed over.

        Raises:
            BadNameError, NameTakenError: The name cannot be this person's.
            UnknownPersonError: There is nobody of this id.
            ContractMismatchError: Another embedder filled the gallery meanwhile.
            ValueError: :meth:`bind` was not called, or an embedding has the wrong length or is no unit vector.
        """
        return sum(self.enrol([(person, template) for template in new]).added.values())

    def enrol(
        self, new: Sequence[tuple[PersonKey, NewTemplate]], refusals: Iterable[tuple[str, Refusal]] = ()
    ) -> Enrolled:
        """Add templates of many people, and what was refused, in one transaction.

        All templates of one file belong into one call: afterwards the file counts as known.

        Args:
            new: People and templates. Who is meant by a name is made as needed.
            refusals: Names of the people meant, and what was refused.

        Raises:
            BadNameError, NameTakenError, UnknownPersonError, ContractMismatchError, ValueError: As
                :meth:`add_templates`.
        """
        contract = self._bound or self.contract
        if new and contract is None:
            raise ValueError("bind() must be called before the first template is added")
        vectors = None if contract is None else template_sql.checked_vectors([t for _, t in new], contract.dim)
        with self._writing() as connection:
            added: dict[tuple[str, str], int] = {}
            if contract is not None and vectors is not None and new:
                contract_id = store_contract(connection, contract, self._place)
                ids = people_sql.find_or_create(connection, {person for person, _ in new if isinstance(person, str)})
                keys = {person_id: name_key(name) for name, person_id in ids.items()}
                for person in {person for person, _ in new if isinstance(person, int)}:
                    keys[person] = name_key(people_sql.get_person(connection, person).name)
                owned = [(ids[p] if isinstance(p, str) else p, template) for p, template in new]
                counts = template_sql.add_templates(connection, owned, vectors, contract_id)
                added = {(keys[person_id], sha256): count for (person_id, sha256), count in counts.items()}
            sources.add_refusals(connection, refusals)
            if added:
                note_templates_added(connection)
            owners = sources.read_owners_of_files(connection, {t.source_sha256 for _, t in new})
        return Enrolled(added, owners)

    def remove_templates(self, ids: Iterable[int]) -> int:
        """Remove templates, leaving no trace of them; returns how many there were."""
        wanted = set(ids)
        if not wanted:
            return 0
        with self._removing() as connection:
            return template_sql.delete_templates(connection, wanted)

    def vectors(self, person: PersonKey | None = None, *, negative: bool = False) -> GalleryVectors:
        """Every template's embedding, or those of one person; with ``negative`` the counter-examples' instead.

        Raises:
            UnknownPersonError: There is no such person.
        """
        contract = self.contract
        dim = contract.dim if contract is not None else 0
        with self._reading() as connection:
            person_id = None if person is None else people_sql.find_id(connection, person)
            embeddings, ids, owners = template_sql.read_vectors(
                connection, dim, self._place, person_id=person_id, negative=negative
            )
        return GalleryVectors(embeddings, ids, owners)

    def enrolled_faces(self) -> EnrolledFaces:
        """Every template with its embedding, person and source; counter-examples aside."""
        with self._reading() as connection:
            return read_enrolled(connection, read_contract(connection), self._place)

    # Calibration

    @property
    def calibration(self) -> GalleryCalibration | None:
        """The calibration that is in force, with what was enrolled since; None where there is none."""
        with self._reading() as connection:
            return read_calibration(connection)

    def set_calibration(self, calibration: GalleryCalibration | None) -> None:
        """Store a calibration in the place of the one before, or, with None, take that away.

        Raises:
            ContractMismatchError: Another embedder has filled the gallery meanwhile.
        """
        with self._writing() as connection:
            if calibration is not None:
                check_fingerprint(read_contract(connection), calibration.fingerprint, self._place)
            write_calibration(connection, calibration)

    # What enrolment asks

    def known_sources(self) -> set[tuple[str, str]]:
        """Name key and SHA-256 of every file that a person was learnt from."""
        with self._reading() as connection:
            return sources.read_known(connection)

    def refusals(self, review_key: str) -> dict[tuple[str, str], Refusal]:
        """The files refused under these rules, by name key and SHA-256."""
        with self._reading() as connection:
            return sources.read_refusals(connection, review_key)

    def pictures_without_face(self) -> int:
        """Files given for enrolment in which no face was found, as far as remembered."""
        with self._reading() as connection:
            return sources.count_refused(connection, NoFaceError.code)

    # The gallery as a whole

    def info(self) -> GalleryInfo:
        """The gallery in figures."""
        view, contract, file = self._view(), self.contract, self._location.file
        told, saved = self.index_told()
        with self._reading() as connection:
            people_count = connection.scalar(select(func.count()).select_from(people)) or 0
            group_count = connection.scalar(select(func.count()).select_from(groups)) or 0
        return GalleryInfo(
            location=self._place,
            people=people_count,
            templates=view.templates,
            negatives=len(view.negative_owners),
            groups=group_count,
            contract=contract,
            generation=view.state.generation,
            schema=HEAD,
            size=None if file is None else _size(file),
            index=told,
            index_saved=saved,
        )

    def backup(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the gallery's present state to one file, while others may go on using the gallery.

        Raises:
            OutputError: The file exists and ``overwrite`` is False, or it cannot be written.
        """
        backup(self.database, Path(path), overwrite=overwrite)

    @staticmethod
    def restore(path: str | Path, location: str | Path) -> Path | None:
        """Put a backup in the place of a gallery that nobody has open.

        The backup is checked wholly first. The gallery that was there is kept as ``….before-restore``.

        Returns:
            Where it is kept, or None if there was none.

        Raises:
            UnreadableError, GalleryDamagedError, GalleryVersionError: The backup cannot be used.
            GalleryLockedError: A program has the gallery open.
            OutputError: The disk is full.
        """
        kept = restore(Path(path), location)
        file = parse_location(location).file
        if file is not None:
            delete_index(file)
        return kept


def _size(file: Path) -> int:
    files = (file, file.with_name(file.name + "-wal"))
    return sum(f.stat().st_size for f in files if f.exists())
