"""What is removed is in no file any more: neither as a vector, nor as a name, nor as the path of a photo."""

from __future__ import annotations

import pytest

from knownface.errors import UnknownPersonError
from knownface.files import beside
from knownface.gallery import Gallery, Refusal
from knownface.gallery.index.saved import index_files


def everything(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def traces(folder, *texts):
    return [(name, text) for name, content in everything(folder).items() for text in texts if text in content]


@pytest.fixture
def filled(gallery, face):
    """Ann with photos, counter-examples and refused files, among forty others, with a saved index."""
    for start in range(0, 40, 4):
        gallery.enrol([(f"Person {i}", face(100 * (i + 1) + j)) for i in range(start, start + 4) for j in range(5)])
    gallery.add_person("Ann Secret", external_id="ID-SECRET", groups=["GROUP-SECRET"])
    photos = [face(i, source=f"/photos/Ann Secret/{i}.jpg") for i in range(5)]
    gallery.add_templates("Ann Secret", [*photos, face(7, source="/photos/Ann Secret/not.jpg", negative=True)])
    refusal = Refusal("/photos/Ann Secret/bad.jpg", "e" * 64, "key", "no-face", "No face.")
    gallery.enrol((), [("Ann Secret", refusal)])
    gallery.build_index()
    return gallery


def secrets(face):
    vectors = [face(i).vector.tobytes() for i in (*range(5), 7)]
    hashes = [face(i).source_sha256.encode() for i in (*range(5), 7)]
    return [*vectors, *hashes, b"Ann Secret", b"ann secret", b"ID-SECRET", b"GROUP-SECRET", b"e" * 64]


def test_before_it_everything_is_there(filled, face, tmp_path, file):
    found = traces(tmp_path, *secrets(face))
    assert {text for _, text in found} == set(secrets(face))


def test_removing_a_person_leaves_no_trace_in_any_file(filled, face, tmp_path, file):
    filled.remove("ann secret")
    assert traces(tmp_path, *secrets(face)) == []
    assert not any(path.exists() for path in index_files(file))
    with pytest.raises(UnknownPersonError):
        filled.person("Ann Secret")
    assert len(filled) == 200
    filled.search(face(1).vector[None], 1)
    filled.build_index()
    filled.close()
    assert traces(tmp_path, *secrets(face)) == []


def test_removing_a_template_leaves_no_trace_in_any_file(filled, face, tmp_path, file):
    template = next(t for t in filled.templates("Ann Secret") if t.source_sha256 == face(3).source_sha256)
    assert filled.remove_templates([template.id]) == 1
    mine = [face(3).vector.tobytes(), face(3).source_sha256.encode(), b"/photos/Ann Secret/3.jpg"]
    assert traces(tmp_path, *mine) == []
    assert not any(path.exists() for path in index_files(file))
    assert traces(tmp_path, face(4).vector.tobytes())


def test_a_name_that_went_in_a_merge_goes_with_whom_it_was_joined_into(filled, face, tmp_path, file):
    filled.rename("Ann Secret", "Ann Hidden")
    filled.merge(["Ann Hidden"], "Person 0")
    assert traces(tmp_path, b"ann secret")  # her folder still means her, and the merge can be undone
    filled.remove("Person 0")
    assert traces(tmp_path, b"ann secret", b"Ann Hidden", *secrets(face)) == []


def test_several_people_are_removed_at_once_or_not_at_all(filled):
    with pytest.raises(UnknownPersonError):
        filled.remove("Person 1", "Nobody")
    assert filled.person("Person 1")
    filled.remove("Person 1", "Person 2")
    assert len(filled.people()) == 39


def test_somebody_of_whom_only_refused_files_are_known_is_forgotten_too(gallery, tmp_path):
    gallery.enrol((), [("Zoe", Refusal("/photos/Zoe/1.jpg", "0" * 64, "key", "no-face", "No face."))])
    gallery.remove("Zoe")
    assert gallery.template_store.refusals("key") == {}
    assert traces(tmp_path, b"Zoe", b"0" * 64) == []
    with pytest.raises(UnknownPersonError):
        gallery.remove("Zoe")


def test_another_programs_index_does_not_bring_the_person_back(filled, face, tmp_path, reopen, monkeypatch):
    other = reopen()
    other.search(face(1).vector[None], 1)
    filled.remove("Ann Secret")
    monkeypatch.setattr("knownface.gallery.index.local.WORTH_SAVING", 1)
    other.close()
    filled.close()
    assert traces(tmp_path, *secrets(face)) == []


def test_a_removal_that_was_cut_short_is_finished_at_the_next_start(filled, face, tmp_path, file, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr("knownface.storage.Database.scrub", lambda database, thorough: False)
        filled.remove("Ann Secret")
        filled.close()
    Gallery.open(file).close()
    assert traces(tmp_path, *secrets(face)) == []


def test_what_a_killed_program_left_half_written_goes_too(filled, face, tmp_path, file):
    halves = [beside(path) for path in (file, *index_files(file))]
    for half in halves:
        half.write_bytes(face(1).vector.tobytes())
    others = [beside(tmp_path / "gallery-2.db"), tmp_path / "gallery.db.txt"]
    for other in others:
        other.write_text("somebody else's")
    filled.remove("Ann Secret")
    assert not any(half.exists() for half in halves)
    assert all(other.exists() for other in others)
