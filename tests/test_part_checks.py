from __future__ import annotations

from pathlib import Path

import pytest
from tiny_onnx import batch_dependent_network, flatten_network

from knownface.errors import ModelError, PartError
from knownface.models import ModelStore
from knownface.part_checks import check_detector, check_embedder

CONTRACT = """
kind = "face-network"
title = "Tiny"
licence = "none"
[input]
crop = "aligned"
size = 8
dim = 192
per_item = PER_ITEM
mean = [MEAN, MEAN, MEAN]
[decision]
k1 = 1
k2 = 3
threshold = 1.0
calibrated = false
"""


def _imported(tmp_path: Path, network: Path, per_item: str = "false", mean: str = "127.5") -> ModelStore:
    store = ModelStore(None, tmp_path / "cache")
    contract = tmp_path / "tiny.toml"
    contract.write_text(CONTRACT.replace("PER_ITEM", per_item).replace("MEAN", mean))
    store.import_file(network, "tiny", contract)
    return store


def test_a_good_network(tmp_path: Path) -> None:
    store = _imported(tmp_path, flatten_network(tmp_path / "n.onnx", ("n", 3, 8, 8)))
    assert check_embedder("tiny", store) == (
        "gives 192 numbers a face; alone and in a batch of 8 they differ by at most 0."
    )


def test_one_that_depends_on_the_batch_needs_per_item(tmp_path: Path) -> None:
    network = batch_dependent_network(tmp_path / "n.onnx", ("n", 3, 8, 8))
    with pytest.raises(ModelError, match="another vector among others than alone") as caught:
        check_embedder("tiny", _imported(tmp_path, network))
    assert "per_item = true" in caught.value.hint
    assert check_embedder("tiny", _imported(tmp_path, network, per_item="true")).startswith("gives 192 numbers")


def test_one_that_sees_nothing(tmp_path: Path) -> None:
    store = _imported(tmp_path, flatten_network(tmp_path / "n.onnx", ("n", 3, 8, 8)), mean="1e12")
    with pytest.raises(ModelError, match="gives every picture the same vector"):
        check_embedder("tiny", store)


def test_dlib(tmp_path: Path) -> None:
    assert check_embedder("dlib-resnet", ModelStore(None, tmp_path)).startswith("gives 128 numbers a face")


def test_a_detector_that_sees_faces_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "everywhere.py").write_text(
        "from knownface import FunctionDetector\n\n\n"
        "def make():\n    return FunctionDetector(lambda image: [(1, 1, 9, 9, 1)], name='everywhere')\n"
        "def nonsense():\n    return FunctionDetector(lambda image: [(1, 1, -9, 9, 1)], name='nonsense')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    store = ModelStore(None, tmp_path)
    with pytest.raises(ModelError, match="everywhere:make finds 1 faces in a picture of 320x240 pixels") as caught:
        check_detector("everywhere:make", store)
    assert caught.value.hint == "Check the part's code."
    with pytest.raises(PartError, match="The detector nonsense returned a box of -9x9"):
        check_detector("everywhere:nonsense", store)
