from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from knownface.evaluation.alteration import Alteration
from knownface.evaluation.bench import Bench
from knownface.evaluation.datasets import Sample
from knownface.evaluation.face_cache import FILE_NAME, FaceCache
from knownface.media import write_image


def samples(root: Path) -> list[Sample]:
    return [Sample(path.parent.name, path) for path in sorted(root.rglob("*.png"))]


def test_a_second_run_looks_at_nothing(toy_bench: Bench, toy_people: Callable[..., Path]) -> None:
    root, detector = toy_people(2, 3), toy_bench.reader.detector
    first = toy_bench.reader.read(samples(root))
    seen = detector.seen
    again = toy_bench.reader.read(samples(root))
    assert detector.seen == seen == 6
    np.testing.assert_array_equal(again.faces.embeddings, first.faces.embeddings)
    assert again.places == first.places
    fresh = replace(toy_bench.reader, cache=None).read(samples(root))
    np.testing.assert_array_equal(fresh.faces.embeddings, first.faces.embeddings)


def test_the_cache_knows_content_embedder_detector_and_alteration(
    toy_bench: Bench, toy_people: Callable[..., Path]
) -> None:
    root, reader = toy_people(1, 1), toy_bench.reader
    plain = reader.read(samples(root))
    mirrored = Alteration("mirrored", "", lambda image, _: np.ascontiguousarray(image[:, ::-1]))
    turned = reader.read(samples(root), mirrored)
    assert np.linalg.norm(plain.faces.embeddings - turned.faces.embeddings) > 0.1
    other = replace(reader, every=1.0)
    seen = reader.detector.seen
    other.read(samples(root))
    assert reader.detector.seen == seen + 1
    path = samples(root)[0].path
    path.rename(path.with_name("renamed.png"))
    seen = reader.detector.seen
    reader.read(samples(root))
    assert reader.detector.seen == seen


def test_misses_are_kept_apart(toy_bench: Bench, toy_people: Callable[..., Path]) -> None:
    root = toy_people(1, 2)
    write_image(root / "p0" / "blank.png", np.full((40, 40, 3), 128, dtype=np.uint8))
    (root / "p0" / "broken.png").write_bytes(b"no picture")
    gone = Sample("p0", root / "p0" / "gone.png")
    for _ in range(2):
        found = toy_bench.reader.read([*samples(root), gone])
        assert len(found) == 2
        assert found.missed == 3
        reasons = {miss.path.name: miss.reason for miss in found.misses}
        assert reasons["blank.png"] == "no face was found"
        assert "cannot be read" in reasons["gone.png"]


def test_frames_of_a_video_share_a_source_and_have_times(
    toy_bench: Bench, toy_video: Callable[..., None], tmp_path: Path
) -> None:
    toy_video(tmp_path / "v" / "a.mp4", 0, 8)
    found = toy_bench.reader.read([Sample("p0", tmp_path / "v" / "a.mp4")])
    assert len(found) == 8
    assert len(set(found.faces.sources.tolist())) == 1
    times = [place.time for place in found.places]
    assert times == sorted(times)
    assert times[0] == 0.0
    assert [p.time for p in toy_bench.reader.read([Sample("p0", tmp_path / "v" / "a.mp4")]).places] == times


def test_no_files_give_no_faces_of_the_right_shape(toy_bench: Bench) -> None:
    found = toy_bench.reader.read([])
    assert found.faces.embeddings.shape == (0, 64)
    assert found.faces.people.dtype.kind == "U"


def test_every_file_is_told(toy_bench: Bench, toy_people: Callable[..., Path]) -> None:
    told: list[Sample] = []
    wanted = samples(toy_people(2, 2))
    toy_bench.reader.read(wanted, on_done=told.append)
    assert told == wanted


def test_a_damaged_cache_is_made_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"this is no database at all, not even nearly" * 30)
    with FaceCache(tmp_path) as cache:
        assert cache.get("r", "a" * 64) is None
        cache.put("r", [("a" * 64, 2, np.ones((1, 7), dtype=np.float32))])
        frames, rows = cache.get("r", "a" * 64) or (0, None)
    assert frames == 2
    np.testing.assert_array_equal(rows, np.ones((1, 7)))
    assert "damaged" in caplog.text


def test_the_cache_holds_no_name_and_is_its_owners(
    toy_bench: Bench, toy_people: Callable[..., Path], tmp_path: Path
) -> None:
    toy_bench.reader.read(samples(toy_people(1, 1)))
    path = tmp_path / "cache" / FILE_NAME
    assert path.stat().st_mode & 0o077 == 0
    with sqlite3.connect(path) as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(faces)")]
    database.close()
    assert columns == ["recipe", "sha256", "frames", "rows", "data"]
