from __future__ import annotations

import json
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from knownface.gallery import Gallery, NewTemplate, changes
from knownface.gallery.index import local, updating
from knownface.gallery.index.local import LocalCopy, LocalIndex
from knownface.gallery.index.saved import index_files
from knownface.gallery.index.template_selection import choose_best
from knownface.gallery.values import GalleryVectors
from knownface.search import CompressedIndex, FaissFlatIndex, NumpyIndex
from knownface.types import DecisionRule, EmbedderContract


def nearest(gallery, probe, k=1):
    found = gallery.search(probe.vector[None], k)
    return [gallery.names.get(int(i)) for i in found.people[0]]


def test_the_nearest_is_found(gallery, face):
    gallery.enrol([("Ann", face(1)), ("Bob", face(2)), ("Ann", face(3))])
    found = gallery.search(np.stack([face(2).vector, face(3).vector]), 5)
    assert found.distances.shape == (2, 5)
    assert found.distances[:, 0].tolist() == [0, 0]
    assert found.distances[0, 3:].tolist() == [np.inf, np.inf]
    assert found.templates[0, 3:].tolist() == found.people[0, 3:].tolist() == [-1, -1]
    assert nearest(gallery, face(2)) == ["Bob"]
    assert nearest(gallery, face(3)) == ["Ann"]


def test_an_empty_gallery_finds_nothing(gallery, face):
    found = gallery.search(np.stack([face(1).vector] * 3), 2)
    assert found.people.tolist() == [[-1, -1]] * 3
    assert np.isinf(found.distances).all()
    assert len(gallery) == 0
    assert gallery.index.snapshot().negative_people.tolist() == []
    assert gallery.vectors().templates.tolist() == []


def test_counter_examples_are_kept_apart(gallery, face):
    gallery.add_templates("Ann", [face(1), face(2, negative=True)])
    assert nearest(gallery, face(2), 2) == ["Ann", None]
    snapshot = gallery.index.snapshot()
    np.testing.assert_array_equal(snapshot.negatives, face(2).vector[None])
    assert snapshot.negative_people.tolist() == [gallery.person("Ann").id]
    assert len(gallery) == 1


def test_changes_are_seen_at_once_whoever_makes_them(gallery, face, reopen):
    other = reopen()
    assert nearest(gallery, face(1)) == [None]
    other.bind(gallery.contract)
    other.add_templates("Ann", [face(1), face(2)])
    assert nearest(gallery, face(1)) == ["Ann"]
    gallery.add_templates("Bob", [face(3)])
    assert nearest(other, face(3)) == ["Bob"]
    other.rename("Bob", "Robert")
    assert nearest(gallery, face(3)) == ["Robert"]
    ids = [template.id for template in other.templates("Ann")]
    assert other.remove_templates([ids[0], ids[0], 999]) == 1
    assert nearest(gallery, face(1), 3).count("Ann") == 1
    gallery.merge(["Robert"], "Ann")
    assert nearest(other, face(3)) == ["Ann"]
    other.remove("Ann")
    assert nearest(gallery, face(3)) == [None]
    assert len(gallery) == 0


def test_adding_reads_only_what_was_added(gallery, face, monkeypatch):
    gallery.add_templates("Ann", [face(1), face(2)])
    gallery.search(face(1).vector[None], 1)
    monkeypatch.setattr(updating, "_compare", None)
    monkeypatch.setattr(local, "build", None)
    added = []
    monkeypatch.setattr(FaissFlatIndex, "add", lambda self, ids, vectors: added.append(len(ids)))
    gallery.add_templates("Bob", [face(3)])
    gallery.search(face(1).vector[None], 1)
    assert added == [1]


def test_adding_does_not_read_the_vectors_that_are_there(gallery, face, reopen, monkeypatch):
    gallery.add_templates("Ann", [face(1)])
    monkeypatch.setattr(LocalCopy, "update", None)
    other = reopen()
    assert other.add_templates("Bob", [face(2)]) == 1
    assert len(other) == 2
    other.index.check_not_empty()


