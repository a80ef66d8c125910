"""``doctor`` on machines that are not as they should be."""

from __future__ import annotations


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
