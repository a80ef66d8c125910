from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from knownface.models import onnx_writer
from knownface.models.ready import ready_network
from knownface.models.session import OnnxNetwork

WEIGHTS = np.random.default_rng(0).integers(0, 9, (64, 8)).astype(np.float32)
BATCH = np.random.default_rng(1).integers(0, 9, (3, 64)).astype(np.float32)


def _network(factor: float = 1.0) -> bytes:
    """Large enough for its weights to lie in a file of their own."""
    nodes = [onnx_writer.node("MatMul", ["x", "w"], "y")]
    weights = [onnx_writer.tensor("w", WEIGHTS * np.float32(factor))]
    return onnx_writer.network(nodes, weights, ("x", ("n", 64)), ("y", ("n", 8)))


def _output(path: Path | None) -> np.ndarray:
    assert path is not None
    return OnnxNetwork(path, device="cpu").run(BATCH)


def _copies(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_network_is_made_ready_once_by_whoever_is_first(tmp_path: Path) -> None:
    path, folder, made = tmp_path / "net.dat", tmp_path / "ready", []
    path.write_bytes(b"of another format")

    def make() -> bytes:
        made.append(path)
        return _network()

    with ThreadPoolExecutor(4) as pool:
        copies = list(pool.map(lambda _: ready_network(path, "net", folder, make), range(4)))
    assert {_output(copy).tobytes() for copy in copies} == {(BATCH @ WEIGHTS).tobytes()}
    count = len(made)
    assert ready_network(path, "net", folder, make) in copies
    assert (len(made), len(_copies(folder))) == (count, 1)
    path.write_bytes(b"of other weights")
    assert ready_network(path, "net", folder, lambda: _network(2)) not in copies


@pytest.mark.parametrize("damage", ["cut", "altered", "gone"])
def test_a_damaged_copy_is_made_anew(tmp_path: Path, damage: str) -> None:
    path, folder = tmp_path / "net.onnx", tmp_path / "ready"
    path.write_bytes(_network())
    before = ready_network(path, "net", folder, lambda: None)
    expected = _output(before)
    assert before is not None
    [weights] = [file for file in before.parent.iterdir() if file != before]
    content = weights.read_bytes()
    if damage == "gone":
        weights.unlink()
    else:
        weights.write_bytes(content[:-100] if damage == "cut" else b"\1\2\3\4" + content[4:])
    np.testing.assert_array_equal(_output(ready_network(path, "net", folder, lambda: None)), expected)
    assert len(_copies(folder)) == 1


def test_old_copies_and_remains_go_when_a_new_one_is_made(tmp_path: Path) -> None:
    path, folder = tmp_path / "net.onnx", tmp_path / "ready"
    path.write_bytes(_network())
    digits = "0123456789abcdef"
    for name in (f"net-{digits}-{digits}", f".net-{digits}-1.part", f"net-two-{digits}-{digits}", f"net-{digits}-new"):
        (folder / name).mkdir(parents=True)
        os.utime(folder / name, (0, 0))
    made = ready_network(path, "net", folder, lambda: None)
    assert made is not None
    assert set(_copies(folder)) == {f"net-{digits}-new", f"net-two-{digits}-{digits}", made.parent.name}


def test_no_copy_where_the_folder_cannot_be_written_or_the_file_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(_network())
    (tmp_path / "taken").write_text("a file")
    assert ready_network(path, "net", tmp_path / "taken", lambda: None) is None
    path.write_bytes(b"no network")
    assert ready_network(path, "net", tmp_path / "ready", lambda: None) is None
    assert _copies(tmp_path / "ready") == []
