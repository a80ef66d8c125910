"""``doctor`` on machines that are not as they should be."""

from __future__ import annotations

from knownface.gallery import Gallery
from knownface.search import pgvector


def test_two_onnx_runtimes_side_by_side_are_seen(knownface, tmp_path, monkeypatch):
    assert "two packages" not in knownface("doctor").out
    folder = tmp_path / "onnxruntime_gpu-1.31.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.4\nName: onnxruntime-gpu\nVersion: 1.31.0\n")
    (folder / "top_level.txt").write_text("onnxruntime\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    ran = knownface("doctor")
    assert ran.status == 1
    assert "onnxruntime-gpu 1.31.0" in ran.out
    assert "pip uninstall onnxruntime onnxruntime-gpu" in ran.out


def test_a_pgvector_that_may_corrupt_its_graphs_is_told(knownface, postgres_url, monkeypatch):
    with Gallery.open(postgres_url):
        pass
    options = ("doctor", "--gallery", postgres_url)
    monkeypatch.setenv("KNOWNFACE_INDEX", "pgvector")
    told = knownface(*options).out
    assert "corrupt" not in told
    assert "s3cret" not in told, "the database's password"
    monkeypatch.setattr(pgvector, "_SOUND", (99,))
    ran = knownface(*options)
    assert ran.status == 1
    assert "could corrupt the graph" in " ".join(ran.out.split())
