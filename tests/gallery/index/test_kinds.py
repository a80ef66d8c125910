"""The same scenario against every index and engine, with NumPy as the oracle: the same names, the same distances."""

from __future__ import annotations

import time

import numpy as np
import pytest

from knownface.gallery import Gallery, NewTemplate
from knownface.gallery.index import sizes
from knownface.gallery.index.choice import chosen_index
from knownface.gallery.index.local import LocalIndex
from knownface.gallery.index.milvus import Milvus
from knownface.gallery.index.pgvector import Pgvector
from knownface.gallery.index.saved import erase_templates, index_files
from knownface.gallery.index.template_selection import choose_best
from knownface.search import CompressedIndex, NumpyIndex
from knownface.search.milvus_options import MilvusOptions
from knownface.settings import load_settings
from knownface.storage import scrub

PEOPLE = 300
EACH = 6
DIM = 8
KINDS = ["flat", "compressed", "pgvector", "milvus"]


def vector_of(person, number):
    rng = np.random.default_rng(person)
    centre = rng.normal(size=DIM)
    vector = centre / np.linalg.norm(centre) + 0.02 * np.random.default_rng([person, number]).normal(size=DIM)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def template(person, number):
    return NewTemplate(vector_of(person, number), f"/p/{person}/{number}.jpg", f"{person:032}{number:032}")


def fill(gallery, contract):
    gallery.bind(contract)
    gallery.enrol([(f"Person {p}", template(p, n)) for p in range(PEOPLE) for n in range(EACH)])


def answers_as_the_oracle(gallery, probes):
    stored, oracle = gallery.vectors(), NumpyIndex(DIM)
    oracle.add(stored.templates, stored.embeddings)
    distances, ids = oracle.search(probes, 3)
    found = gallery.search(probes, 3)
    np.testing.assert_array_equal(found.templates, ids)
    np.testing.assert_array_equal(found.distances, distances)
    return [gallery.names[int(person)] for person in found.people[:, 0]]


@pytest.fixture
def how(request, file):
    """Where the gallery lies, and who searches it."""
    if request.param == "pgvector":
        return {"location": request.getfixturevalue("postgres_url"), "index": Pgvector()}
    if request.param == "milvus":
        pytest.importorskip("pymilvus", reason="the extra milvus is not installed")
        return {"location": file, "index": Milvus(MilvusOptions(uri=str(file.with_name("milvus") / "faces.db")))}
    kind = {kind.name: kind for kind in sizes.kinds()}[request.param]
    return {"location": file, "index": LocalIndex(kind)}


@pytest.mark.parametrize("how", KINDS, indirect=True)
@pytest.mark.slow
def test_enrol_search_edit_delete_restart(how, file, contract, tmp_path):
    probes = np.stack([vector_of(p, 1000) for p in range(0, PEOPLE, 7)])
    with Gallery.open(**how) as gallery:
        fill(gallery, contract)
        assert answers_as_the_oracle(gallery, probes) == [f"Person {p}" for p in range(0, PEOPLE, 7)]
        gallery.build_index()
    with Gallery.open(**how) as gallery, Gallery.open(**how) as other:
        assert gallery.info().index_saved is (True if isinstance(how["index"], LocalIndex) else None)
        other.search(probes, 1)
        gallery.bind(contract)
        gallery.rename("Person 0", "Ada")
        gallery.merge(["Person 7"], "Person 14")
        gallery.remove("Person 21")
        gallery.add_templates("Zoe", [template(9000, 0)])
        for opened in (gallery, other):
            told = answers_as_the_oracle(opened, probes)
            assert told[:3] == ["Ada", "Person 14", "Person 14"]
            assert told[3] != "Person 21"
            assert answers_as_the_oracle(opened, vector_of(9000, 1)[None]) == ["Zoe"]
    with Gallery.open(**how) as gallery:
        assert answers_as_the_oracle(gallery, probes)[:3] == ["Ada", "Person 14", "Person 14"]
        assert len(gallery) == PEOPLE * EACH - EACH + 1
    if not isinstance(how["index"], LocalIndex):
        return  # their files are theirs
    gone = [vector_of(21, n).tobytes() for n in range(EACH)]
    assert not [path.name for path in tmp_path.iterdir() if any(v in path.read_bytes() for v in gone)]


