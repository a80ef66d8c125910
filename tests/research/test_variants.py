from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra `quantize` is not installed")

from knownface.embedding import load_embedder
from knownface.errors import NoFaceError
from knownface.evaluation.bench import open_bench
from knownface.evaluation.datasets import Sample, SplitOptions, read_dataset
from knownface.media import write_image
from knownface.models import ModelStore
from knownface.research import variants
from knownface.research.variants import VariantReport, make_variants

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:onnx.*", "ignore::DeprecationWarning:onnxruntime.*"),
]


@pytest.mark.slow
def test_without_people_what_changes_little_is_kept(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variants, "NEARLY_THE_SAME", 0.002)
    with open_bench(embedder="dlib-resnet", detector="dlib-hog", use_cache=False) as bench:
        plain, fp16, bf16 = make_variants(bench, "dlib-resnet")  # neither int8: no pictures, no attention
        assert (plain.name, plain.precision, plain.largest) == ("dlib-resnet", None, 0.0)
        assert (fp16.precision, bf16.precision) == ("fp16", "bf16")
        assert 0 < fp16.median <= fp16.largest < 0.002 < bf16.largest < 0.02
        assert (fp16.offered, bf16.offered, fp16.named_rightly) == (True, False, None)
        assert fp16.byte_count < 0.6 * plain.byte_count
        again = ModelStore(bench.store.models, bench.store.folder.parent)
    assert "dlib-resnet-bf16" not in again.catalog
    kept = load_embedder("dlib-resnet-fp16", again)
    plain_embedder = load_embedder("dlib-resnet", again, int8=False)
    crops = list(np.random.default_rng(0).integers(0, 256, (3, 150, 150, 3), dtype=np.uint8))
    assert np.abs(kept.embed(crops) - plain_embedder.embed(crops)).max() < variants.NEARLY_THE_SAME
    assert kept.contract.fingerprint != plain_embedder.contract.fingerprint  # no gallery takes both


@pytest.mark.slow
def test_with_people_identification_decides(face_data: Path, model_folder: Path, tmp_path: Path) -> None:
    everybody = read_dataset(face_data / "lfw62", SplitOptions(people=8, per_person=3))
    known, others = everybody.people[:6], everybody.people[6:]
    strangers = [Sample(person.name, path) for person in others for path in person.files[:4]]
    options = {"models": model_folder, "cache": tmp_path, "embedder": "mobilefacenet", "use_cache": False}
    with open_bench(**options) as bench:
        dataset = everybody.only([person.name for person in known])
        plain, int8 = make_variants(bench, "mobilefacenet", ["int8"], dataset, strangers)
    assert plain.named_rightly is not None
    assert int8.named_rightly is not None
    assert plain.named_rightly > 0.95
    assert abs(plain.named_rightly - int8.named_rightly) < 0.05
    assert 0.02 < int8.median < int8.largest < 0.3
    assert int8.byte_count < 0.4 * plain.byte_count
    assert (ModelStore(None, tmp_path).find("mobilefacenet-int8") is not None) == int8.offered


@pytest.mark.parametrize(
    ("answers", "offered"),
    [((0.99, 0.0), True), ((0.9875, 0.0025), True), ((0.98, 0.0), False), ((0.99, 0.01), False), ((1.0, 0.0), True)],
)
def test_what_is_offered(tmp_path: Path, answers: tuple[float, float], offered: bool) -> None:
    (tmp_path / "f").write_bytes(b"12345")
    vectors = np.eye(2, dtype=np.float32)
    first = variants._Measured(vectors, 10.0, (0.99, 0.0))
    report: VariantReport = variants._report(
        "a-int8", "int8", tmp_path / "f", first, variants._Measured(-vectors, 20.0, answers)
    )
    assert (report.offered, report.largest, report.byte_count) == (offered, 2.0, 5)
    alone = variants._report(
        "a", "int8", tmp_path / "f", variants._Measured(vectors, 1, None), variants._Measured(-vectors, 1, None)
    )
    assert not alone.offered


def test_photos_without_a_face_are_told(alone: Path) -> None:
    for person in ("Ada", "Ben"):
        for number in range(2):
            write_image(alone / "people" / person / f"{number}.png", np.full((90, 90, 3), 40 * number, np.uint8))
    dataset = read_dataset(alone / "people", SplitOptions())
    with (
        open_bench(embedder="dlib-resnet", detector="dlib-hog", use_cache=False) as bench,
        pytest.raises(NoFaceError, match="No face was found in the photos"),
    ):
        list(make_variants(bench, "dlib-resnet", ["int8"], dataset))
