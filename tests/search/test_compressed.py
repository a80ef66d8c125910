"""What the index of short codes adds to the contract of every index: codes, a mapped file, rows erased in it."""

from __future__ import annotations

import numpy as np
import pytest

from knownface.errors import IndexDamagedError
from knownface.search import CompressedIndex, NumpyIndex
from knownface.search.quantizer import Quantizer
from knownface.search.row_file import erase_rows, read_token

DIM = 32


def unit(seed, n, dim=DIM):
    vectors = np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def pair():
    """An index that uses codes and the oracle, with the same 6,000 vectors."""
    index, oracle = CompressedIndex(DIM), NumpyIndex(DIM)
    for each in (index, oracle):
        each.add(np.arange(100, 3100), unit(1, 3000))
        each.add(np.arange(3100, 6100), unit(2, 3000))
    return index, oracle


def near(seed, of, noise=0.1):
    probes = of + noise * np.random.default_rng(seed).normal(size=of.shape).astype(np.float32)
    return (probes / np.linalg.norm(probes, axis=1, keepdims=True)).astype(np.float32)


def test_near_templates_are_found_with_the_oracles_distances(pair):
    index, oracle = pair
    probes = near(3, unit(2, 3000)[:200])
    (distances, ids), (right, right_ids) = index.search(probes, 5), oracle.search(probes, 5)
    assert (ids[:, 0] == right_ids[:, 0]).mean() > 0.99
    same = ids == right_ids
    np.testing.assert_array_equal(distances[same], right[same])
    assert (np.diff(distances, axis=1) >= 0).all()


def test_the_answer_is_the_same_alone_and_in_a_batch(pair):
    index, _ = pair
    probes = np.concatenate([near(3, unit(2, 3000)[:100]), unit(9, 100)])
    distances, ids = index.search(probes, 5)
    for i in range(len(probes)):
        alone = index.search(probes[i : i + 1], 5)
        np.testing.assert_array_equal(alone[0][0], distances[i])
        np.testing.assert_array_equal(alone[1][0], ids[i])


def test_hundreds_of_removed_neighbours_do_not_hide_the_others(pair):
    index, oracle = pair
    probe = unit(5, 1)
    crowd = near(6, np.repeat(probe, 700, axis=0), 0.02)
    for each in pair:
        each.add(np.arange(10_000, 10_700), crowd)
    assert set(index.search(probe, 100)[1][0]) <= set(range(10_000, 10_700))
    for each in pair:
        each.remove(np.arange(10_000, 10_700))
    found = index.search(probe, 5)
    assert (found[1] < 10_000).all()
    assert (found[1] >= 0).all()
    np.testing.assert_array_equal(found[1][0, 0], oracle.search(probe, 1)[1][0, 0])
    assert len(index) == 6000


def test_asked_for_many_it_finds_all_of_them(pair):
    index, oracle = pair
    probe = unit(5, 1)
    for k in (2000, 6000, 7000):
        np.testing.assert_array_equal(index.search(probe, k)[1], oracle.search(probe, k)[1])


def test_saved_and_loaded_it_answers_the_same_and_can_be_changed(pair, tmp_path):
    index, _ = pair
    index.remove(np.arange(200, 300))
    index.save(tmp_path / "index")
    again = CompressedIndex.load(tmp_path / "index")
    assert len(again) == len(index)
    probes = near(3, unit(2, 3000)[:50])
    for one, other in zip(index.search(probes, 5), again.search(probes, 5), strict=True):
        np.testing.assert_array_equal(one, other)
    new = unit(8, 2)
    again.add(np.array([7, 101]), new)
    assert again.search(new, 1)[1].tolist() == [[7], [101]]
    assert len(again) == len(index) + 1
    again.save(tmp_path / "index")
    assert CompressedIndex.load(tmp_path / "index").search(new, 1)[1].tolist() == [[7], [101]]
    assert [path.name for path in tmp_path.iterdir()] == ["index"]


def test_an_erased_row_is_in_the_file_no_more_and_found_by_nobody(pair, tmp_path):
    index, _ = pair
    file = tmp_path / "index"
    index.save(file)
    loaded, token = CompressedIndex.load(file), read_token(file)
    vectors = unit(1, 3000)
    code = Quantizer.train(vectors).encode(vectors[5:6])
    assert len(code[0]) == DIM // 2
    assert vectors[5].tobytes() in file.read_bytes()
    assert erase_rows(file, np.array([105, 999_999])) == 1
    assert erase_rows(file, np.array([105])) == 1
    assert vectors[5].tobytes() not in file.read_bytes()
    assert vectors[6].tobytes() in file.read_bytes()
    assert read_token(file) == token
    for program in (loaded, CompressedIndex.load(file)):
        distances, ids = program.search(vectors[5:6], 3)
        assert 105 not in ids[0][distances[0] < 2]
    assert 105 not in CompressedIndex.load(file).ids()
    assert len(CompressedIndex.load(file)) == 5999


def test_a_vector_damaged_on_the_disk_is_noticed_when_it_is_read(pair, tmp_path):
    index, _ = pair
    file = tmp_path / "index"
    index.save(file)
    content = bytearray(file.read_bytes())
    vector = unit(1, 3000)[5].tobytes()
    content[content.index(vector) + 3] ^= 1
    file.write_bytes(content)
    loaded = CompressedIndex.load(file)
    with pytest.raises(IndexDamagedError, match="not as it was saved"):
        loaded.search(unit(1, 3000)[5:6], 3)


def test_it_says_when_it_is_outgrown():
    index = CompressedIndex(DIM)
    index.add(np.arange(1500), unit(1, 1500))
    assert not index.outgrown
    index.add(np.arange(1500, 6500), unit(2, 5000))
    assert index.outgrown
    other = CompressedIndex(DIM)
    other.add(np.arange(2000), unit(1, 2000))
    other.remove(np.arange(800))
    assert other.outgrown


@pytest.mark.parametrize("dim", [1, 3, 100, 127, 128, 512])
def test_vectors_of_any_length_are_encoded(dim):
    index = CompressedIndex(dim)
    vectors = unit(1, 1600, dim)
    index.add(np.arange(1600), vectors)
    assert (index.search(vectors[:20], 1)[0] <= 1e-6).all()
