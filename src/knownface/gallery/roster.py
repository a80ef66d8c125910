"""The people of a gallery: listing and editing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from sqlalchemy import delete, update

from knownface.errors import NameTakenError, PersonError
from knownface.gallery import people as sql
from knownface.gallery.changes import note_people_change, note_templates_rearranged
from knownface.gallery.database import GalleryDatabase
from knownface.gallery.names import name_key
from knownface.gallery.people_csv import apply_rows, read_rows, write_people
from knownface.gallery.templates import move_all, move_some
from knownface.gallery.values import PeopleImport, Person
from knownface.storage.schema import people, refusals


class Roster(GalleryDatabase):
    """The part of :class:`knownface.gallery.Gallery` that deals with people.

    Names are found whatever their letter case. Every method that names a person raises
    :class:`knownface.errors.UnknownPersonError`, with names that come near, where there is nobody of that name.
    """

    def people(self, group: str | None = None) -> list[Person]:
        """Everybody, or the members of a group, in the order of their names."""
        with self._reading() as connection:
            return sql.list_people(connection, group)

    def person(self, name: str) -> Person:
        """The person of a name."""
        with self._reading() as connection:
            return sql.get_person(connection, name)

    def add_person(self, name: str, external_id: str | None = None, groups: Iterable[str] = ()) -> Person:
        """Add a person without templates; somebody of exactly this name is that person.

        External id and groups, where given, are set for a person who was there already too.

        Raises:
            BadNameError: The name cannot be anybody's, or a group's cannot be a group's.
            NameTakenError: A name differs from it only in letter case, or somebody has the external id.
        """
        groups = list(groups)
        with self._writing() as connection:
            person_id = sql.find_or_create(connection, [name])[name]
            if external_id is not None:
                sql.set_external_id(connection, person_id, external_id)
            if groups:
                sql.set_groups(connection, person_id, groups)
            note_people_change(connection)
            return sql.get_person(connection, name)

    def rename(self, name: str, new_name: str) -> Person:
        """Give a person another name, or another letter case.

        Raises:
            BadNameError: The new name cannot be anybody's.
            NameTakenError: Somebody else has it.
        """
        with self._writing() as connection:
            sql.rename(connection, name, new_name)
            note_people_change(connection)
            return sql.get_person(connection, new_name)

    def merge(self, sources: Sequence[str], into: str) -> Person:
        """Join people who are one: ``into`` gets everybody's templates and groups, the others go.

        Its own external id and threshold win; where it has none, the first of the others that has one gives it.

        Raises:
            PersonError: One of the sources is ``into`` itself.
        """
        with self._removing() as connection:
            target = sql.get_person(connection, into)
            others = list({p.id: p for p in (sql.get_person(connection, name) for name in sources)}.values())
            if target.id in {other.id for other in others}:
                raise PersonError(f"{target.name!r} cannot be merged into itself.", "Name another person.")
            for other in others:
                move_all(connection, other.id, target.id)
                sql.move_refusals(connection, name_key(other.name), name_key(target.name))
            sql.remove_people(connection, [other.id for other in others])
            everybody = [target, *others]
            external_id = next((p.external_id for p in everybody if p.external_id is not None), None)
            threshold = next((p.threshold for p in everybody if p.threshold is not None), None)
            sql.set_external_id(connection, target.id, external_id)
            sql.set_groups(connection, target.id, [group for p in everybody for group in p.groups])
            connection.execute(update(people).where(people.c.id == target.id).values(threshold=threshold))
            return sql.get_person(connection, into)

    def split(self, name: str, template_ids: Iterable[int], new_name: str) -> Person:
        """Give some of a person's templates to somebody new; returns the new person.

        Raises:
            BadNameError: The new name cannot be anybody's.
            NameTakenError: Somebody has it.
            PersonError: A template is not this person's, or none would be left.
        """
        with self._writing() as connection:
            person = sql.get_person(connection, name)
            if sql.list_people(connection, name=new_name):
                raise NameTakenError(f"There is a {new_name!r} already.", "Choose another name.")
            new_id = sql.find_or_create(connection, [new_name])[new_name]
            move_some(connection, person.id, template_ids, new_id, person.name)
            note_templates_rearranged(connection)
            return sql.get_person(connection, new_name)

    def remove(self, *names: str) -> None:
        """Remove people with everything of theirs: no row, vector or name stays in any file of the gallery.

        A backup keeps what it holds. Somebody of whom only refused files are remembered is forgotten as well.
        """
        with self._removing() as connection:
            for name in names:
                forgotten = connection.execute(delete(refusals).where(refusals.c.name_key == name_key(name))).rowcount
                if forgotten and not sql.list_people(connection, name=name):
                    continue
                sql.remove_people(connection, [sql.find_id(connection, name)])

    def set_threshold(self, name: str, threshold: float | None) -> Person:
        """Set a person's own threshold, 0 to 2, or clear it.

        Raises:
            PersonError: It is not between 0 and 2.
        """
        if threshold is not None and not 0.0 <= threshold <= 2.0:
            raise PersonError(f"A threshold must lie between 0 and 2, got {threshold}.", "Smaller is stricter.")
        with self._writing() as connection:
            person_id = sql.find_id(connection, name)
            connection.execute(update(people).where(people.c.id == person_id).values(threshold=threshold))
            note_people_change(connection)
            return sql.get_person(connection, name)

    def set_external_id(self, name: str, external_id: str | None) -> Person:
        """Set or clear a person's external id.

        Raises:
            NameTakenError: Somebody else has it.
            PersonError: It is longer than 200 characters or cannot be printed.
        """
        with self._writing() as connection:
            sql.set_external_id(connection, sql.find_id(connection, name), external_id)
            note_people_change(connection)
            return sql.get_person(connection, name)

    def set_groups(self, name: str, groups: Iterable[str]) -> Person:
        """Make a person a member of these groups and no others; groups are made as needed.

        Raises:
            BadNameError: A name cannot be a group's.
        """
        with self._writing() as connection:
            sql.set_groups(connection, sql.find_id(connection, name), groups)
            note_people_change(connection)
            return sql.get_person(connection, name)

    def export_people(self, path: str | Path) -> int:
        """Write everybody's name, external id and groups to a CSV file; returns how many people.

        Raises:
            OutputError: It cannot be written.
        """
        everybody = self.people()
        write_people(Path(path), everybody)
        return len(everybody)

    def import_people(self, path: str | Path) -> PeopleImport:
        """Read people from a CSV file with the columns ``name``, ``external_id`` and ``groups``; all or nothing.

        Groups are separated by semicolons. Only ``name`` must be there. People are added without templates; of people
        known already what the file has columns for is set, and cleared where a cell is empty.

        Raises:
            UnreadableError: It is missing, or not UTF-8.
            InputError: It has faults; the message tells the lines. Nothing was changed.
        """
        rows = read_rows(Path(path))
        with self._writing() as connection:
            done = apply_rows(connection, Path(path), rows)
            if done.created or done.updated:
                note_people_change(connection)
            return done
