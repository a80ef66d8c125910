"""A gallery's partition in Milvus Lite; what a gallery makes of it is tested with the gallery."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from knownface.errors import GalleryError, MissingExtraError, SettingsError
from knownface.search.milvus import Mark, MilvusPartition
from knownface.search.milvus_options import MilvusOptions

DIM = 24


def unit(seed, n):
    vectors = np.random.default_rng(seed).normal(size=(n, DIM)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def uri(tmp_path):
    pytest.importorskip("pymilvus", reason="the extra milvus is not installed")
    pytest.importorskip("milvus_lite", reason="Milvus Lite is not installed")
    return str(tmp_path / "folder" / "faces.db")


def nearest(vectors, probes, k):
    return np.argsort(((vectors[None] - probes[:, None]) ** 2).sum(axis=2), axis=1)[:, :k]


@pytest.mark.parametrize("kind", ["flat", "ivf", "sq8", "hnsw"])
@pytest.mark.slow
def test_every_kind_finds_what_is_near(uri, kind):
    vectors, probes = unit(1, 200), unit(2, 5)
    partition = MilvusPartition(MilvusOptions(uri=uri, kind=kind, nlist=8, nprobe=8), DIM, 7)
    partition.add(np.arange(200), vectors)
    found = partition.candidates(probes, 10)
    right = nearest(vectors, probes, 5)
    assert all(set(a) <= set(b) for a, b in zip(right.tolist(), found.tolist(), strict=True))
    partition.remove(right[0])
    assert not set(right[0].tolist()) & set(partition.candidates(probes[:1], 10)[0].tolist())
    assert (partition.candidates(probes[:1], 250)[0] >= 0).sum() == 195
    partition.close()


@pytest.mark.slow
def test_galleries_keep_apart_and_each_its_mark(uri):
    one, other = (MilvusPartition(MilvusOptions(uri=uri), DIM, number) for number in (0, 2**23 - 1))
    one.add(np.arange(50), unit(1, 50))
    other.add(np.arange(25, 35), unit(2, 10))
    assert one.ids(0, 10**6).tolist() == list(range(50))
    assert other.ids(0, 10**6).tolist() == list(range(25, 35))
    assert set(other.candidates(unit(1, 1), 50)[0].tolist()) == {-1, *range(25, 35)}
    other.remove_beyond(30)
    assert other.ids(0, 100).tolist() == list(range(25, 31))
    assert len(one.ids(0, 100)) == 50
    assert one.mark() == other.mark() == Mark()
    one.set_mark(Mark(5, "abc", 49, whole=True))
    assert one.mark() == Mark(5, "abc", 49, whole=True)
    assert other.mark() == Mark()
    one.close()
    other.close()


@pytest.mark.slow
def test_another_kind_of_index_takes_the_place_of_the_one_before(uri):
    first = MilvusPartition(MilvusOptions(uri=uri, kind="hnsw"), DIM, 1)
    first.add(np.arange(60), unit(1, 60))
    first.close()
    second = MilvusPartition(MilvusOptions(uri=uri, kind="ivf", nlist=4, nprobe=4), DIM, 1)
    assert second.candidates(unit(1, 60)[10:11], 1).tolist() == [[10]]
    assert second._client.describe_index(second._collection, "vector")["index_type"] == "IVF_FLAT"
    second.close()
    third = MilvusPartition(MilvusOptions(uri=uri, kind="ivf", nlist=4, nprobe=2), DIM, 1)
    assert third._has_wanted_index()
    assert len(third.ids(0, 100)) == 60
    third.close()


@pytest.mark.slow
def test_one_program_at_a_time_opens_a_file(uri):
    partition = MilvusPartition(MilvusOptions(uri=uri), DIM, 1)
    code = (
        "import sys; from knownface.search.milvus import MilvusPartition;"
        "from knownface.search.milvus_options import MilvusOptions;"
        "from knownface.errors import GalleryError\n"
        "try: MilvusPartition(MilvusOptions(uri=sys.argv[1]), 24, 1)\n"
        "except GalleryError as error: print(error, error.hint)"
    )
    done = subprocess.run([sys.executable, "-c", code, uri], capture_output=True, text=True, check=False)
    assert "faces.db" in done.stdout, done.stderr
    assert "One program at a time" in done.stdout
    partition.close()


@pytest.mark.slow
def test_another_program_finds_what_one_has_left(uri):
    code = (
        "import sys, numpy as np; from knownface.search.milvus import Mark, MilvusPartition;"
        "from knownface.search.milvus_options import MilvusOptions;"
        "partition = MilvusPartition(MilvusOptions(uri=sys.argv[1]), 24, 1);"
        "partition.add(np.arange(24), np.eye(24, dtype=np.float32)); partition.set_mark(Mark(3, 's', 23, True));"
        "partition.close()"
    )
    subprocess.run([sys.executable, "-c", code, uri], check=True)
    partition = MilvusPartition(MilvusOptions(uri=uri), DIM, 1)
    assert partition.mark() == Mark(3, "s", 23, whole=True)
    assert partition.candidates(np.eye(24, dtype=np.float32)[5:6], 1).tolist() == [[5]]
    partition.close()


def test_what_does_not_fit_is_refused(monkeypatch):
    for options in ({"uri": "faces"}, {"uri": "x.db", "kind": "pq"}, {"uri": "x.db", "kind": "nosuch"}):
        with pytest.raises(SettingsError):
            MilvusOptions(**options)
    monkeypatch.setitem(sys.modules, "pymilvus", None)
    with pytest.raises(MissingExtraError) as caught:
        MilvusPartition(MilvusOptions(uri="http://localhost:19530"), DIM, 1)
    assert "[milvus]" in caught.value.hint


def test_parameters_are_those_of_the_kind():
    options = MilvusOptions(uri="http://ann:secret@host:19530", token="secret", kind="pq", nlist=100, nprobe=400)
    assert options.build(512) == {"nlist": 100, "m": 64, "nbits": 8}
    assert options.build(100)["m"] == 10
    assert options.search(5) == {"nprobe": 100}
    hnsw = MilvusOptions(uri="http://host:19530", kind="hnsw", ef=50)
    assert (hnsw.search(5), hnsw.search(80)) == ({"ef": 50}, {"ef": 80})
    assert options.place == "http://host:19530"
    assert "secret" not in repr(options)


def test_a_server_that_is_not_there_is_told_without_the_password():
    pytest.importorskip("pymilvus", reason="the extra milvus is not installed")
    with pytest.raises(GalleryError, match=r"http://127\.0\.0\.1:1 did not answer") as caught:
        MilvusPartition(MilvusOptions(uri="http://ann:secret@127.0.0.1:1", timeout=1), DIM, 1)
    assert "secret" not in str(caught.value)
