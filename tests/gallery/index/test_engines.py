"""The same life of a gallery whoever searches it: this process, pgvector on a real PostgreSQL, Milvus, Milvus Lite."""

from __future__ import annotations

import hashlib
import logging
import subprocess
import sys

import numpy as np
import pytest

from knownface.errors import GalleryError, SettingsError
from knownface.gallery import Gallery, NewTemplate
from knownface.gallery.index import milvus, pgvector, remote
from knownface.gallery.index.choice import chosen_index
from knownface.gallery.index.local import LocalIndex
from knownface.gallery.index.milvus import Milvus
from knownface.gallery.index.pgvector import Pgvector
from knownface.search import NumpyIndex
from knownface.search import milvus as milvus_search
from knownface.search import pgvector as pgvector_module
from knownface.search.milvus import MilvusPartition
from knownface.search.milvus_options import MilvusOptions
from knownface.search.pgvector import PgvectorOptions
from knownface.settings import load_settings
from knownface.types import DecisionRule, EmbedderContract

DIM = 32
CONTRACT = EmbedderContract("net", DIM, "aligned", "a" * 64, "MIT", DecisionRule(1, 3, 1.0), True)
KINDS = ["process", "process-postgresql", "pgvector", "milvus"]
with_milvus_server = pytest.mark.parametrize("opened", [*KINDS, "milvus-server"], indirect=True)
"""For few: each change waits twice for the server's clock."""