def test_a_removal_leaves_the_saved_index_of_a_large_gallery_usable(file, contract, tmp_path, monkeypatch):
    options = LocalIndex(CompressedIndex)
    with Gallery.open(file, index=options) as gallery:
        fill(gallery, contract)
        gallery.build_index()
        kept, gone = vector_of(5, 0).tobytes(), vector_of(21, 0).tobytes()
        assert gone in index_files(file)[0].read_bytes()
        gallery.remove("Person 21")
        content = index_files(file)[0].read_bytes()
        assert gone not in content
        assert kept in content
    monkeypatch.setattr("knownface.gallery.index.local.build", None)
    with Gallery.open(file, index=options) as gallery:
        assert "Person 21" not in {gallery.names[int(p)] for p in gallery.search(vector_of(21, 0)[None], 100).people[0]}


def test_a_removal_that_is_rolled_back_loses_nothing_of_the_saved_index(file, contract):
    options = LocalIndex(CompressedIndex)
    with Gallery.open(file, index=options) as gallery:
        fill(gallery, contract)
        gallery.build_index()
        ids = [t.id for t in gallery.templates("Person 21")]

    class Stop(Exception):
        """Stands for whatever comes between erasing and committing."""

    with Gallery.open(file, index=options) as gallery:
        with pytest.raises(Stop), gallery.database.writing():  # noqa: PT012 - what comes before the raise is the point
            erase_templates(file, np.array(ids))
            raise Stop
        assert answers_as_the_oracle(gallery, vector_of(21, 0)[None]) == ["Person 21"]


def test_a_vector_damaged_on_the_disk_is_taken_from_the_database(file, contract, caplog):
    options = LocalIndex(CompressedIndex)
    with Gallery.open(file, index=options) as gallery:
        fill(gallery, contract)
        gallery.build_index()
    index = index_files(file)[0]
    content = bytearray(index.read_bytes())
    content[content.index(vector_of(21, 0).tobytes()) + 2] ^= 1
    index.write_bytes(content)
    with Gallery.open(file, index=options) as gallery:
        assert answers_as_the_oracle(gallery, vector_of(21, 0)[None]) == ["Person 21"]
    assert "built anew" in caplog.text


def test_a_gallery_that_grows_changes_its_index_without_a_gap(file, contract, monkeypatch):
    monkeypatch.setattr(sizes, "FLAT_UP_TO", 500)
    with Gallery.open(file) as gallery:
        gallery.bind(contract)
        gallery.enrol([(f"Person {p}", template(p, n)) for p in range(60) for n in range(EACH)])
        gallery.search(vector_of(0, 0)[None], 1)
        assert gallery.index._copy.index.name == "flat"
        gallery.enrol([(f"Person {p}", template(p, n)) for p in range(60, PEOPLE) for n in range(EACH)])
        deadline = time.monotonic() + 60
        while gallery.index._copy.index.name == "flat":
            assert answers_as_the_oracle(gallery, vector_of(70, 9)[None]) == ["Person 70"]
            assert time.monotonic() < deadline
        assert answers_as_the_oracle(gallery, vector_of(70, 9)[None]) == ["Person 70"]
        assert "compressed" in gallery.info().index
    with Gallery.open(file) as gallery:
        assert gallery.info().index_saved


def test_a_large_gallery_is_rid_of_the_last_traces_when_closed(file, contract, tmp_path, monkeypatch):
    monkeypatch.setattr(scrub, "PROMPT_BYTES", 0)
    with Gallery.open(file) as gallery:
        fill(gallery, contract)
        gallery.remove("Person 21")
        assert not [p for p in tmp_path.iterdir() if vector_of(21, 0).tobytes() in p.read_bytes()]
    assert b"Person 21\x00" not in file.read_bytes()


def test_the_settings_choose_the_index():
    settings = load_settings(index="compressed", search_effort=7, templates_per_person=4)
    assert chosen_index(settings) == LocalIndex(CompressedIndex, 7, 4)
    assert chosen_index(load_settings()) == LocalIndex()
    assert [LocalIndex().kind_for(n).name for n in (20_000, 20_001)] == ["flat", "compressed"]


def test_a_kind_of_an_earlier_version_is_taken_for_what_replaced_it(caplog):
    assert chosen_index(load_settings(index="ivf")) == LocalIndex(CompressedIndex)
    assert "ivf is no more; compressed is used" in caplog.text


def test_the_best_templates_are_far_apart_and_good():
    vectors = np.array([[1, 0], [0.99, 0.1], [0, 1], [-1, 0], [-0.9, -0.1]], dtype=np.float32)
    qualities = np.array([0.9, 0.8, 0.9, 0.9, 0.1])
    assert choose_best(vectors, qualities, 3).tolist() == [0, 2, 3]
    assert choose_best(vectors, qualities, 9).tolist() == [0, 1, 2, 3, 4]
    assert choose_best(vectors, np.array([0.1, 0.1, 0.1, 0.1, 0.9]), 1).tolist() == [4]