def test_the_answer_is_the_same_alone_and_in_a_batch(gallery, face):
    gallery.enrol([(f"P{i}", face(i)) for i in range(40)])
    probes = np.stack([face(i + 20).vector for i in range(60)])
    together = gallery.search(probes, 7)
    for i in range(60):
        alone = gallery.search(probes[i : i + 1], 7)
        np.testing.assert_array_equal(alone.distances[0], together.distances[i])
        np.testing.assert_array_equal(alone.templates[0], together.templates[i])


def test_threads_may_search_while_others_add(gallery, face):
    gallery.add_templates("Ann", [face(0)])
    failures = []

    def search():
        for _ in range(30):
            if nearest(gallery, face(0)) != ["Ann"]:
                failures.append("lost")

    def add(number):
        for step in range(10):
            gallery.add_templates(f"P{number}", [face(1 + 10 * number + step)])

    threads = [threading.Thread(target=search) for _ in range(3)]
    threads += [threading.Thread(target=add, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(gallery) == 21


# The saved index


def loads(monkeypatch):
    """Counts what is read from the saved index and from the database."""
    counts = {"saved": 0, "built": 0}
    load, build = LocalCopy._load, LocalCopy._build

    def counted_load(self, connection, snapshot):
        found = load(self, connection, snapshot)
        counts["saved"] += found is not None
        return found

    def counted_build(self, connection, snapshot):
        counts["built"] += 1
        return build(self, connection, snapshot)

    monkeypatch.setattr(LocalCopy, "_load", counted_load)
    monkeypatch.setattr(LocalCopy, "_build", counted_build)
    return counts


@pytest.fixture
def saved(gallery, face, file):
    gallery.enrol([("Ann", face(1)), ("Bob", face(2))])
    assert gallery.build_index() == 2
    return index_files(file)


def test_a_saved_index_is_used(saved, reopen, face, monkeypatch):
    counts = loads(monkeypatch)
    assert nearest(reopen(), face(2)) == ["Bob"]
    assert counts == {"saved": 1, "built": 0}
    description = json.loads(saved[1].read_text())
    assert (description["count"], description["fingerprint"]) == (2, "a" * 64)


def test_the_saved_index_is_private(saved):
    assert [path.stat().st_mode & 0o777 for path in saved] == [0o600, 0o600, 0o600]


DAMAGES = ["index cut", "index altered", "index gone", "owners altered", "text cut", "text wrong", "text gone"]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_index_is_built_again(saved, reopen, face, monkeypatch, caplog, damage):
    index, description, owners = saved
    if damage == "index cut":
        index.write_bytes(index.read_bytes()[:-40])
    elif "altered" in damage:
        file = index if damage == "index altered" else owners
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    elif damage == "text cut":
        description.write_text(description.read_text()[:20])
    elif damage == "text wrong":
        description.write_text(json.dumps({**json.loads(description.read_text()), "count": 5}))
    else:
        (index if damage == "index gone" else description).unlink()
    counts = loads(monkeypatch)
    opened = reopen()
    assert nearest(opened, face(2)) == ["Bob"]
    assert counts == {"saved": 0, "built": 1}
    assert ("gone" in damage) == (not caplog.records)
    opened.build_index()
    counts.update(saved=0, built=0)
    if damage != "text wrong":
        assert nearest(reopen(), face(2)) == ["Bob"]


def test_an_index_saved_before_an_addition_is_used_and_brought_up_to_date(saved, gallery, reopen, face, monkeypatch):
    gallery.add_templates("Zoe", [face(3)])
    counts = loads(monkeypatch)
    opened = reopen()
    assert nearest(opened, face(3)) == ["Zoe"]
    assert nearest(opened, face(2)) == ["Bob"]
    assert counts == {"saved": 1, "built": 0}


def test_an_index_of_another_kind_than_asked_for_is_not_used(saved, file, face, monkeypatch):
    counts = loads(monkeypatch)
    for options in (LocalIndex(CompressedIndex), LocalIndex(templates_per_person=1)):
        with Gallery.open(file, index=options) as opened:
            assert nearest(opened, face(2)) == ["Bob"]
    assert counts == {"saved": 0, "built": 2}


def test_where_the_log_does_not_reach_back_the_index_is_built_or_compared(saved, gallery, face, reopen, monkeypatch):
    monkeypatch.setattr(changes, "KEPT", 2)
    other = reopen()
    assert nearest(other, face(2)) == ["Bob"]
    for i in range(3, 9):
        gallery.add_templates(f"P{i}", [face(i)])
    gallery.remove("Ann")
    gallery.merge(["P3"], "P4")
    gallery.rename("Bob", "Robert")
    counts = loads(monkeypatch)
    for opened in (other, reopen()):
        assert nearest(opened, face(2)) == ["Robert"]
        assert nearest(opened, face(3)) == ["P4"]
        assert "Ann" not in nearest(opened, face(1), 9)
        assert len(opened) == 7
    assert counts == {"saved": 0, "built": 1}


def test_a_change_of_people_alone_leaves_the_index_good(saved, gallery, reopen, face, monkeypatch):
    gallery.rename("Bob", "Robert")
    counts = loads(monkeypatch)
    assert nearest(reopen(), face(2)) == ["Robert"]
    assert counts == {"saved": 1, "built": 0}


def test_copies_of_a_gallery_do_not_take_each_others_index(saved, gallery, face, file, tmp_path):
    """Both are changed once, so their generations are equal; their templates are not."""
    copy = tmp_path / "copy.db"
    gallery.backup(copy)
    gallery.add_templates("Zoe", [face(3)])
    gallery.build_index()
    with Gallery.open(copy) as other:
        other.add_templates("Zoe", [face(4)])
        assert other.index.snapshot().generation == gallery.index.snapshot().generation
    for mine, theirs in zip(index_files(file), index_files(copy), strict=True):
        theirs.write_bytes(mine.read_bytes())
    with Gallery.open(copy) as other:
        assert other.search(face(4).vector[None], 1).distances[0, 0] == 0


def test_closing_saves_the_index_of_a_large_gallery_only(file, contract, face, monkeypatch):
    with Gallery.open(file) as gallery:
        gallery.bind(contract)
        gallery.add_templates("Ann", [face(i) for i in range(5)])
        gallery.search(face(1).vector[None], 1)
    assert not index_files(file)[0].exists()
    monkeypatch.setattr(local, "WORTH_SAVING", 5)
    with Gallery.open(file) as gallery:
        gallery.people()
    assert not index_files(file)[0].exists()
    with Gallery.open(file) as gallery:
        gallery.search(face(1).vector[None], 1)
    assert index_files(file)[0].exists()
    before = index_files(file)[0].stat().st_mtime_ns
    with Gallery.open(file) as gallery:
        gallery.search(face(1).vector[None], 1)
    assert index_files(file)[0].stat().st_mtime_ns == before


def test_an_index_that_cannot_be_saved_at_closing_is_only_mentioned(file, contract, face, monkeypatch, caplog):
    monkeypatch.setattr(local, "WORTH_SAVING", 1)
    index_files(file)[0].mkdir()
    with Gallery.open(file) as gallery:
        gallery.bind(contract)
        gallery.add_templates("Ann", [face(1)])
        gallery.search(face(1).vector[None], 1)
    assert "not saved" in caplog.text


# Any sequence of changes, seen by two programs

DIM = 3


CONTRACT = EmbedderContract("net", DIM, "aligned", "f", "MIT", DecisionRule(1, 2, 1.0), True)


class TwoPrograms(RuleBasedStateMachine):
    """However two programs change a gallery, both find what a plain list of its templates says."""

    options = LocalIndex()

    @initialize()
    def start(self):
        self.folder = tempfile.TemporaryDirectory()
        self.file = Path(self.folder.name) / "g.db"
        self.programs = [self.open(), self.open()]
        self.count = 0

    def open(self):
        opened = Gallery.open(self.file, index=self.options)
        opened.bind(CONTRACT)
        return opened

    @rule(who=st.integers(0, 1), name=st.sampled_from("ABC"), n=st.integers(1, 4), negative=st.booleans())
    def add(self, who, name, n, negative):
        new = []
        for _ in range(n):
            self.count += 1
            # Ties on purpose, but nobody's own template is their counter-example.
            seed = self.count % 7 + 10 * negative
            vector = np.random.default_rng(seed).normal(size=DIM).astype(np.float32)
            vector /= np.linalg.norm(vector)
            new.append(NewTemplate(vector, "x.jpg", f"{self.count:064}", negative=negative))
        self.programs[who].add_templates(name, new)

    @rule(who=st.integers(0, 1), name=st.sampled_from("ABC"), data=st.data())
    def take_away(self, who, name, data):
        program = self.programs[who]
        present = {person.name for person in program.people()}
        if name not in present:
            return
        kind = data.draw(st.sampled_from(["remove", "templates", "merge", "split", "save", "rename"]))
        others = sorted(present - {name})
        if kind == "remove":
            program.remove(name)
        elif kind == "templates":
            ids = [template.id for template in program.templates(name)]
            program.remove_templates(data.draw(st.lists(st.sampled_from(ids))) if ids else [])
        elif kind == "merge" and others:
            program.merge(others[:1], name)
        elif kind == "split" and "E" not in present:
            ids = [template.id for template in program.templates(name) if not template.negative]
            if len(ids) > 1:
                program.split(name, ids[1:2], "E")
        elif kind == "rename" and "D" not in present:
            program.rename(name, "D")
        else:
            program.build_index()

    @rule()
    def open_again(self):
        self.programs[1].close()
        self.programs[1] = self.open()

    @invariant()
    def both_find_what_is_there(self):
        probes = np.stack([np.random.default_rng(i).normal(size=DIM) for i in range(7)]).astype(np.float32)
        for program in self.programs:
            stored = self.searched(program)
            oracle = NumpyIndex(DIM)
            if len(stored.templates):
                oracle.add(stored.templates, stored.embeddings)
            distances, ids = oracle.search(probes, 5)
            found = program.search(probes, 5)
            np.testing.assert_array_equal(found.templates, ids)
            np.testing.assert_array_equal(found.distances, distances)
            owner = dict(zip(stored.templates.tolist(), stored.people.tolist(), strict=True))
            assert found.people.tolist() == [[owner.get(i, -1) for i in row] for row in ids.tolist()]
            assert len(program) == len(program.vectors().templates)
            assert dict(program.names) == {person.id: person.name for person in program.people()}
            snapshot = program.index.snapshot()
            there = program.vectors(negative=True)
            assert snapshot.negatives.tolist() == there.embeddings.tolist()
            assert snapshot.negative_people.tolist() == there.people.tolist()

    def searched(self, program):
        """What is to be found, from a fresh look at the database."""
        stored, most = program.vectors(), self.options.templates_per_person
        if most is None:
            return stored
        kept = []
        for person in np.unique(stored.people):
            mine = np.flatnonzero(stored.people == person)
            kept += mine[choose_best(stored.embeddings[mine], np.full(len(mine), 0.5), most)].tolist()
        rows = sorted(kept)
        return GalleryVectors(stored.embeddings[rows], stored.templates[rows], stored.people[rows])

    def teardown(self):
        for program in self.programs:
            program.close()
        self.folder.cleanup()


class TwoCompressed(TwoPrograms):
    """The same with an index that maps a file, which removals change in place."""

    options = LocalIndex(CompressedIndex)


class TwoCondensed(TwoPrograms):
    """The same where only the two best templates of each person are searched."""

    options = LocalIndex(templates_per_person=2)


def _tested(machine):
    case = machine.TestCase
    case.settings = settings(max_examples=8, stateful_step_count=12)
    case.pytestmark = [pytest.mark.slow]
    return case


TestTwoPrograms = _tested(TwoPrograms)
TestTwoCompressed = _tested(TwoCompressed)
TestTwoCondensed = _tested(TwoCondensed)
