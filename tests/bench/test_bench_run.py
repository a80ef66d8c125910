from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from knownface.bench import BenchOptions, Figure, run_bench
from knownface.bench.pictures import read_pictures, tiled
from knownface.bench.searching import made_gallery
from knownface.bench.timing import seconds_of
from knownface.errors import InputError, ModelUnavailableError
from knownface.media import write_image
from knownface.settings import load_settings
from knownface.types import Image

FRAMES = ((64, 48), (96, 96))


@pytest.fixture
def photos(alone: Path, astronaut: Image) -> Path:
    """A folder with one small photo of a face, which dlib's HOG is through with soon."""
    write_image(alone / "photos" / "a.png", np.ascontiguousarray(astronaut[20:220, 130:310]))
    return alone / "photos"


@pytest.mark.slow
def test_everything_is_measured_once(photos: Path) -> None:
    told: list[Figure] = []
    options = BenchOptions(photos, ("dlib-resnet",), (50, 200), dim=16, seconds=0.01, frames=FRAMES)
    result = run_bench(load_settings(detector="dlib-hog"), options, told.append)
    assert tuple(told) == result.figures
    names = [(figure.group, figure.name) for figure in result.figures]
    assert len(set(names)) == len(names)
    groups = [group for group, _ in names]
    assert {group: groups.count(group) for group in groups} == {
        "detection": 2,
        "embedding": 3,
        "search": 8,
        "end to end": 1,
    }
    assert all(figure.value > 0 for figure in result.figures)
    assert result.machine["processors used"].isdigit()


@pytest.mark.slow
def test_all_embedders_at_hand_by_default(photos: Path) -> None:
    options = BenchOptions(photos, sizes=(), seconds=0.01, frames=FRAMES)
    result = run_bench(load_settings(detector="dlib-hog"), options)
    embedded = {figure.name.split(",")[0] for figure in result.figures if figure.group == "embedding"}
    assert embedded == {"dlib-resnet", "dlib-resnet-mirror"}


def test_an_embedder_that_is_not_here_is_told(alone: Path) -> None:
    with pytest.raises(ModelUnavailableError, match="sface"):
        run_bench(load_settings(detector="dlib-hog"), BenchOptions(embedders=("sface",), seconds=0.01, frames=FRAMES))


def test_photos_of_a_folder(tmp_path: Path, astronaut: Image) -> None:
    write_image(tmp_path / "a.png", astronaut[:100, :120])
    (tmp_path / "damaged.jpg").write_bytes(b"\xff\xd8\xff\xe0nothing")
    (tmp_path / "notes.txt").write_text("no picture")
    (picture,) = read_pictures(tmp_path, 10**8)
    assert picture.shape == (100, 120, 3)
    (tmp_path / "a.png").unlink()
    with pytest.raises(InputError, match="holds no photo"):
        read_pictures(tmp_path, 10**8)


@pytest.mark.parametrize("size", [(320, 180), (33, 500), (2000, 10)])
def test_frames_have_the_size_asked_for(size: tuple[int, int]) -> None:
    pictures = [np.full((40, 30, 3), 7, np.uint8), np.full((10, 80, 3), 9, np.uint8)]
    frame = tiled(pictures, *size)
    assert frame.shape == (size[1], size[0], 3)
    assert set(np.unique(frame)) <= {7, 9}
    assert tiled([], *size).shape == frame.shape


def test_made_galleries_are_people() -> None:
    vectors, probes = made_gallery(500, 64)
    assert (vectors.shape, vectors.dtype, probes.shape) == ((500, 64), np.float32, (64, 64))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    distances = np.linalg.norm(probes[:, None] - vectors[None], axis=2)
    own, others = distances.min(axis=1), np.median(distances, axis=1)
    assert 0.6 < np.median(own) < 0.85
    assert np.median(others) > 1.2
    np.testing.assert_array_equal(made_gallery(500, 64)[0], vectors)


def test_a_call_is_timed_at_least_three_times_unless_it_is_slow() -> None:
    calls = 0

    def work() -> None:
        nonlocal calls
        calls += 1

    assert seconds_of(work, 0.0) > 0
    assert calls >= 2
    calls = 0
    seconds_of(work, 0.01)
    assert calls >= 4