def unit(seed, n):
    vectors = np.random.default_rng(seed).normal(size=(n, DIM)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def faces(seed, n):
    digests = [hashlib.sha256(f"{seed}/{i}".encode()).hexdigest() for i in range(n)]
    return [NewTemplate(v, f"/{d[:8]}.jpg", d) for v, d in zip(unit(seed, n), digests, strict=True)]


@pytest.fixture(params=KINDS)
def opened(request, tmp_path):
    """Opens one gallery, again and again; closes all at the end."""
    pytest.importorskip("pymilvus", reason="the extra milvus is not installed") if request.param == "milvus" else None
    postgres = request.param in ("pgvector", "process-postgresql")
    place = request.getfixturevalue("postgres_url") if postgres else tmp_path / "gallery.db"
    if request.param == "milvus-server":
        options = Milvus(MilvusOptions(uri=request.getfixturevalue("milvus_server").uri, kind="flat"))
    else:
        options = {
            "pgvector": Pgvector(),
            "milvus": Milvus(MilvusOptions(uri=str(tmp_path / "milvus" / "faces.db"))),
        }.get(request.param)
    galleries = []

    def open_one():
        gallery = Gallery.open(place, index=options)
        gallery.bind(CONTRACT)
        galleries.append(gallery)
        return gallery

    yield open_one
    for gallery in galleries:
        gallery.close()


def check(gallery, probes, k):
    """Against the oracle over what the database holds."""
    held = gallery.vectors()
    oracle = NumpyIndex(DIM)
    oracle.add(held.templates, held.embeddings)
    distances, ids = oracle.search(probes, k)
    found = gallery.search(probes, k)
    np.testing.assert_array_equal(found.templates, ids)
    np.testing.assert_array_equal(found.distances, distances)
    owner = dict(zip(held.templates.tolist(), held.people.tolist(), strict=True))
    assert found.people.tolist() == [[owner.get(i, -1) for i in row] for row in found.templates.tolist()]
    assert set(found.people.ravel().tolist()) - {-1} <= set(gallery.names)


@pytest.mark.slow
@with_milvus_server
def test_the_same_scenario_gives_the_same_answers(opened):
    gallery, probes = opened(), unit(99, 7)
    check(gallery, probes, 3)
    gallery.enrol([(f"Person {i % 10}", face) for i, face in enumerate(faces(1, 120))])
    check(gallery, probes, 5)
    gallery.add_templates("Ann", [*faces(2, 3), NewTemplate(probes[0], "/not.jpg", "f" * 64, negative=True)])
    check(gallery, np.concatenate([probes, unit(2, 3)]), 9)
    gallery.rename("Ann", "Anne")
    assert gallery.names[int(gallery.search(unit(2, 1), 1).people[0, 0])] == "Anne"
    gallery.merge(["Person 1", "Person 2"], into="Anne")
    check(gallery, probes, 5)
    gallery.remove("Person 3", "Anne")
    check(gallery, np.concatenate([probes, unit(2, 3)]), 5)
    gallery.remove_templates([gallery.templates("Person 4")[0].id])
    gallery.add_templates("Zoë", faces(3, 2))
    check(gallery, np.concatenate([probes, unit(3, 2)]), 5)
    gallery.close()
    again = opened()
    check(again, np.concatenate([probes, unit(3, 2)]), 5)
    check(again, probes, 500)
    again.remove(*[person.name for person in again.people()])
    assert again.search(probes, 2).templates.tolist() == [[-1, -1]] * 7
    again.add_templates("New", faces(4, 2))
    check(again, probes, 4)


@pytest.mark.slow
@with_milvus_server
def test_two_openings_see_each_others_changes_at_once(opened):
    one, other = opened(), opened()
    one.add_templates("Ann", faces(1, 2))
    assert other.names[int(other.search(unit(1, 1), 1).people[0, 0])] == "Ann"
    other.add_templates("Bob", faces(2, 2))
    check(one, unit(2, 2), 3)
    one.remove("Bob")
    found = other.search(unit(2, 2), 3)
    assert set(found.people.ravel().tolist()) <= {-1, one.person("Ann").id}
    check(other, unit(2, 2), 3)


@pytest.mark.slow
def test_a_killed_milvus_server_is_told_and_nothing_is_lost(milvus_server, tmp_path):
    options = Milvus(MilvusOptions(uri=milvus_server.uri, kind="flat", timeout=5))
    with Gallery.open(tmp_path / "gallery.db", index=options) as gallery:
        gallery.bind(CONTRACT)
        gallery.add_templates("Ann", faces(1, 3))
        check(gallery, unit(1, 3), 2)
        milvus_server.kill()
        with pytest.raises(GalleryError, match="did not answer"):
            gallery.search(unit(1, 3), 2)
        gallery.add_templates("Bob", faces(2, 2))
        gallery.remove("Ann")
        milvus_server.start()
        check(gallery, unit(2, 2), 2)
        assert set(gallery.search(unit(1, 3), 5).people.ravel().tolist()) == {-1, gallery.person("Bob").id}


@pytest.mark.slow
def test_milvus_is_asked_to_index_many_additions_at_once(milvus_server, tmp_path, monkeypatch):
    monkeypatch.setattr(milvus_search, "_SEALED_FROM", 40)
    client = MilvusPartition(MilvusOptions(uri=milvus_server.uri, collection="sealed"), DIM, 1)._client
    for added, written in ((30, 0), (50, 80)):
        options = Milvus(MilvusOptions(uri=milvus_server.uri, collection="sealed"))
        with Gallery.open(tmp_path / "gallery.db", index=options) as gallery:
            gallery.bind(CONTRACT)
            gallery.enrol([("Ann", face) for face in faces(added, added)])
            check(gallery, unit(added, 2), 3)
        assert client.get_collection_stats(f"sealed_{DIM}")["row_count"] == written, "what is in memory does not count"
    client.close()


@pytest.mark.slow
def test_more_than_one_step_and_a_step_cut_short(opened, monkeypatch):
    monkeypatch.setattr(remote, "STEP", 16)
    gallery = opened()
    gallery.enrol([("Ann", face) for face in faces(1, 50)])
    read = pgvector.read_vectors
    calls = []

    def fail_at_the_third(*args, **kwargs):
        calls.append(1)
        if len(calls) == 3:
            raise GalleryError("cut short")
        return read(*args, **kwargs)

    with monkeypatch.context() as patched:
        for module in (milvus, pgvector):
            patched.setattr(module, "read_vectors", fail_at_the_third)
        if isinstance(gallery.index._copy, remote.RemoteCopy):
            with pytest.raises(GalleryError, match="cut short"):
                gallery.search(unit(9, 1), 1)
    check(gallery, unit(9, 4), 60)
    gallery.enrol([("Bob", face) for face in faces(2, 50)])
    gallery.remove("Ann")
    check(gallery, unit(9, 4), 60)


@pytest.mark.slow
def test_a_graph_is_built_and_answers_nearly_the_same(postgres_url, monkeypatch):
    monkeypatch.setattr(pgvector_module, "GRAPH_FROM", 500)
    with Gallery.open(postgres_url, index=Pgvector()) as gallery:
        gallery.bind(CONTRACT)
        gallery.enrol([(f"Person {i % 100}", face) for i, face in enumerate(faces(1, 2000))])
        gallery.build_index()
        gallery.index._copy._maintaining.join()
        with gallery.database.reading() as connection:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            plan = connection.exec_driver_sql(
                "EXPLAIN SELECT template_id FROM pgvector_index ORDER BY embedding <-> "
                f"'[{','.join(['0.1'] * DIM)}]'::halfvec({DIM}) LIMIT 3"
            )
            assert "pgvector_index_hnsw" in str(plan.all())
        held, probes = gallery.vectors(), unit(7, 50)
        oracle = NumpyIndex(DIM)
        oracle.add(held.templates, held.embeddings)
        right, found = oracle.search(probes, 5)[1], gallery.search(probes, 5).templates
        assert np.mean([len(set(a) & set(b)) / 5 for a, b in zip(right, found, strict=True)]) > 0.95
        # Almost everybody goes; the scan goes on past the rows that are no more.
        gallery.remove(*[f"Person {i}" for i in range(1, 100)])
        found = gallery.search(probes, 5)
        assert (found.people == gallery.person("Person 0").id).all()


@pytest.mark.slow
def test_milvus_that_was_lost_or_is_ahead_is_mended(tmp_path):
    pytest.importorskip("pymilvus", reason="the extra milvus is not installed")
    options = MilvusOptions(uri=str(tmp_path / "faces.db"))
    file, copy = tmp_path / "gallery.db", tmp_path / "copy.db"
    with Gallery.open(file, index=Milvus(options)) as gallery:
        gallery.bind(CONTRACT)
        gallery.enrol([("Ann", face) for face in faces(1, 20)])
        check(gallery, unit(9, 3), 5)
        gallery.backup(copy)
        gallery.enrol([("Bob", face) for face in faces(2, 20)])
        check(gallery, unit(9, 3), 5)
    # An older state comes back: what was enrolled since must go from Milvus too.
    Gallery.restore(copy, file)
    with Gallery.open(file, index=Milvus(options)) as gallery:
        check(gallery, np.concatenate([unit(9, 3), unit(2, 3)]), 5)
        held = gallery.index._copy._remote._partition.ids(0, 10**6)
        assert held.tolist() == gallery.vectors().templates.tolist()
    other = MilvusOptions(uri=str(tmp_path / "empty.db"))
    with Gallery.open(file, index=Milvus(other)) as gallery:
        check(gallery, unit(9, 3), 5)


@pytest.mark.slow
def test_what_is_removed_leaves_milvus_before_anybody_searches(tmp_path):
    pytest.importorskip("pymilvus", reason="the extra milvus is not installed")
    options = MilvusOptions(uri=str(tmp_path / "faces.db"))
    with Gallery.open(tmp_path / "gallery.db", index=Milvus(options)) as gallery:
        gallery.bind(CONTRACT)
        gallery.enrol([("Ann", face) for face in faces(1, 5)] + [("Bob", face) for face in faces(2, 5)])
        gallery.search(unit(9, 1), 1)
        partition: MilvusPartition = gallery.index._copy._remote._partition
        gallery.remove("Ann")
        assert partition.ids(0, 1000).tolist() == gallery.vectors().templates.tolist()


def test_an_engine_that_does_not_answer_loses_nothing(tmp_path, caplog):
    pytest.importorskip("pymilvus", reason="the extra milvus is not installed")
    options = MilvusOptions(uri="http://ann:secret@127.0.0.1:1", token="ann:secret", timeout=1)
    with Gallery.open(tmp_path / "gallery.db", index=Milvus(options)) as gallery:
        gallery.bind(CONTRACT)
        assert gallery.add_templates("Ann", faces(1, 2)) == 2
        with pytest.raises(GalleryError, match=r"Milvus at http://127\.0\.0\.1:1") as caught:
            gallery.search(unit(1, 1), 1)
        assert "secret" not in str(caught.value)
        with caplog.at_level(logging.WARNING):
            gallery.remove("Ann")
        assert "lags behind" in caplog.text
        assert gallery.people() == []
    assert "secret" not in caplog.text
    assert "secret" not in repr(options)


def test_what_does_not_fit_is_refused(tmp_path, monkeypatch):
    with pytest.raises(SettingsError, match="PostgreSQL"):
        Gallery.open(tmp_path / "gallery.db", index=Pgvector())
    with pytest.raises(SettingsError, match="memory"):
        Gallery.open(":memory:", index=Milvus(MilvusOptions(uri="http://localhost:19530")))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match="milvus_uri"):
        chosen_index(load_settings(index="milvus"))
    made = chosen_index(load_settings(index="milvus", milvus_uri="http://h:1", milvus_token="t", search_effort=77))
    options = made.options
    assert (options.uri, options.token, options.ef, options.nprobe) == ("http://h:1", "t", 77, 77)
    assert chosen_index(load_settings(index="pgvector", search_effort=40)) == Pgvector(PgvectorOptions(ef_search=40))
    assert chosen_index(load_settings()) == LocalIndex()


