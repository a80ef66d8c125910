"""The people of a gallery: listing and editing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from sqlalchemy import Connection, delete, select, update

from knownface.errors import NameTakenError, PersonError
from knownface.gallery import people as sql
from knownface.gallery.changes import note_people_change, note_templates_rearranged
from knownface.gallery.consents import move_consents, permitted, require
from knownface.gallery.different import Pair, move_different, note_different, read_different
from knownface.gallery.edit_log import forget_edits, inherit_edits, recorded
from knownface.gallery.edit_texts import changes
from knownface.gallery.exclusions import move_exclusions
from knownface.gallery.former_names import move_names, read_former_names, remember_name
from knownface.gallery.index.gallery_index import GalleryIndex
from knownface.gallery.names import clean_name, name_key
from knownface.gallery.people_csv import apply_rows, read_rows, write_people
from knownface.gallery.spread import follow_templates
from knownface.gallery.templates import check_no_twins, move_all, move_some, owner_of
from knownface.gallery.values import UNSET, PeopleImport, Person, PersonKey, RemovedPerson, Unset
from knownface.storage import Database
from knownface.storage.history_schema import SUBJECT_PERSON
from knownface.storage.person_references import count_references, delete_guests, move_references
from knownface.storage.schema import people, refusals


class PeopleStore:
    """Listing and editing people, and their groups.

    A person is meant by the name, whatever its letter case, or by the id. Every method that means one raises
    :class:`knownface.errors.UnknownPersonError`, with names that come near, where there is no such person.

    Args:
        database: The gallery's.
        index: What searches it.
    """

    def __init__(self, database: Database, index: GalleryIndex) -> None:
        self._database, self._index = database, index

    def everybody(self, group: str | None = None) -> list[Person]:
        """Everybody, or the members of a group, in the order of their names."""
        with self._database.reading() as connection:
            return sql.list_people(connection, group)

    def page(
        self, *, search: str | None = None, group: str | None = None, after: str | None = None, limit: int = 100
    ) -> list[Person]:
        """Up to ``limit`` people in the order of their names.

        Args:
            search: A part of the name, or the beginning of the external id.
            group: Only its members.
            after: The last name of the page before.
            limit: At least 1.
        """
        with self._database.reading() as connection:
            return sql.page_of_people(connection, search=search, group=group, after=after, limit=limit)

    def groups(self) -> list[tuple[str, int]]:
        """The groups in the order of their names, and how many belong to each."""
        with self._database.reading() as connection:
            return sql.list_groups(connection)

    def get(self, person: PersonKey) -> Person:
        """The person meant."""
        with self._database.reading() as connection:
            return sql.get_person(connection, person)

    def add(
        self, name: str, external_id: str | None = None, groups: Iterable[str] = (), *, new: bool = False
    ) -> Person:
        """Add a person without templates; somebody of exactly this name is that person.

        External id and groups, where given, are set for a person who was there already too.

        Args:
            name: Of the person.
            external_id: A number of another system.
            groups: The groups that the person belongs to.
            new: Whether somebody of exactly this name is an error too.

        Raises:
            BadNameError: The name cannot be anybody's, or a group's cannot be a group's.
            NameTakenError: A name differs from it only in letter case, or somebody has the external id.
        """
        groups = list(groups)
        with self._database.writing() as connection:
            if new and (there := sql.list_people(connection, person=clean_name(name))):
                raise NameTakenError(f"There is a {there[0].name!r} already.")
            person_id = sql.find_or_create(connection, [name])[name]
            if external_id is not None:
                sql.set_external_id(connection, person_id, external_id)
            if groups:
                sql.set_groups(connection, person_id, groups)
            note_people_change(connection)
            return sql.get_person(connection, name)

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
        """Change what is said of a person: everything that is given, or nothing if one part of it cannot be.

        Args:
            person: Who.
            name: Another name, or another letter case.
            external_id: A number of another system; None clears it.
            groups: The groups that the person belongs to from now on, and no others; they are made as needed.
            threshold: The person's own, 0 to 2; None clears it.
            until: The last day, after which the person goes by themselves; None clears it.

        Raises:
            BadNameError: A name cannot be a person's or a group's.
            NameTakenError: Somebody else has the name or the external id.
            PersonError: The external id cannot be one, or the threshold is not between 0 and 2.
        """
        if not isinstance(threshold, Unset) and threshold is not None and not 0.0 <= threshold <= 2.0:
            raise PersonError(f"A threshold must lie between 0 and 2, got {threshold}.", "Smaller is stricter.")
        with self._database.writing() as connection:
            before = sql.get_person(connection, person)
            keys = [name_key(before.name), *([] if isinstance(name, Unset) else [name_key(clean_name(name))])]
            with recorded(connection, "change", people=[before.id], name_keys=keys) as note:
                if not isinstance(name, Unset):
                    sql.rename(connection, before.id, name)
                if not isinstance(external_id, Unset):
                    sql.set_external_id(connection, before.id, external_id)
                if not isinstance(groups, Unset):
                    sql.set_groups(connection, before.id, groups)
                if not isinstance(threshold, Unset):
                    connection.execute(update(people).where(people.c.id == before.id).values(threshold=threshold))
                if not isinstance(until, Unset):
                    connection.execute(update(people).where(people.c.id == before.id).values(until=until))
                after = sql.get_person(connection, before.id)
                note.said = changes(before, after)
            note_people_change(connection)
            return after

    def merge(self, sources: Sequence[PersonKey], into: PersonKey) -> Person:
        """Join people who are one: ``into`` gets everybody's templates, groups and sightings, the others go.

        Its own external id and threshold win; where it has none, the first of the others that has one gives it.

        Raises:
            PersonError: One of the sources is ``into`` itself.
        """
        with self._index.removing() as connection:
            target = sql.get_person(connection, into)
            others = list({p.id: p for p in (sql.get_person(connection, source) for source in sources)}.values())
            if target.id in {other.id for other in others}:
                raise PersonError(f"{target.name!r} cannot be merged into itself.", "Name another person.")
            everybody = [target, *others]
            keys = [name_key(p.name) for p in everybody]
            with recorded(connection, "merge", people=[p.id for p in everybody], name_keys=keys, seen=True) as note:
                note.said = [{"key": "joined", "names": [p.name for p in others], "name": target.name}]
                for other in others:
                    self._move(connection, other, target)
                sql.remove_people(connection, [other.id for other in others])
                external_id = next((p.external_id for p in everybody if p.external_id is not None), None)
                threshold = next((p.threshold for p in everybody if p.threshold is not None), None)
                sql.set_external_id(connection, target.id, external_id)
                sql.set_groups(connection, target.id, [group for p in everybody for group in p.groups])
                connection.execute(update(people).where(people.c.id == target.id).values(threshold=threshold))
            return sql.get_person(connection, target.id)

    @staticmethod
    def _move(connection: Connection, other: Person, target: Person) -> None:
        """Give everything of somebody who is joined into another to the other."""
        move_all(connection, other.id, target.id)
        move_references(connection, other.id, name_key(other.name), target.id)
        sql.move_refusals(connection, name_key(other.name), name_key(target.name))
        move_exclusions(connection, other.id, target.id)
        move_consents(connection, other.id, target.id)
        move_names(connection, other.id, target.id)
        move_different(connection, other.id, target.id)
        remember_name(connection, target.id, other.name)
        inherit_edits(connection, other.id, target.id)

    def note_different(self, person: PersonKey, others: Sequence[PersonKey]) -> Person:
        """Remember that somebody is another person than others who look alike; returns the first.

        Raises:
            PersonError: One of the others is the person.
        """
        with self._database.writing() as connection:
            found = sql.get_person(connection, person)
            rest = [sql.get_person(connection, other) for other in others]
            if found in rest:
                raise PersonError(f"{found.name!r} cannot be somebody else than themselves.", "Name another person.")
            ids = [other.id for other in rest]
            with recorded(connection, "different", people=[found.id, *ids]) as note:
                note.said = [{"key": "different", "name": found.name, "names": [other.name for other in rest]}]
                note_different(connection, found.id, ids)
            return found

    def different(self) -> set[Pair]:
        """Pairs of ids, the smaller first, of people who look alike and are two."""
        with self._database.reading() as connection:
            return read_different(connection)

    def split(self, person: PersonKey, template_ids: Iterable[int], new_name: str) -> Person:
        """Give some of a person's templates to somebody new; returns the new person.

        Raises:
            BadNameError: The new name cannot be anybody's.
            NameTakenError: Somebody has it.
            PersonError: A template is not this person's, or none would be left.
        """
        new_name = clean_name(new_name)
        with self._database.writing() as connection:
            found = sql.get_person(connection, person)
            if sql.list_people(connection, person=new_name):
                raise NameTakenError(f"There is a {new_name!r} already.", "Choose another name.")
            with recorded(connection, "split", people=[found.id], name_keys=[name_key(new_name)]) as note:
                new_id = sql.find_or_create(connection, [new_name])[new_name]
                require(connection, [new_id])
                note.scope.people.add(new_id)
                moved = move_some(connection, found.id, template_ids, new_id, found.name)
                new = sql.get_person(connection, new_id)
                note.said = [{"key": "moved_to_new", "count": moved, "name": found.name, "to": new.name}]
            note_templates_rearranged(connection)
            follow_templates(connection)
            return new

    def move_templates(
        self, template_ids: Iterable[int], to: PersonKey, *, all_too: bool = False, create: bool = False
    ) -> Person:
        """Give templates and counter-examples of one person to another; returns the other.

        Args:
            template_ids: Which.
            to: The other.
            all_too: Whether the first may be left without a template.
            create: Whether somebody new is made of a name that nobody has.

        Raises:
            BadNameError: The new name cannot be anybody's.
            PersonError: They are not of one person, are the other's already, show a face that the other is enrolled
                with, or the first would be left without a template.
        """
        wanted = set(template_ids)
        if isinstance(to, str) and create:
            to = clean_name(to)
        with self._database.writing() as connection:
            owner = sql.get_person(connection, owner_of(connection, wanted))
            new = create and isinstance(to, str) and not sql.list_people(connection, person=to)
            known = [] if new else [sql.get_person(connection, to)]
            about, keys = [owner.id, *(person.id for person in known)], [name_key(str(to))] if new else []
            with recorded(connection, "move", people=about, name_keys=keys) as note:
                target_id = sql.find_or_create(connection, [str(to)])[str(to)] if new else known[0].id
                target = sql.get_person(connection, target_id)
                if owner.id == target.id:
                    raise PersonError(f"They are {target.name!r}'s already.", "Name another person.")
                note.scope.people.add(target.id)
                require(connection, [target.id])
                check_no_twins(connection, wanted, target)
                moved = move_some(connection, owner.id, wanted, target.id, owner.name, all_too=all_too)
                key = "moved_to_new" if new else "moved"
                note.said = [{"key": key, "count": moved, "name": owner.name, "to": target.name}]
            note_templates_rearranged(connection)
            follow_templates(connection)
            return sql.get_person(connection, target.id)

    def removal(self, person: PersonKey) -> RemovedPerson:
        """What :meth:`remove` would take along."""
        with self._database.reading() as connection:
            return _removal(connection, sql.get_person(connection, person))

    def remove(self, *who: PersonKey) -> tuple[RemovedPerson, ...]:
        """Remove people with everything of theirs: no row, vector or name stays in any file of the gallery.

        A backup keeps what it holds. Somebody of whom only refused files are remembered is forgotten as well.

        Returns:
            What was removed of each.
        """
        done = []
        with self._index.removing() as connection:
            for person in who:
                if isinstance(person, str) and not sql.list_people(connection, person=person):
                    query = delete(refusals).where(refusals.c.name_key == name_key(person))
                    if refused := connection.execute(query).rowcount:
                        done.append(RemovedPerson(None, person, {"refusals": refused}))
                        continue
                found = sql.get_person(connection, person)
                done.append(_removal(connection, found))
                delete_guests(connection, name_key(found.name))
                forget_edits(connection, SUBJECT_PERSON, [found.id])
                sql.remove_people(connection, [found.id])
        return tuple(done)

    def former_names(self, person: PersonKey | None = None) -> dict[str, tuple[str, str]]:
        """Names that people had before they were renamed or joined; folders of these names still mean them.

        Returns:
            For each such name's key (:func:`knownface.gallery.name_key`), the name and whose it was, as they are now.
        """
        with self._database.reading() as connection:
            person_id = None if person is None else sql.find_id(connection, person)
            return read_former_names(connection, person_id)

    def export_csv(self, path: str | Path, *, bom: bool = False) -> int:
        """Write everybody's name, external id and groups to a CSV file; returns how many people.

        Where the gallery demands consent, those without one are left out.

        Args:
            path: The file.
            bom: Whether it begins with a byte order mark, which Excel needs to read it as UTF-8.

        Raises:
            OutputError: It cannot be written.
        """
        with self._database.reading() as connection:
            allowed = set(connection.scalars(select(people.c.id).where(permitted(connection, people.c.id))))
            written = [person for person in sql.list_people(connection) if person.id in allowed]
        write_people(Path(path), written, bom=bom)
        return len(written)

    def import_csv(self, path: str | Path) -> PeopleImport:
        """Read people from a CSV file with the columns ``name``, ``external_id`` and ``groups``; all or nothing.

        Consents are read too: see :data:`knownface.gallery.people_csv.CONSENT_COLUMNS`.

        Groups are separated by semicolons. Only ``name`` must be there. People are added without templates; of people
        known already what the file has columns for is set, and cleared where a cell is empty.

        Raises:
            UnreadableError: It is missing, or not UTF-8.
            InputError: It has faults; the message names the lines. Nothing was changed.
        """
        rows = read_rows(Path(path))
        with self._database.writing() as connection:
            keys = {name_key(row.name) for row in rows}
            with recorded(connection, "import", people=sql.find_ids(connection, keys), name_keys=keys) as note:
                done = apply_rows(connection, Path(path), rows)
                note.scope.people.update(sql.find_ids(connection, keys))
                read = {"file": Path(path).name, "created": done.created, "updated": done.updated}
                note.said = [{"key": "people_read", **read}]
            if done.created or done.updated:
                note_people_change(connection)
            return done


def _removal(connection: Connection, person: Person) -> RemovedPerson:
    return RemovedPerson(person, person.name, count_references(connection, person.id, name_key(person.name)))
