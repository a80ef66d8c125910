from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from knownface.embedding.load import load_embedder
from knownface.models import ModelStore, onnx_writer
from knownface.models.int8 import Ranges, in_int8, quick_at_int8, read_ranges, write_ranges
from knownface.models.session import OnnxNetwork

quick = pytest.mark.skipif(not quick_at_int8(), reason="this processor has no AVX-512 VNNI")
NOWHERE = Path("/nonexistent")
PIXELS = np.random.default_rng(1).uniform(-1, 1, (8, 3, 8, 8)).astype(np.float32)


def _weights() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(2)
    shapes = {"w1": (8, 3, 3, 3), "w2": (8, 1, 3, 3), "w3": (8, 8, 1, 1), "w4": (16, 512)}
    held = {name: rng.normal(0, 0.3, shape) for name, shape in shapes.items()}
    held |= {name: rng.normal(0, 0.1, length) for name, length in (("b1", 8), ("b2", 8), ("b3", 8), ("b4", 16))}
    held |= {name: rng.uniform(-0.3, 1, (8, 1, 1)) for name in ("s1", "s2")}
    # One step of a byte for all channels could not hold the smallest of these.
    sizes = np.geomspace(0.02, 20, 8).reshape(-1, 1, 1, 1)
    held["w1"], held["b1"], held["w2"] = held["w1"] * sizes, held["b1"] * sizes.ravel(), held["w2"] / sizes
    return {name: values.astype(np.float32) for name, values in held.items()}


def _network(output: str = "y") -> bytes:
    """Every operation that becomes one for bytes, up to the value of that name."""
    around = {"pads": [1, 1, 1, 1]}
    nodes = {
        "c1": onnx_writer.node("Conv", ["x", "w1", "b1"], "c1", around),
        "a1": onnx_writer.node("PRelu", ["c1", "s1"], "a1"),
        "c2": onnx_writer.node("Conv", ["a1", "w2", "b2"], "c2", {"group": 8, **around}),
        "a2": onnx_writer.node("PRelu", ["c2", "s2"], "a2"),
        "c3": onnx_writer.node("Conv", ["a2", "w3", "b3"], "c3"),
        "a3": onnx_writer.node("Relu", ["c3"], "a3"),
        "sum": onnx_writer.node("Add", ["a3", "a2"], "sum"),
        "flat": onnx_writer.node("Flatten", ["sum"], "flat"),
        "y": onnx_writer.node("Gemm", ["flat", "w4", "b4"], "y", {"transB": 1}),
    }
    until = list(nodes).index(output) + 1
    tensors = [onnx_writer.tensor(name, values) for name, values in _weights().items()]
    return onnx_writer.network(list(nodes.values())[:until], tensors, ("x", ("n", 3, 8, 8)), (output, ()))


def _run(content: bytes) -> np.ndarray:
    return OnnxNetwork(NOWHERE, content=content, device="cpu").run(PIXELS)


def _ranges() -> Ranges:
    met = {"x": PIXELS.reshape(8, 3, -1)}
    met |= {name: _run(_network(name)).reshape(8, 8, -1) for name in ("c1", "a1", "c2", "a2", "c3", "a3", "sum")}
    return {name: np.stack([found.min(axis=(0, 2)), found.max(axis=(0, 2))]) for name, found in met.items()}


def _cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


@quick
def test_a_network_in_bytes_gives_what_it_gave_with_floats() -> None:
    floats, whole = _run(_network()), _run(in_int8(_network(), _ranges()))
    assert _cosines(floats, whole).min() > 0.999
    assert (floats != whole).any()


def test_ranges_survive_their_file(tmp_path: Path) -> None:
    path = tmp_path / "net.npz"
    write_ranges(path, _ranges())
    assert path.stat().st_size < 3000
    kept = read_ranges(str(path.with_suffix("")))
    assert kept.keys() == _ranges().keys()
    for name, given in _ranges().items():
        np.testing.assert_allclose(kept[name], given, rtol=1e-3, atol=1e-6)


def test_a_value_without_a_range_is_named() -> None:
    with pytest.raises(KeyError, match="a2"):
        in_int8(_network(), {name: given for name, given in _ranges().items() if name != "a2"})


@quick
def test_dlibs_network_decides_as_with_floats(astronaut: np.ndarray, tmp_path: Path) -> None:
    store = ModelStore(None, tmp_path)
    whole, floats = (load_embedder("dlib-resnet", store, "cpu", int8=int8) for int8 in (True, False))
    assert whole.contract == floats.contract
    chips = [np.ascontiguousarray(astronaut[y : y + 150, x : x + 150]) for x in (100, 140, 180) for y in (0, 30)]
    found = whole.embed(chips)
    assert (found * floats.embed(chips)).sum(axis=1).min() > 0.998
    np.testing.assert_array_equal(found[2], whole.embed(chips[2:3])[0])
