"""The same tests for every index, and FAISS against the oracle."""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from pathlib import Path

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from knownface.errors import IndexDamagedError, OutputError
from knownface.search import CompressedIndex, FaissFlatIndex, NumpyIndex

KINDS = [NumpyIndex, FaissFlatIndex, CompressedIndex]


class FilteredIndex(FaissFlatIndex):
    """The exact index as it is for many vectors: codes propose."""

    filtered = (0, 1 << 40)
    candidates = 1


FLAT_KINDS = [FaissFlatIndex, FilteredIndex]


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


def unit(rng, n, dim):
    vectors = rng.normal(size=(n, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def ids_of(*values):
    return np.array(values, dtype=np.int64)


def test_distances_are_rooted_and_ordered(kind):
    index = kind(2)
    index.add(ids_of(5, 2, 9), np.array([[3, 4], [0, 1], [0, 0]], dtype=np.float32))
    distances, ids = index.search(np.zeros((1, 2), dtype=np.float32), 3)
    assert ids.tolist() == [[9, 2, 5]]
    assert distances.tolist() == [[0.0, 1.0, 5.0]]
    assert distances.dtype == np.float32
    assert ids.dtype == np.int64


def test_what_is_missing_is_minus_one_and_infinite(kind):
    index = kind(2)
    assert index.search(np.zeros((2, 2), dtype=np.float32), 2)[1].tolist() == [[-1, -1], [-1, -1]]
    index.add(ids_of(4), np.ones((1, 2), dtype=np.float32))
    distances, ids = index.search(np.ones((1, 2), dtype=np.float32), 3)
    assert ids.tolist() == [[4, -1, -1]]
    assert distances.tolist() == [[0.0, np.inf, np.inf]]
    assert index.search(np.empty((0, 2), dtype=np.float32), 3)[0].shape == (0, 3)


def test_equal_vectors_at_the_cut_come_in_the_order_of_their_ids(kind):
    index = kind(16)
    same = np.tile(unit(np.random.default_rng(0), 1, 16), (100, 1))
    index.add(np.random.default_rng(1).permutation(100), same)
    _, ids = index.search(same[:1], 7)
    assert ids.tolist() == [list(range(7))]


def test_adding_an_id_again_replaces_its_vector(kind):
    index = kind(2)
    index.add(ids_of(1, 2), np.array([[0, 0], [5, 5]], dtype=np.float32))
    index.add(ids_of(1, 3), np.array([[9, 9], [1, 1]], dtype=np.float32))
    assert len(index) == 3
    assert index.ids().tolist() == [1, 2, 3]
    assert index.search(np.zeros((1, 2), dtype=np.float32), 3)[1].tolist() == [[3, 2, 1]]


def test_removing_what_is_not_there_does_nothing(kind):
    index = kind(2)
    index.add(ids_of(1, 2), np.eye(2, dtype=np.float32))
    index.remove(ids_of(7, 1, 1))
    assert index.ids().tolist() == [2]
    index.remove(ids_of())
    index.remove(ids_of(2))
    assert len(index) == 0
    assert index.search(np.zeros((1, 2), dtype=np.float32), 1)[1].tolist() == [[-1]]


@pytest.mark.parametrize(
    ("ids", "vectors"),
    [
        ([1], np.zeros((1, 3))),
        ([1], np.zeros(2)),
        ([1, 2], np.zeros((1, 2))),
        ([1, 1], np.zeros((2, 2))),
        ([-1], np.zeros((1, 2))),
        ([1], np.array([[np.nan, 0]])),
        ([1], np.array([[np.inf, 0]])),
        ([1], np.array([[1e16, 0]])),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(kind, ids, vectors):
    index = kind(2)
    index.add(ids_of(1), np.ones((1, 2), dtype=np.float32))
    with pytest.raises(ValueError, match=r"must"):
        index.add(np.array(ids), vectors)
    assert index.search(np.ones((1, 2), dtype=np.float32), 2)[1].tolist() == [[1, -1]]


@pytest.mark.parametrize(("vectors", "k"), [(np.zeros((1, 3)), 1), (np.zeros((1, 2)), 0), (np.full((1, 2), np.nan), 1)])
def test_a_probe_that_does_not_fit_is_refused(kind, vectors, k):
    with pytest.raises(ValueError, match=r"must"):
        kind(2).search(vectors, k)


def test_saved_and_loaded_it_answers_the_same(kind, tmp_path):
    rng = np.random.default_rng(3)
    index = kind(8)
    index.add(rng.permutation(50), unit(rng, 50, 8))
    index.remove(np.arange(10))
    index.save(tmp_path / "index")
    again = kind.load(tmp_path / "index")
    probes = unit(rng, 30, 8)
    for one, other in zip(index.search(probes, 5), again.search(probes, 5), strict=True):
        np.testing.assert_array_equal(one, other)
    again.add(ids_of(1000), probes[:1])
    assert again.search(probes[:1], 1)[1].tolist() == [[1000]]
    assert [path.name for path in tmp_path.iterdir()] == ["index"]


def test_an_empty_index_can_be_saved(kind, tmp_path):
    kind(4).save(tmp_path / "index")
    again = kind.load(tmp_path / "index")
    assert (len(again), again.dim) == (0, 4)


def test_a_failed_save_is_told_and_leaves_nothing_behind(kind, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    for path in (tmp_path / "folder", tmp_path / "file" / "index"):
        with pytest.raises(OutputError, match=path.name):
            kind(4).save(path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_a_missing_file_is_said_to_be_no_index(kind, tmp_path):
    with pytest.raises(IndexDamagedError, match="none"):
        kind.load(tmp_path / "none")


@settings(max_examples=120, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_never_does_more_than_raise(kind, tmp_path_factory, data):
    path = tmp_path_factory.mktemp("damaged") / "index"
    index = kind(4)
    index.add(np.arange(6), np.eye(6, 4, dtype=np.float32))
    index.save(path)
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    for position in data.draw(st.lists(st.integers(0, max(len(content) - 1, 0)), max_size=3)):
        if content:
            content[position] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    with contextlib.suppress(IndexDamagedError):  # at loading, or where rows are mapped once they are read
        loaded = kind.load(path)
        loaded.search(np.zeros((1, loaded.dim), dtype=np.float32), 3)


def test_another_kind_of_faiss_index_is_refused(tmp_path):
    others = {"bare": faiss.IndexFlatL2(3), "product": faiss.IndexIDMap(faiss.IndexFlatIP(3))}
    for name, other in others.items():
        data = faiss.serialize_index(other).tobytes()
        (tmp_path / name).write_bytes(data + hashlib.sha256(data).digest())
        with pytest.raises(IndexDamagedError, match=f"{name} is an index of another kind"):
            FaissFlatIndex.load(tmp_path / name)


def test_faiss_itself_reads_the_file(tmp_path):
    index = FaissFlatIndex(3)
    index.add(ids_of(8, 4), np.eye(2, 3, dtype=np.float32))
    index.save(tmp_path / "index.faiss")
    theirs = faiss.read_index(str(tmp_path / "index.faiss"))
    assert theirs.search(np.eye(1, 3, dtype=np.float32), 1)[1].tolist() == [[8]]


@pytest.mark.parametrize("kind", FLAT_KINDS)
@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 300),
    dim=st.sampled_from([1, 2, 16, 128, 512]),
    distinct=st.integers(1, 300),
    noise=st.sampled_from([0.0, 1e-7, 1e-6, 1e-3]),
    scale=st.sampled_from([1.0, 1e-3, 1e4]),
    batch=st.sampled_from([1, 2, 19, 20, 21, 64]),
    k=st.integers(1, 40),
)
def test_faiss_agrees_with_the_oracle_among_near_equal_vectors(kind, seed, n, dim, distinct, noise, scale, batch, k):
    """Duplicates, and neighbours that a float32 formula cannot tell apart, at the cut and in batches of any size."""
    rng = np.random.default_rng(seed)
    base = unit(rng, min(distinct, n), dim)
    vectors = base[rng.integers(0, len(base), n)] + noise * rng.normal(size=(n, dim)).astype(np.float32)
    vectors = (scale * vectors).astype(np.float32)
    ids = rng.permutation(10 * n)[:n]
    probes = np.concatenate([vectors[rng.integers(0, n, batch)], scale * unit(rng, batch, dim)]).astype(np.float32)
    oracle, index = NumpyIndex(dim), kind(dim)
    for each in (oracle, index):
        each.add(ids, vectors)
    right_distances, right_ids = oracle.search(probes, k)
    distances, found = index.search(probes, k)
    np.testing.assert_array_equal(found, right_ids)
    np.testing.assert_array_equal(distances, right_distances)
    for count in (1, 5):
        few = index.search(probes[:count], k)
        np.testing.assert_array_equal(few[0], distances[:count])
        np.testing.assert_array_equal(few[1], found[:count])


@pytest.mark.slow
def test_few_probes_among_many_vectors_are_answered_from_codes_and_a_few_vectors(monkeypatch):
    """Of 33,000 x 128 numbers, and as exactly as ever: after additions, removals and a vector beyond the codes."""
    rng = np.random.default_rng(6)
    oracle, index = NumpyIndex(128), FaissFlatIndex(128)
    vectors = unit(rng, 33_000, 128)
    vectors[500:800] = vectors[500]
    probes = np.concatenate([vectors[[500, 7]], unit(rng, 2, 128), vectors[9:11] + 0.02]).astype(np.float32)
    changes = [
        lambda each: each.add(np.arange(len(vectors)), vectors),
        lambda each: each.add(ids_of(40_000, 3), probes[2:4]),
        lambda each: each.remove(np.arange(100, 700, 3)),
        lambda each: each.add(ids_of(50_000), np.full((1, 128), 0.9, dtype=np.float32)),
    ]
    for change in changes:
        for each in (oracle, index):
            change(each)
        right = oracle.search(probes, 10)
        with monkeypatch.context() as patch:
            patch.setattr(index, "_flat", None)  # nobody looks at all vectors
            patch.setattr(FaissFlatIndex, "dim", 128)
            for one, other in zip(index.search(probes, 10), right, strict=True):
                np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("numbers", [[1e15, -1e15, 0.0], [1e-38, 1e-45, 0.0]])
def test_numbers_that_no_byte_can_tell_are_searched_exactly(numbers):
    rng = np.random.default_rng(7)
    oracle, index = NumpyIndex(3), FilteredIndex(3)
    vectors = rng.choice(np.array(numbers, dtype=np.float32), (200, 3)) + 1e-3 * (numbers[0] > 1) * unit(rng, 200, 3)
    for each in (oracle, index):
        each.add(np.arange(200), vectors.astype(np.float32))
    for one, other in zip(oracle.search(vectors[:9], 5), index.search(vectors[:9], 5), strict=True):
        np.testing.assert_array_equal(one, other)


DIM = 3
coordinates = st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0])
vector = st.lists(coordinates, min_size=DIM, max_size=DIM)
some_ids = st.lists(st.integers(0, 30), max_size=12, unique=True)


class Congruence(RuleBasedStateMachine):
    """Any sequence of changes leaves FAISS and the oracle with the same answers."""

    kind, there = FaissFlatIndex, 0

    @initialize()
    def start(self):
        self.oracle, self.index = NumpyIndex(DIM), self.kind(DIM)
        vectors = np.random.default_rng(0).choice([-1.0, -0.5, 0.0, 0.25, 1.0], (self.there, DIM)).astype(np.float32)
        for each in (self.oracle, self.index):
            each.add(np.arange(20, 20 + self.there), vectors)

    @rule(ids=some_ids, data=st.data())
    def add(self, ids, data):
        vectors = np.array(data.draw(st.lists(vector, min_size=len(ids), max_size=len(ids))), dtype=np.float32)
        for each in (self.oracle, self.index):
            each.add(np.array(ids, dtype=np.int64), vectors.reshape(-1, DIM))

    @rule(ids=some_ids)
    def remove(self, ids):
        for each in (self.oracle, self.index):
            each.remove(np.array(ids, dtype=np.int64))

    @rule()
    def save_and_load(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("oracle", "index"):
                index = getattr(self, name)
                index.save(Path(folder) / name)
                setattr(self, name, type(index).load(Path(folder) / name))

    @rule(probes=st.lists(vector, min_size=1, max_size=25), k=st.integers(1, 40))
    def search(self, probes, k):
        array = np.array(probes, dtype=np.float32)
        for one, other in zip(self.oracle.search(array, k), self.index.search(array, k), strict=True):
            np.testing.assert_array_equal(one, other)

    @invariant()
    def same_ids(self):
        np.testing.assert_array_equal(self.oracle.ids(), self.index.ids())
        assert len(self.oracle) == len(self.index)


class FilteredCongruence(Congruence):
    """The same with codes, among so many that these are used."""

    kind, there = FilteredIndex, 300


TestCongruence = Congruence.TestCase
TestFilteredCongruence = FilteredCongruence.TestCase
TestCongruence.settings = TestFilteredCongruence.settings = settings(
    max_examples=40, stateful_step_count=12, deadline=None
)
