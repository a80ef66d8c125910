"""A gallery keeps its calibration, and knows when it has outgrown it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from knownface.errors import ContractMismatchError
from knownface.gallery import Gallery, GalleryCalibration
from knownface.gallery.calibration import PEOPLE_GROWTH, TEMPLATES_GROWTH
from knownface.storage.schema import VERSION_TABLE
from knownface.types import DecisionRule


def calibration_of(gallery, **changes):
    enrolled = gallery.template_store.enrolled_faces()
    values = {
        "rule": DecisionRule(3, 5, 0.9, 0.05),
        "fingerprint": enrolled.contract.fingerprint,
        "wanted_fpir": 0.01,
        "fpir_bound": 0.008,
        "confidence": 0.95,
        "people": len(np.unique(enrolled.people)),
        "templates": len(enrolled),
        "last_person": int(enrolled.people.max()),
        "last_template": int(enrolled.templates.max()),
        "sentence": "At most 1 % of strangers get a name.",
        "details": {"strangers": 750, "tpir": None, "name": "Zoë"},
        "calibrated_at": datetime(2026, 11, 21, 12, tzinfo=UTC),
    }
    return GalleryCalibration(**{**values, **changes})


@pytest.fixture
def filled(gallery, face):
    """Eight people with two templates each."""
    for person in range(8):
        gallery.add_templates(f"p{person}", [face(10 * person), face(10 * person + 1)])
    return gallery


def test_it_is_kept_replaced_and_taken_away(filled, reopen):
    assert filled.calibration is None
    first = calibration_of(filled)
    filled.set_calibration(first)
    other = reopen()
    assert filled.calibration == other.calibration == first
    assert other.calibration.details == first.details
    assert other.calibration.outgrown is None
    second = replace(first, wanted_fpir=0.02, calibrated_at=datetime(2026, 12, 1, tzinfo=UTC))
    other.set_calibration(second)
    assert filled.calibration == second
    filled.set_calibration(None)
    assert other.calibration is None


def test_it_is_noticed_and_changes_nothing_that_indexes_depend_on(filled):
    before = filled.index.snapshot()
    filled.set_calibration(calibration_of(filled))
    after = filled.index.snapshot()
    assert after.generation > before.generation
    assert after.calibrated == (calibration_of(filled).rule, calibration_of(filled).fingerprint)
    assert after.revision.stamp == before.revision.stamp


def test_it_goes_into_a_backup_and_comes_back(filled, file, tmp_path):
    made = calibration_of(filled)
    filled.set_calibration(made)
    filled.backup(tmp_path / "b.db")
    filled.set_calibration(None)
    filled.close()
    Gallery.restore(tmp_path / "b.db", file)
    with Gallery.open(file) as restored:
        assert restored.calibration == made


def test_a_calibration_of_other_templates_is_refused(filled, contract):
    wrong = calibration_of(filled, fingerprint="c" * 64)
    with pytest.raises(ContractMismatchError, match="which is not what was measured"):
        filled.set_calibration(wrong)
    assert filled.calibration is None


def test_a_quarter_more_people_is_borne_and_no_more(filled, face):
    filled.set_calibration(calibration_of(filled))
    assert PEOPLE_GROWTH == 1.25
    for person in range(2):
        filled.add_templates(f"new{person}", [face(1000 + person)])
    assert (filled.calibration.new_people, filled.calibration.new_templates) == (2, 2)
    assert filled.calibration.outgrown is None
    filled.add_templates("new2", [face(1002)])
    told = filled.calibration.outgrown
    assert "people then: 8, enrolled since: 3" in told
    # 0.008 x 11 / 8
    assert "instead of 1.00% up to 1.10% of strangers" in told


def test_twice_the_templates_is_too_much(filled, face):
    filled.set_calibration(calibration_of(filled))
    assert TEMPLATES_GROWTH == 2.0
    filled.add_templates("p0", [face(2000 + i) for i in range(15)])
    assert filled.calibration.outgrown is None
    filled.add_templates("p1", [face(2100)])
    assert "templates then: 16, since: 16" in filled.calibration.outgrown


def test_counter_examples_and_people_without_templates_do_not_count(filled, face):
    filled.set_calibration(calibration_of(filled))
    for person in range(20):
        filled.add_person(f"empty{person}")
    filled.add_templates("p0", [face(3000 + i, negative=True) for i in range(40)])
    assert (filled.calibration.new_people, filled.calibration.new_templates) == (0, 0)


def test_renaming_merging_splitting_and_removing_keep_it(filled):
    made = calibration_of(filled)
    filled.set_calibration(made)
    filled.rename("p0", "Ann")
    filled.merge(["p1", "p2"], into="Ann")
    filled.split("Ann", [filled.templates("Ann")[0].id], "Ben")
    filled.remove("p3", "p4", "p5")
    assert filled.calibration == made
    assert filled.calibration.outgrown is None


def test_people_in_the_place_of_removed_ones_are_new(filled, face):
    filled.set_calibration(calibration_of(filled))
    filled.remove(*(f"p{i}" for i in range(4)))
    for person in range(4):
        filled.add_templates(f"new{person}", [face(4000 + person)])
    assert "enrolled since: 4" in filled.calibration.outgrown


def test_an_older_gallery_is_brought_forward_with_everybody_in_it(file, contract, face):
    with Gallery.open(file) as gallery:
        gallery.bind(contract)
        gallery.add_templates("Ann", [face(1), face(2)])
    _make_older(file, "0001", {"people", "groups", "person_groups", "templates", "contracts", "refusals", "meta"})
    with Gallery.open(file) as gallery:
        assert gallery.calibration is None
        assert [p.name for p in gallery.people()] == ["Ann"]
        np.testing.assert_array_equal(gallery.vectors().embeddings, [face(1).vector, face(2).vector])
        gallery.set_calibration(calibration_of(gallery))
        assert gallery.calibration.people == 1


def _make_older(file, revision, tables):
    """Take away what later revisions have added."""
    with closing(sqlite3.connect(file)) as connection:
        objects = connection.execute("SELECT type, name FROM sqlite_master WHERE sql NOT NULL").fetchall()
        for kind, name in objects:
            newer = kind == "trigger" or name == "ix_templates_negative"
            if newer or (kind == "table" and name not in tables | {VERSION_TABLE, "sqlite_sequence"}):
                connection.execute(f"DROP {kind} {name}")
        connection.execute("ALTER TABLE contracts DROP COLUMN in_use")
        connection.execute("ALTER TABLE people DROP COLUMN until")
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = ?", (revision,))
        connection.commit()


def test_notes_tell_what_holds(filled):
    made = calibration_of(filled)
    right = made.fingerprint
    [note] = made.notes(made.rule, right, {})
    assert note.startswith("Calibrated on 2026-11-21: threshold 0.9, k1 3, k2 5, margin 0.05; at most 1.00%")
    stricter = DecisionRule(1, 2, 0.8, 0.1)
    assert made.notes(stricter, right, {})[0].startswith("Calibrated on")
    for laxer in (DecisionRule(3, 5, 0.95, 0.05), DecisionRule(3, 5, 0.9, 0.0)):
        [note] = made.notes(laxer, right, {})
        assert "does not hold" in note
    assert "1 person has a laxer threshold" in made.notes(made.rule, right, {1: 1.0, 2: 0.5})[1]
    [note] = made.notes(made.rule, "d" * 64, {})
    assert "another embedder" in note
    grown = replace(made, new_people=3)
    assert [*made.notes(made.rule, right, {}), grown.outgrown] == grown.notes(made.rule, right, {})


def test_everything_enrolled_as_arrays(gallery, face, tmp_path):
    names = ["Ann", "Zoë", "Ann"]
    for name, template in zip(names, [face(1), face(2, frame_time=1.5), face(3)], strict=True):
        gallery.add_templates(name, [template])
    gallery.add_templates("Ann", [face(9, negative=True)])
    gallery.rename("Ann", "Anne")
    faces = gallery.template_store.enrolled_faces()
    assert len(faces) == 3
    file = tmp_path / "faces.npz"
    faces.save(file)
    assert file.stat().st_mode & 0o077 == 0
    with np.load(file, allow_pickle=False) as read:
        assert read["names"].tolist() == ["Anne", "Zoë", "Anne"]
        assert read["sources"].tolist() == ["/photos/1.jpg", "/photos/2.jpg", "/photos/3.jpg"]
        assert read["source_sha256"].tolist() == [face(i).source_sha256 for i in (1, 2, 3)]
        np.testing.assert_array_equal(read["embeddings"], [face(i).vector for i in (1, 2, 3)])
        np.testing.assert_array_equal(read["frame_times"], [np.nan, 1.5, np.nan])
        assert read["templates"].tolist() == gallery.vectors().templates.tolist()
        assert read["people"].tolist() == gallery.vectors().people.tolist()
        assert '"name": "net"' in str(read["contract"])


def test_nothing_enrolled_as_arrays(tmp_path):
    with Gallery.open(":memory:") as empty:
        faces = empty.template_store.enrolled_faces()
    assert len(faces) == 0
    assert faces.contract is None
    assert faces.embeddings.shape == (0, 0)
    faces.save(tmp_path / "none.npz")
    with np.load(tmp_path / "none.npz", allow_pickle=False) as read:
        assert read["names"].shape == (0,)
