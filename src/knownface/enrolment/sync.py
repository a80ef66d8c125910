"""Making a gallery follow a folder of people: what was deleted, moved and renamed there since it was enrolled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from knownface.enrolment.run import current_name
from knownface.enrolment.scan import PeopleScan
from knownface.errors import UnreadableError
from knownface.files import sha256_of
from knownface.gallery import Gallery, Template, name_key


@dataclass(frozen=True, slots=True)
class Move:
    """Templates whose file lies in another person's folder now.

    Attributes:
        templates: Ids.
        source: The file.
        person: Whose they are.
        to: The name of the folder's person.
    """

    templates: tuple[int, ...]
    source: str
    person: str
    to: str


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """What a gallery needs to follow a folder; new files aside, which an enrolment adds.

    Attributes:
        renames: Names and new names of people whose folder was renamed.
        moves: To other people.
        removals: Templates whose file is in no person's folder any more.
        sources: Where files lie now that were moved or renamed, by template id.
        left: People who would be left without a template; they stay, with what was seen of them.
    """

    renames: tuple[tuple[str, str], ...]
    moves: tuple[Move, ...]
    removals: tuple[Template, ...]
    sources: Mapping[int, str]
    left: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.renames or self.moves or self.removals)


def plan_sync(gallery: Gallery, folder: Path, scan: PeopleScan) -> SyncPlan:
    """Compare a folder with what was enrolled from it; nothing is changed.

    Files are known by their content, so one that was edited is another one. What was enrolled from elsewhere, and
    counter-examples, are left alone.

    Args:
        gallery: Which.
        folder: That people were enrolled from.
        scan: Of the folder (:func:`knownface.enrolment.scan_people`).

    Raises:
        UnreadableError: Something in the folder cannot be read, so that it cannot be told from what was deleted.
    """
    for review in scan.refused:
        if review.reason == UnreadableError.code:
            raise UnreadableError(f"{review.path}: {review.text}", "Nothing was changed; a sync must see everything.")
    people = {person.id: person.name for person in gallery.people()}
    former = gallery.people_store.former_names()
    files = _files_by_content(scan, former)
    enrolled: dict[tuple[int, str], list[Template]] = {}
    for template in gallery.template_store.below(folder.absolute()):
        enrolled.setdefault((template.person_id, template.source_sha256), []).append(template)
    renamed = _renamed(people, files, enrolled)
    named = {person_id: renamed.get(person_id, name) for person_id, name in people.items()}
    moves: list[Move] = []
    removals: list[Template] = []
    sources: dict[int, str] = {}
    theirs = {(name_key(named[person_id]), sha256) for person_id, sha256 in enrolled}
    for (person_id, sha256), templates in enrolled.items():
        places = {name_key(name): (name, path) for name, path in files.get(sha256, [])}
        own = places.get(name_key(named[person_id]))
        other = next((name for key, (name, _) in places.items() if (key, sha256) not in theirs), None)
        if own is not None:
            if all(Path(template.source) != path for _, path in files[sha256] for template in templates):
                sources.update((template.id, str(own[1])) for template in templates)
        elif other is not None:
            ids = tuple(template.id for template in templates)
            moves.append(Move(ids, templates[0].source, named[person_id], other))
            sources.update(dict.fromkeys(ids, str(places[name_key(other)][1])))
        else:
            removals += templates
    gone = [*(i for move in moves for i in move.templates), *(template.id for template in removals)]
    return SyncPlan(
        tuple((people[person_id], name) for person_id, name in renamed.items()),
        tuple(moves),
        tuple(removals),
        sources,
        _left(gallery, enrolled, set(gone), named),
    )


def apply_sync(gallery: Gallery, plan: SyncPlan) -> None:
    """Rename, move and remove; names and moves can be undone, removals are final.

    Raises:
        KnownFaceError: The gallery was changed since the plan was made; what was done before stays.
    """
    for name, new_name in plan.renames:
        gallery.rename(name, new_name)
    moved: dict[tuple[str, str], list[int]] = {}
    for move in plan.moves:
        moved.setdefault((move.person, move.to), []).extend(move.templates)
    for (_, to), templates in moved.items():  # one edit to undo, however many files
        gallery.add_person(to)
        gallery.people_store.move_templates(templates, to, all_too=True)
    gallery.template_store.relocate(plan.sources)
    gallery.remove_templates(template.id for template in plan.removals)


def _files_by_content(scan: PeopleScan, former: Mapping[str, tuple[str, str]]) -> dict[str, list[tuple[str, Path]]]:
    """For each content, by its SHA-256, the person's name of today and the path of each file."""
    files: dict[str, list[tuple[str, Path]]] = {}
    for person in scan.people:
        name = current_name(person.name, former)
        for path in person.files:
            try:
                files.setdefault(sha256_of(path), []).append((name, path.absolute()))
            except OSError as error:
                text = f"{path} cannot be read: {error.strerror}."
                raise UnreadableError(text, "Nothing was changed; a sync must see everything.") from error
    return files


def _renamed(
    people: Mapping[int, str],
    files: Mapping[str, Sequence[tuple[str, Path]]],
    enrolled: Mapping[tuple[int, str], Sequence[Template]],
) -> dict[int, str]:
    """New names of people who have no folder any more, and most of whose files lie in one that is nobody's yet."""
    folders = {name_key(name): name for places in files.values() for name, _ in places}
    known = {name_key(name) for name in people.values()}
    found: dict[int, str] = {}
    for person_id in dict.fromkeys(person_id for person_id, _ in enrolled):
        if name_key(people[person_id]) in folders:
            continue
        shas = [sha256 for owner, sha256 in enrolled if owner == person_id]
        places = Counter(
            key for sha256 in shas for key in {name_key(name) for name, _ in files.get(sha256, [])} if key not in known
        )
        best = places.most_common(1)
        if best and 2 * best[0][1] > len(shas) and folders[best[0][0]] not in found.values():
            found[person_id] = folders[best[0][0]]
    return found


def _left(
    gallery: Gallery,
    enrolled: Mapping[tuple[int, str], Sequence[Template]],
    gone: set[int],
    named: Mapping[int, str],
) -> tuple[str, ...]:
    losing = {person_id for (person_id, _), templates in enrolled.items() if gone & {t.id for t in templates}}
    return tuple(
        named[person_id]
        for person_id in sorted(losing)
        if all(t.id in gone or t.negative for t in gallery.templates(person_id))
    )
