"""The templates of a gallery, and which files they came from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from knownface.errors import NoFaceError
from knownface.gallery import people as people_sql
from knownface.gallery import sources
from knownface.gallery import templates as sql
from knownface.gallery.adding import add_to_people, hold_for_people
from knownface.gallery.changes import note_templates_added
from knownface.gallery.contracts import check_same, read_contract
from knownface.gallery.enrolled import EnrolledFaces, read_enrolled
from knownface.gallery.exclusions import Exclusion, exclude_files_of, lift, list_exclusions
from knownface.gallery.index.gallery_index import GalleryIndex
from knownface.gallery.names import name_key
from knownface.gallery.spread import follow_templates
from knownface.gallery.values import (
    Enrolled,
    GalleryVectors,
    NewHeld,
    NewTemplate,
    PersonKey,
    Refusal,
    SetAsideTemplate,
    Template,
)
from knownface.storage import Database
from knownface.storage.failures import translated
from knownface.types import EmbedderContract


class TemplateStore:
    """Listing, adding and removing templates.

    Args:
        database: The gallery's.
        index: What searches it.
    """

    def __init__(self, database: Database, index: GalleryIndex) -> None:
        self._database, self._index = database, index
        self._bound: EmbedderContract | None = None

    # The embedder

    @property
    def contract(self) -> EmbedderContract | None:
        """The contract of the embedder that filled the gallery; before the first template, the one bound, if any."""
        snapshot = self._index.snapshot()
        return snapshot.contract if snapshot.holds_vectors else self._bound or snapshot.contract

    def check_contract(self, contract: EmbedderContract) -> None:
        """Raise if this embedder's vectors cannot be compared with those in the gallery.

        Raises:
            ContractMismatchError: Another embedder filled the gallery.
        """
        snapshot = self._index.snapshot()
        if snapshot.holds_vectors:
            with translated(str(self._database)):
                check_same(snapshot.contract, contract)

    def bind(self, contract: EmbedderContract) -> None:
        """Say which embedder the templates to be added come from; it is stored with the first of them.

        Raises:
            ContractMismatchError: Another embedder filled the gallery.
        """
        self.check_contract(contract)
        self._bound = contract

    # Reading

    def of_person(self, person: PersonKey) -> list[Template]:
        """A person's templates and counter-examples, oldest first.

        Raises:
            UnknownPersonError: There is no such person.
        """
        with self._database.reading() as connection:
            return sql.list_templates(connection, people_sql.find_id(connection, person))

    def set_aside(self, person: PersonKey | None = None) -> list[SetAsideTemplate]:
        """Templates that the network in use could not be given, oldest first: a person's, or everybody's.

        Raises:
            UnknownPersonError: There is no such person.
        """
        with self._database.reading() as connection:
            return sql.list_set_aside(connection, None if person is None else people_sql.find_id(connection, person))

    def get(self, template_id: int) -> Template:
        """One template or counter-example.

        Raises:
            UnknownTemplateError: There is none of this id.
        """
        with self._database.reading() as connection:
            return sql.get_template(connection, template_id)

    def vectors(self, person: PersonKey | None = None, *, negative: bool = False) -> GalleryVectors:
        """Every template's embedding, or those of one person; with ``negative`` the counter-examples' instead.

        Raises:
            UnknownPersonError: There is no such person.
        """
        contract = self.contract
        dim = contract.dim if contract is not None else 0

        def read() -> GalleryVectors:
            with self._database.reading() as connection:
                person_id = None if person is None else people_sql.find_id(connection, person)
                return GalleryVectors(*sql.read_vectors(connection, dim, person_id=person_id, negative=negative))

        return self._index.whole(read)

    def enrolled_faces(self) -> EnrolledFaces:
        """Every template with its embedding, person and source; counter-examples aside."""

        def read() -> EnrolledFaces:
            with self._database.reading() as connection:
                return read_enrolled(connection, read_contract(connection))

        return self._index.whole(read)

    # Changing

    def enrol(
        self,
        new: Sequence[tuple[PersonKey, NewTemplate]],
        refusals: Iterable[tuple[str, Refusal]] = (),
        held: Sequence[tuple[PersonKey, NewHeld]] = (),
    ) -> Enrolled:
        """Add templates of many people, what was refused and what is held back, in one transaction.

        All templates of one file belong into one call: afterwards the file counts as known.

        Args:
            new: People and templates. Who is meant by a name is made as needed.
            refusals: Names of the people meant, and what was refused.
            held: People and faces held back. Who is meant by a name is made as needed, without a template.

        Raises:
            BadNameError, NameTakenError: The name cannot be this person's.
            UnknownPersonError: There is nobody of this id.
            PersonError: A counter-example shows the face of one of the person's own templates.
            ContractMismatchError: Another embedder filled the gallery meanwhile.
            ValueError: :meth:`bind` was not called, or an embedding has the wrong length or is no unit vector.
        """
        contract = self._bound or self.contract
        if (new or held) and contract is None:
            raise ValueError("bind() must be called before the first template is added")
        with self._database.writing() as connection:
            added: dict[tuple[str, str], int] = {}
            if contract is not None:
                added = add_to_people(connection, new, contract)
                hold_for_people(connection, held, contract)
            sources.add_refusals(connection, refusals)
            if added:
                note_templates_added(connection)
                follow_templates(connection)
            people_of_files = sources.read_people_of_files(connection, {t.source_sha256 for _, t in new})
        return Enrolled(added, people_of_files)

    def remove(self, ids: Iterable[int], *, exclude: bool = False) -> int:
        """Remove templates, leaving no trace of them; returns how many there were.

        Args:
            ids: Of templates and counter-examples.
            exclude: Whether to remember the files, by their SHA-256, so that no enrolment of a folder brings them back.
        """
        wanted = set(ids)
        if not wanted:
            return 0
        with self._index.removing() as connection:
            if exclude:
                exclude_files_of(connection, wanted)
            return sql.delete_templates(connection, wanted)

    def exclusions(self, person: PersonKey | None = None) -> list[Exclusion]:
        """The files that were taken out of people's, so that no enrolment brings them back.

        Raises:
            UnknownPersonError: There is no such person.
        """
        with self._database.reading() as connection:
            return list_exclusions(connection, None if person is None else people_sql.find_id(connection, person))

    def excluded_files(self) -> set[tuple[str, str]]:
        """The same as name key and SHA-256."""
        return {(name_key(each.name), each.source_sha256) for each in self.exclusions()}

    def below(self, folder: Path) -> list[Template]:
        """The templates whose files lay in a folder, or below it, when they were enrolled; counter-examples aside."""
        with self._database.reading() as connection:
            return sql.list_below(connection, f"{folder}{os.sep}")

    def relocate(self, sources: Mapping[int, str]) -> None:
        """Let templates, by their ids, come from other places: their files were moved."""
        with self._database.writing() as connection:
            sql.set_sources(connection, sources)

    def allow(self, excluded: Iterable[Exclusion]) -> int:
        """Let files be enrolled again; returns how many were excluded."""
        with self._database.writing() as connection:
            return lift(connection, [(each.person_id, each.source_sha256) for each in excluded])

    # Files

    def known_sources(self) -> set[tuple[str, str]]:
        """Name key and SHA-256 of every file that a person was enrolled from."""
        with self._database.reading() as connection:
            return sources.read_known(connection)

    def refusals(self, review_key: str) -> dict[tuple[str, str], Refusal]:
        """The files refused under these rules, by name key and SHA-256."""
        with self._database.reading() as connection:
            return sources.read_refusals(connection, review_key)

    def pictures_without_face(self) -> int:
        """Files given for enrolment in which no face was found, as far as remembered."""
        with self._database.reading() as connection:
            return sources.count_refused(connection, NoFaceError.code)