WATCHER = """
import sys
import numpy as np
from knownface.gallery import Gallery
from knownface.gallery.index.pgvector import Pgvector
index = Pgvector() if sys.argv[2] == "pgvector" else None
probe = np.frombuffer(bytes.fromhex(sys.argv[3]), dtype=np.float32)[None]
with Gallery.open(sys.argv[1], index=index) as gallery:
    for _ in sys.stdin:
        found = int(gallery.search(probe, 1).people[0, 0])
        print(gallery.names.get(found, "Unknown"), flush=True)
"""


@pytest.mark.parametrize("kind", ["process", "pgvector"])
def test_a_change_in_one_process_is_in_the_next_answer_of_another(postgres_url, kind):
    """Stricter than "within a second", and no matter of how busy the machine is."""
    probe = unit(5, 1)[0]
    command = [sys.executable, "-c", WATCHER, postgres_url, kind, probe.tobytes().hex()]
    template = NewTemplate(probe, "/5.jpg", "5" * 64)
    with Gallery.open(postgres_url, index=Pgvector() if kind == "pgvector" else None) as gallery:
        gallery.bind(CONTRACT)
        watcher = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

        def answer():
            watcher.stdin.write("?\n")
            watcher.stdin.flush()
            return watcher.stdout.readline().strip()

        assert answer() == "Unknown"
        gallery.add_templates("Ann", [template])
        assert answer() == "Ann"
        gallery.rename("Ann", "Anne")
        assert answer() == "Anne"
        gallery.remove("Anne")
        assert answer() == "Unknown"
        gallery.add_templates("Ben", [template])
        gallery.merge(["Ben"], into=gallery.add_person("Cleo").name)
        assert answer() == "Cleo"
        gallery.remove_templates([gallery.templates("Cleo")[0].id])
        assert answer() == "Unknown"
        _, errors = watcher.communicate(timeout=60)
    assert watcher.returncode == 0, errors
