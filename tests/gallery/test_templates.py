from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import update

from knownface.errors import (
    ContractMismatchError,
    GalleryDamagedError,
    GalleryEmptyError,
    GalleryError,
    OutputError,
    PersonError,
)
from knownface.gallery import Gallery, Refusal
from knownface.storage.migrate import HEAD
from knownface.storage.schema import templates


def test_templates_come_back_as_they_went_in(gallery, face, reopen):
    video = face(2, frame_time=1.23456789, face_index=3, box=None, quality=None, negative=True)
    assert gallery.add_templates("Ann", [face(1), video]) == 2
    for opened in (gallery, reopen()):
        ann = opened.person("Ann")
        assert ann.templates == 1
        first, second = opened.templates("Ann")
        assert (first.person_id, first.source, first.source_sha256) == (ann.id, face(1).source, face(1).source_sha256)
        assert (first.box, first.quality, first.frame_time, first.face_index) == (face(1).box, 0.75, None, 0)
        assert not first.negative
        assert (second.frame_time, second.face_index, second.box, second.quality) == (1.234568, 3, None, None)
        assert second.negative
        stored = opened.vectors()
        np.testing.assert_array_equal(stored.embeddings, face(1).vector[None])
        assert stored.templates.tolist() == [first.id]
        assert stored.people.tolist() == [ann.id]


def test_the_same_face_is_added_once(gallery, face):
    faces = [face(1), face(1, face_index=1), face(1, frame_time=0.0), face(1, frame_time=0.5), face(3, negative=True)]
    assert gallery.add_templates("Ann", faces) == 5
    generation = gallery.index.snapshot().generation
    assert gallery.add_templates("Ann", faces) == 0
    assert gallery.add_templates("Ann", [face(1), face(1), face(2), face(2)]) == 1
    assert gallery.index.snapshot().generation == generation + 1
    assert gallery.add_templates("Bob", faces) == 5


def test_nothing_added_makes_nobody(gallery):
    assert gallery.add_templates("Ann", []) == 0
    assert gallery.people() == []


def test_enrolling_many_people_is_one_transaction(gallery, face):
    enrolled = gallery.enrol([("Ann", face(1)), ("Bob", face(2)), ("Ann", face(3))])
    shas = [face(i).source_sha256 for i in (1, 2, 3)]
    assert enrolled.added == {("ann", shas[0]): 1, ("bob", shas[1]): 1, ("ann", shas[2]): 1}
    assert gallery.enrol([("Ann", face(1))]).added == {}
    assert enrolled.people_of_files == {
        face(1).source_sha256: ["Ann"],
        face(2).source_sha256: ["Bob"],
        face(3).source_sha256: ["Ann"],
    }
    with pytest.raises(ValueError, match="length 1"):
        gallery.enrol([("Zoe", face(4)), ("Zoe", face(5, vector=np.zeros(8, dtype=np.float32)))])
    with pytest.raises(ValueError, match=r"\(8,\)"):
        gallery.enrol([("Zoe", face(4)), ("Zoe", face(5, dim=9))])
    with pytest.raises(ValueError, match="length 1"):
        gallery.enrol([("Zoe", face(5, vector=np.full(8, np.nan, dtype=np.float32)))])
    assert [person.name for person in gallery.people()] == ["Ann", "Bob"]


def test_the_same_file_under_two_people_is_noticed(gallery, face):
    gallery.add_templates("bob", [face(1), face(2)])
    assert gallery.enrol([("Ann", face(1))]).people_of_files == {face(1).source_sha256: ["Ann", "bob"]}
    gallery.add_templates("Zoe", [face(2, negative=True)])
    assert gallery.enrol([("Ann", face(2))]).people_of_files == {face(2).source_sha256: ["Ann", "bob"]}


def test_known_sources_are_those_a_person_was_learnt_from(gallery, face):
    gallery.add_templates("Ann LEE", [face(1), face(2, negative=True)])
    assert gallery.template_store.known_sources() == {("ann lee", face(1).source_sha256)}


def test_refusals_are_remembered_by_the_rules_they_came_from(gallery, face, reopen):
    refusal = Refusal("/photos/\udcff.jpg", "0" * 64, "rules 1", "no-face", "No face was found.")
    gallery.enrol([("Ann", face(1))], [("Bob", refusal), ("BOB", refusal)])
    gallery.enrol((), [("Bob", refusal)])
    found = reopen().template_store.refusals("rules 1")
    assert list(found) == [("bob", "0" * 64)]
    assert found["bob", "0" * 64].reason == "no-face"
    assert found["bob", "0" * 64].source == "/photos/\\udcff.jpg"
    assert gallery.template_store.refusals("rules 2") == {}
    assert [person.name for person in gallery.people()] == ["Ann"]


def test_a_gallery_is_filled_by_one_embedder(gallery, face, contract, other_contract, reopen):
    assert gallery.contract == contract
    gallery.template_store.check_contract(other_contract)
    other = reopen()
    assert other.contract is None
    other.bind(other_contract)
    gallery.add_templates("Ann", [face(1)])
    assert reopen().contract == contract
    with pytest.raises(ContractMismatchError, match=r"filled by net .*not by other-net"):
        other.add_templates("Bob", [face(2)])
    for call in (gallery.bind, gallery.template_store.check_contract, reopen().bind):
        with pytest.raises(ContractMismatchError):
            call(other_contract)
    assert [person.name for person in gallery.people()] == ["Ann"]
    assert other.contract == contract


