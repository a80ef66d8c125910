"""Undo: after every edit and its undoing the gallery is what it was, whatever was edited and undone in between."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select

from knownface.errors import EditConflictError, KnownFaceError, NameTakenError, UnknownEditError
from knownface.events import RetentionPolicy, SeenTrack, SightingLog, name_unknown
from knownface.events.attendance import open_session
from knownface.gallery import Gallery, GalleryCalibration, NewTemplate
from knownface.review import PersonReview
from knownface.search import NumpyIndex
from knownface.storage.events_schema import attendance_entries, sightings
from knownface.storage.history_schema import different_people, exclusions, former_names
from knownface.storage.schema import calibrations, consents, groups, held, people, person_groups, refusals, templates
from knownface.types import DecisionRule, EmbedderContract

DIM = 8
CONTRACT = EmbedderContract("net", DIM, "aligned", "a" * 64, "Apache-2.0", DecisionRule(1, 3, 1.0, 0.0), True)
REVIEW = PersonReview(CONTRACT.rule)
NAMES = ("Ann", "Ben", "Cy", "Dan", "Eve", "Fay")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def unit(seed):
    vector = np.random.default_rng(seed).normal(size=DIM).astype(np.float32)
    return vector / np.linalg.norm(vector)


def face(seed, **more):
    return NewTemplate(unit(seed), f"/{seed}.jpg", hashlib.sha256(str(seed).encode()).hexdigest(), **more)


def content(gallery):
    """Everything that an edit may change; templates without their ids, which a dropped one gets anew."""

    def rows(connection, table, *leave_out):
        columns = [column for column in table.c if column.name not in leave_out]
        return sorted(map(repr, (tuple(row) for row in connection.execute(select(*columns)))))

    with gallery.database.reading() as connection:
        members = select(person_groups.c.person_id, groups.c.name).join(groups)
        return {
            "people": rows(connection, people),
            "groups": sorted(map(tuple, connection.execute(members).all())),
            "templates": rows(connection, templates, "id"),
            "sightings": rows(connection, sightings),
            "attendance": rows(connection, attendance_entries),
            "refusals": rows(connection, refusals, "id"),
            "held": rows(connection, held),
            "exclusions": rows(connection, exclusions, "id"),
            "former names": rows(connection, former_names, "id"),
            "different people": rows(connection, different_people, "id"),
            "consents": rows(connection, consents, "id"),
            "calibration": rows(connection, calibrations, "id"),
        }


def calibration(threshold):
    rule = replace(CONTRACT.rule, threshold=threshold)
    numbers = {"wanted_fpir": 0.01, "fpir_bound": 0.009, "confidence": 0.95, "people": 4, "templates": 9}
    last = {"last_person": 4, "last_template": 9, "sentence": f"At most 1 in 100 at {threshold}.", "details": {}}
    return GalleryCalibration(rule, CONTRACT.fingerprint, **numbers, **last, calibrated_at=NOON)


class Edits(RuleBasedStateMachine):
    """Random edits and undoings of a small gallery with sightings and attendance."""

    @initialize()
    def fill(self):
        self.folder = TemporaryDirectory()
        self.gallery = Gallery.open(":memory:")
        self.gallery.bind(CONTRACT)
        # Two have a face in common, which a merge drops.
        self.gallery.enrol([(name, face(10 * n + i)) for n, name in enumerate(NAMES[:4]) for i in range(3)])
        self.gallery.enrol([("Ben", face(0)), ("Ann", face(77, negative=True)), ("Ben", face(77, negative=True))])
        for name in NAMES[:3]:
            self.gallery.edit(name, groups=["staff"], external_id=f"id {name}")
        self.log = SightingLog(self.gallery, RetentionPolicy(unknown_faces=True))
        ids = [person.id for person in self.gallery.people()]
        seen = [SeenTrack(f"p{n}", "door", ids[n % 4], None, NOON, NOON) for n in range(6)]
        seen += [SeenTrack(f"u{n}", "door", None, n, NOON, NOON, embedding=unit(500 + n)) for n in range(1, 5)]
        self.log.record(seen)
        open_session(self.gallery.database, "today", group="staff")
        self.seed, self.done = 1000, []

    def edit(self, action):
        before, last = content(self.gallery), self.last_edit()
        try:
            action()
        except KnownFaceError:
            assert content(self.gallery) == before
            return
        if self.last_edit() != last:
            self.done.append((self.last_edit(), before))
        else:
            assert content(self.gallery) == before

    def last_edit(self):
        found = self.gallery.history.edits(limit=1)
        return found[0].id if found else 0

    def fresh(self):
        self.seed += 1
        return self.seed

    who = st.sampled_from(NAMES)
    number = st.integers(1, 4)

    @rule(who=who, name=who, threshold=st.sampled_from([None, 0.5, 0.9]), groups=st.sampled_from([[], ["a", "b"]]))
    def change(self, who, name, threshold, groups):
        self.edit(lambda: self.gallery.edit(who, name=name, threshold=threshold, groups=groups))

    @rule(who=st.lists(who, min_size=1, max_size=2), into=who)
    def merge(self, who, into):
        self.edit(lambda: self.gallery.merge(who, into))

    @rule(who=who, others=st.lists(who, min_size=1, max_size=2))
    def say_that_they_are_two(self, who, others):
        self.edit(lambda: self.gallery.people_store.note_different(who, others))

    @rule(who=who, name=who, count=st.integers(1, 2))
    def split(self, who, name, count):
        self.edit(lambda: self.gallery.split(who, [t.id for t in self.gallery.templates(who)][:count], name))

    @rule(who=who, to=who, count=st.integers(1, 2), create=st.booleans())
    def move(self, who, to, count, create):
        store = self.gallery.people_store
        self.edit(lambda: store.move_templates([t.id for t in self.gallery.templates(who)][-count:], to, create=create))

    @rule(who=who)
    def deny(self, who):
        if who in {person.name for person in self.gallery.people()}:
            self.edit(lambda: self.gallery.add_templates(who, [face(self.fresh(), negative=True)]))

    @rule(rows=st.dictionaries(who, st.tuples(st.sampled_from(["", "1", "2"]), st.sampled_from(["", "a;b"]))))
    def read_people(self, rows):
        file = Path(self.folder.name) / "people.csv"
        lines = [",".join([who, *cells, "Ann", "2026-01-01"]) for who, cells in rows.items()]
        file.write_text("\n".join(["name,external_id,groups,consent_by,consent_on", *lines]))
        self.edit(lambda: self.gallery.import_people(file))

    @rule(threshold=st.sampled_from([None, 0.8, 0.9]))
    def calibrate(self, threshold):
        self.edit(lambda: self.gallery.set_calibration(None if threshold is None else calibration(threshold)))

    @rule(numbers=st.lists(number, min_size=1, max_size=2), who=who, enrol=st.booleans())
    def name(self, numbers, who, enrol):
        self.edit(lambda: name_unknown(self.gallery, numbers, who, REVIEW, enrol=enrol))

    @rule(numbers=st.lists(number, min_size=1, max_size=2), dismissed=st.booleans())
    def dismiss(self, numbers, dismissed):
        self.edit(lambda: self.log.dismiss(numbers, dismissed=dismissed))

    @precondition(lambda self: self.done)
    @rule()
    def undo_the_last(self):
        edit_id, before = self.done.pop()
        assert self.gallery.history.undo(edit_id).undone
        assert content(self.gallery) == before

    @precondition(lambda self: len(self.done) > 1)
    @rule(data=st.data())
    def undo_any(self, data):
        place = data.draw(st.integers(0, len(self.done) - 2))
        before = content(self.gallery)
        try:
            self.gallery.history.undo(self.done[place][0])
        except (EditConflictError, NameTakenError):
            assert content(self.gallery) == before
        else:
            self.done.clear()  # what the states after it were without it, nobody has written down

    @invariant()
    def the_index_finds_what_is_there(self):
        vectors = self.gallery.vectors()
        oracle = NumpyIndex(DIM)
        oracle.add(vectors.templates, vectors.embeddings)
        probe = unit(3)[None]
        found, (_, wanted) = self.gallery.search(probe, 40), oracle.search(probe, 40)
        assert found.templates[0].tolist() == wanted[0].tolist()
        whose = dict(zip(vectors.templates.tolist(), vectors.people.tolist(), strict=True))
        assert found.people[0].tolist() == [whose.get(i, -1) for i in found.templates[0].tolist()]
        assert dict(self.gallery.names) == {person.id: person.name for person in self.gallery.people()}
        negatives = self.gallery.vectors(negative=True)
        assert sorted(self.gallery.index.snapshot().negative_people.tolist()) == sorted(negatives.people.tolist())

    def teardown(self):
        if hasattr(self, "done"):
            while self.done:
                self.undo_the_last()
        if hasattr(self, "gallery"):
            self.gallery.close()
            self.folder.cleanup()


TestEdits = pytest.mark.slow(Edits.TestCase)
TestEdits.settings = settings(
    max_examples=12,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking a sequence of edits takes minutes
)


def undo(gallery, edit_id=None):
    return gallery.history.undo(edit_id).text


def test_the_undone_is_listed_and_cannot_be_undone_twice(gallery):
    gallery.rename("Ann", "Anna")
    gallery.set_threshold("Ben", 0.5)
    threshold, name = gallery.history.edits(limit=2)
    assert (threshold.text, name.text) == ("Threshold of 'Ben' set to 0.5.", "'Ann' renamed to 'Anna'.")
    assert undo(gallery, name.id) == name.text  # another person's edit since is not in the way
    undoing, _, undone = gallery.history.edits(limit=3)
    assert (undoing.kind, undoing.undoes, undone.undone) == ("undo", name.id, True)
    assert [edit.can_be_undone for edit in (undoing, threshold, undone)] == [False, True, False]
    with pytest.raises(EditConflictError, match="already"):
        undo(gallery, name.id)
    assert undo(gallery) == threshold.text
    with pytest.raises(UnknownEditError):
        undo(gallery, 10_000)


def test_what_was_edited_since_is_in_the_way_and_is_named(gallery):
    gallery.rename("Ann", "Anna")
    name = gallery.history.edits()[0]
    gallery.merge(["Anna"], "Ben")
    merge = gallery.history.edits()[0]
    with pytest.raises(EditConflictError, match="'Anna' joined into 'Ben'") as error:
        undo(gallery, name.id)
    assert error.value.hint == f"Undo edit {merge.id} first."
    undo(gallery, merge.id)
    gallery.add_person("Ann")
    with pytest.raises(NameTakenError):
        undo(gallery, name.id)


@pytest.mark.parametrize(("to", "text"), [("Cy", "'Cy'."), ("Eve", "'Eve', who is new.")])
def test_templates_come_back_from_whom_they_were_moved_to(gallery, to, text):
    before = content(gallery)
    moved = [template.id for template in gallery.templates("Ann")][:1]
    gallery.people_store.move_templates(moved, to, create=True)
    assert undo(gallery) == f"1 template of 'Ann' moved to {text}"
    assert content(gallery) == before


def test_a_former_name_that_somebody_else_had_since_comes_back(gallery):
    gallery.rename("Ann", "Anna")
    gallery.split("Ben", [gallery.templates("Ben")[0].id], "Ann")
    gallery.merge(["Ann"], "Cy")  # the name means Cy from now on
    assert gallery.people_store.former_names()["ann"] == ("Ann", "Cy")
    undo(gallery)
    undo(gallery)
    assert gallery.people_store.former_names()["ann"] == ("Ann", "Anna")


def test_what_was_deleted_since_stays_deleted(gallery):
    ids = [template.id for template in gallery.templates("Ann")]
    gallery.split("Ann", ids[:1], "Eve")
    gallery.remove_templates(ids[:1])
    undo(gallery)
    assert [template.id for template in gallery.templates("Ann")] == ids[1:]
    assert "Eve" not in gallery.names.values()


def test_naming_goes_back_while_the_camera_goes_on_and_who_was_enrolled_since_stays(gallery, made):
    log = SightingLog(gallery, RetentionPolicy(unknown_faces=True))
    track = SeenTrack("u1", "door", None, 7, made.noon, made.noon, embedding=made.unit(60))
    log.record([track])
    name_unknown(gallery, [7], "Eve", REVIEW)
    log.record([replace(track, last_seen=made.noon + timedelta(minutes=1))])
    gallery.add_templates("Eve", [NewTemplate(made.unit(61), "/eve.jpg", "e" * 64)])
    assert [seen.label for seen in log.find()] == ["Eve"]
    undo(gallery)
    assert [(seen.label, seen.has_face) for seen in log.find()] == [("Unknown 7", True)]
    assert gallery.person("Eve").templates == 1
    again = name_unknown(gallery, [7], "Ida", REVIEW)  # the face is there to be enrolled, or held back
    assert again.enrolled + again.held == 1


def test_what_naming_held_back_for_somebody_known_goes_with_it(gallery, made):
    log = SightingLog(gallery, RetentionPolicy(unknown_faces=True))
    log.record([SeenTrack("u1", "door", None, 7, made.noon, made.noon, embedding=made.unit(60))])
    assert name_unknown(gallery, [7], "Ann", REVIEW).held == 1
    undo(gallery)
    assert gallery.held_store.list() == []
    assert gallery.held_store.files() == {}
    assert name_unknown(gallery, [7], "Ann", REVIEW).held == 1


def test_another_program_sees_what_was_undone(gallery, place, made):
    with Gallery.open(place, create=False) as other:
        probe = made.unit(0)[None]
        gallery.merge(["Ann"], "Ben")
        assert other.names[other.search(probe, 1).people[0, 0]] == "Ben"
        undo(other)
        assert other.names[other.search(probe, 1).people[0, 0]] == "Ann"
        assert gallery.names[gallery.search(probe, 1).people[0, 0]] == "Ann"
        with pytest.raises(EditConflictError):
            undo(gallery, gallery.history.edits()[-1].id)


def test_a_calibration_and_a_list_of_people_are_taken_back(gallery, tmp_path):
    gallery.edit("Ann", external_id="1")
    gallery.edit("Ben", external_id="2")
    before = content(gallery)
    for threshold in (0.8, 0.9):
        gallery.set_calibration(calibration(threshold))
    (tmp_path / "people.csv").write_text("name,external_id\nBen,1\nAnn,2\nNew,3\n")  # Ann and Ben exchange theirs
    gallery.import_people(tmp_path / "people.csv")
    assert undo(gallery) == "People read from 'people.csv': 1 new, 2 changed."
    assert undo(gallery) == "Calibrated: At most 1 in 100 at 0.9."
    assert gallery.calibration.rule.threshold == 0.8
    assert undo(gallery) == "Calibrated: At most 1 in 100 at 0.8."
    assert content(gallery) == before


def test_removing_a_person_takes_their_history_along(gallery):
    gallery.rename("Ann", "Anna")
    gallery.merge(["Anna"], "Ben")
    gallery.rename("Cy", "Cyrus")
    gallery.remove("Ben")
    texts = [edit.text for edit in gallery.history.edits()]
    assert texts == ["'Cy' renamed to 'Cyrus'.", "Groups of 'Cy' set to staff."]