def test_an_emptied_gallery_may_be_filled_by_another(gallery, face, contract, other_contract, reopen):
    gallery.add_templates("Ann", [face(1)])
    gallery.search(face(1).vector[None], 1)
    gallery.remove("Ann")
    other = reopen()
    assert other.contract == contract
    other.bind(other_contract)
    other.add_templates("Bob", [face(2)])
    assert gallery.contract == other_contract
    with pytest.raises(ContractMismatchError):
        gallery.add_templates("Ann", [face(1)])
    assert gallery.search(face(2).vector[None], 2).people[0].tolist() == [gallery.person("Bob").id, -1]


def test_without_an_embedder_nothing_can_be_added(file, face):
    with Gallery.open(file) as gallery, pytest.raises(ValueError, match="bind"):
        gallery.add_templates("Ann", [face(1)])


def test_an_open_gallery_knows_its_embedder(gallery, face, reopen):
    gallery.add_templates("Ann", [face(1)])
    assert reopen().add_templates("Ann", [face(2)]) == 1


def test_a_gallery_in_memory(contract, face):
    with Gallery.open(":memory:") as gallery:
        gallery.bind(contract)
        gallery.add_templates("Ann", [face(1)])
        assert gallery.search(face(1).vector[None], 1).distances[0, 0] == 0
        gallery.remove("Ann")
        assert gallery.build_index() == 0
        assert gallery.info().size is None
        with pytest.raises(GalleryError, match="no file"):
            Gallery.restore("x", ":memory:")


def test_info(gallery, face, file, contract):
    gallery.add_templates("Ann", [face(1), face(2, negative=True)])
    gallery.add_person("Bob", groups=["staff"])
    info = gallery.info()
    assert (info.people, info.templates, info.negatives, info.groups) == (2, 1, 1, 1)
    assert (info.location, info.contract, info.schema) == (str(file), contract, HEAD)
    assert info.size > 8192
    assert not info.index_saved
    gallery.build_index()
    assert gallery.info().index_saved
    assert gallery.location == str(file)


def test_a_missing_or_empty_gallery_is_told(tmp_path, gallery, face):
    with pytest.raises(GalleryEmptyError):
        Gallery.open(tmp_path / "none.db", create=False)
    gallery.add_templates("Ann", [face(1, negative=True)])
    assert gallery
    with pytest.raises(GalleryEmptyError):
        gallery.index.check_not_empty()
    gallery.add_templates("Ann", [face(1)])
    gallery.index.check_not_empty()


def test_a_closed_gallery_says_so(gallery, face):
    gallery.close()
    gallery.close()
    for call in (gallery.people, gallery.template_store.known_sources, lambda: gallery.search(face(1).vector[None], 1)):
        with pytest.raises(GalleryError, match="closed"):
            call()


def test_a_vector_of_the_wrong_length_is_damage(gallery, face):
    gallery.add_templates("Ann", [face(1)])
    with gallery.database.writing() as connection:
        connection.execute(update(templates).values(vector=b"\0"))
    with pytest.raises(GalleryDamagedError, match="8 numbers"):
        gallery.vectors()


def test_a_full_disk_leaves_the_gallery_as_it_was(gallery, face, file):
    gallery.add_templates("Ann", [face(1)])
    generation = gallery.index.snapshot().generation
    with gallery.database.reading() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 1}")
    new = [face(i, dim=8) for i in range(2, 2000)]
    with pytest.raises(OutputError, match="full"):
        gallery.add_templates("Bob", new)
    assert [person.name for person in gallery.people()] == ["Ann"]
    assert (gallery.index.snapshot().generation, len(gallery)) == (generation, 1)
    with gallery.database.reading() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert gallery.add_templates("Bob", new) == len(new)


def test_backup_and_restore(gallery, face, file, tmp_path):
    gallery.add_templates("Ann", [face(1)])
    gallery.backup(tmp_path / "copy.db")
    gallery.add_templates("Bob", [face(2)])
    gallery.build_index()
    gallery.close()
    kept = Gallery.restore(tmp_path / "copy.db", file).kept
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.db", "gallery.db", kept.name]
    with Gallery.open(file, create=False) as restored, Gallery.open(kept, create=False) as before:
        assert [person.name for person in restored.people()] == ["Ann"]
        assert [person.name for person in before.people()] == ["Ann", "Bob"]
        assert restored.search(face(2).vector[None], 2).templates[0, 1] == -1


def test_a_persons_own_photo_is_no_counter_example(gallery, face):
    gallery.add_templates("Ann", [face(1)])
    with pytest.raises(PersonError, match="'Ann''s own template 1") as error:
        gallery.add_templates("Ann", [face(1, source_sha256="c" * 64, negative=True)])
    assert "move it" in error.value.hint
    assert gallery.add_templates("Ben", [face(1, negative=True)]) == 1
