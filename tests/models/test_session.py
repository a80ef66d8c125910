from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from tiny_onnx import batch_dependent_network, flatten_network, several_inputs

from knownface.errors import ModelError
from knownface.models import onnx_writer, session
from knownface.models.onnx_graph import without_needless_inputs, without_prelu
from knownface.models.session import OnnxNetwork, cuda_offered


def _batch(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((n, 3, 8, 8), dtype=np.float32) + 0.1


@pytest.mark.parametrize("batch_dim", ["n", 1, 4])
@pytest.mark.parametrize("n", [1, 3, 4, 9])
def test_any_number_of_items_in_their_order(tmp_path: Path, batch_dim: int | str, n: int) -> None:
    network = OnnxNetwork(flatten_network(tmp_path / "f.onnx", (batch_dim, 3, 8, 8)), device="cpu", batch_size=2)
    batch = _batch(n)
    np.testing.assert_array_equal(network.run(batch), batch.reshape(n, -1))


def test_a_fixed_batch_of_one_is_told(tmp_path: Path) -> None:
    assert OnnxNetwork(flatten_network(tmp_path / "a.onnx", (1, 3, 8, 8)), device="cpu").one_by_one
    assert not OnnxNetwork(flatten_network(tmp_path / "b.onnx", ("n", 3, 8, 8)), device="cpu").one_by_one


def test_per_item_makes_the_output_independent_of_the_batch(tmp_path: Path) -> None:
    path = batch_dependent_network(tmp_path / "d.onnx", ("n", 3, 8, 8))
    batch = _batch(5)
    batch[4] *= 100
    together = OnnxNetwork(path, device="cpu", threads=1).run(batch)
    apart = OnnxNetwork(path, device="cpu", per_item=True)
    assert not np.allclose(together[0], apart.run(batch[:1])[0])
    np.testing.assert_array_equal(apart.run(batch), np.concatenate([apart.run(item[None]) for item in batch]))


def test_a_small_network_shares_a_batch_among_its_threads(tmp_path: Path) -> None:
    # The largest value of a part is subtracted from it, so the output tells how the batch was parted.
    network = OnnxNetwork(batch_dependent_network(tmp_path / "d.onnx", ("n", 3, 8, 8)), device="cpu", threads=2)
    batch = _batch(5)
    parts = [part.reshape(len(part), -1) - part.max() for part in (batch[:3], batch[3:])]
    np.testing.assert_array_equal(network.run(batch), np.concatenate(parts))


def test_a_network_may_lie_in_memory(tmp_path: Path) -> None:
    content = flatten_network(tmp_path / "f.onnx", ("n", 3, 8, 8)).read_bytes()
    elsewhere = tmp_path / "weights.dat"
    batch = _batch(3)
    np.testing.assert_array_equal(OnnxNetwork(elsewhere, content=content).run(batch), batch.reshape(3, -1))
    with pytest.raises(ModelError, match=r"weights\.dat"):
        OnnxNetwork(elsewhere, content=content[:20])


def test_one_network_serves_several_threads(tmp_path: Path) -> None:
    network = OnnxNetwork(flatten_network(tmp_path / "f.onnx", (1, 3, 8, 8)), device="cpu", threads=2)
    results: dict[int, np.ndarray] = {}
    threads = [
        threading.Thread(target=lambda i=i: results.update({i: network.run(_batch(20, seed=i))})) for i in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i in range(4):
        np.testing.assert_array_equal(results[i], _batch(20, seed=i).reshape(20, -1))


def test_tensors_are_taken_by_name(tmp_path: Path) -> None:
    path = flatten_network(tmp_path / "f.onnx", ("n", 3, 8, 8), names=("pixel_values", "image_embeds"))
    network = OnnxNetwork(path, device="cpu")
    assert (network.input_name, network.output_name) == ("pixel_values", "image_embeds")
    with pytest.raises(ModelError, match=r"no output named 'pooled'; its outputs are image_embeds"):
        OnnxNetwork(path, device="cpu", output_name="pooled")
    with pytest.raises(ModelError, match="no input named 'image'"):
        OnnxNetwork(path, device="cpu", input_name="image")


def test_a_network_that_wants_more_than_a_picture_is_refused(tmp_path: Path) -> None:
    nodes = [
        onnx_writer.node("Flatten", ["pixel_values"], "image"),
        onnx_writer.node("Add", ["image", "input_ids"], "image_embeds"),
    ]
    inputs = {"input_ids": ("n", 192), "pixel_values": ("n", 3, 8, 8)}
    path = several_inputs(tmp_path / "clip.onnx", nodes, [], inputs, ("image_embeds", ("n", 192)))
    with pytest.raises(ModelError, match=r"clip\.onnx takes 2 inputs: input_ids, pixel_values") as caught:
        OnnxNetwork(path, device="cpu", input_name="pixel_values")
    assert "image encoder alone" in caught.value.hint


def test_inputs_that_nobody_needs_to_give_are_left_out(tmp_path: Path) -> None:
    nodes = [
        onnx_writer.node("Flatten", ["x"], "flat"),
        onnx_writer.node("Mul", ["flat", "weight"], "y"),
    ]
    weight = onnx_writer.tensor("weight", np.full(192, 3, np.float32))
    inputs = {"x": ("n", 3, 8, 8), "weight": (192,), "forgotten": (7,)}
    network = OnnxNetwork(
        several_inputs(tmp_path / "sface.onnx", nodes, [weight], inputs, ("y", ("n", 192))), device="cpu"
    )
    assert network.input_name == "x"
    np.testing.assert_array_equal(network.run(_batch(3)), 3 * _batch(3).reshape(3, -1))


def test_prelu_is_made_of_operations_that_are_quick(tmp_path: Path) -> None:
    slopes = np.array([[[-0.5]], [[0.25]], [[1.5]]], np.float32)
    nodes = [onnx_writer.node("PRelu", ["x", "slopes"], "bent"), onnx_writer.node("Flatten", ["bent"], "y")]
    path = several_inputs(
        tmp_path / "p.onnx", nodes, [onnx_writer.tensor("slopes", slopes)], {"x": ("n", 3, 8, 8)}, ("y", ("n", 192))
    )
    batch = _batch(4) - 0.6
    expected = np.where(batch > 0, batch, slopes * batch).reshape(4, -1)
    np.testing.assert_allclose(OnnxNetwork(path, device="cpu").run(batch), expected, atol=1e-6)
    assert b"PRelu" not in without_prelu(path.read_bytes())


@pytest.mark.parametrize("made", [flatten_network, batch_dependent_network])
def test_a_batch_of_one_is_freed_where_items_do_not_depend_on_each_other(tmp_path: Path, made) -> None:
    path = made(tmp_path / "f.onnx", (1, 3, 8, 8))
    fixed = session.load_session(path, ["CPUExecutionProvider"], 1)
    free = session._of_any_batch(fixed, "x", path, None)
    if made is batch_dependent_network:
        assert free is None
    else:
        np.testing.assert_array_equal(free.run(None, {"x": _batch(5)})[0], _batch(5).reshape(5, -1))


def test_opencvs_block_quantised_sface(model_folder: Path) -> None:
    path = model_folder / "face_recognition_sface_2021dec_int8bq.onnx"
    if not path.is_file():
        pytest.skip(f"{path.name} is not in the models folder")
    network = OnnxNetwork(path, device="cpu")
    pictures = np.random.default_rng(0).uniform(0, 255, (3, 3, 112, 112)).astype(np.float32)
    vectors = network.run(pictures)
    assert network.input_name == "data"
    assert vectors.shape == (3, 128)
    assert np.abs(vectors[0] - vectors[1]).max() > 0.01
    # The file as it is, but for the inputs that none may give, dequantised at each run.
    plain = onnxruntime.InferenceSession(without_needless_inputs(path.read_bytes()), providers=["CPUExecutionProvider"])
    expected = np.concatenate([plain.run(None, {"data": pictures[i : i + 1]})[0] for i in range(3)])
    scale = np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(vectors / scale, expected / scale, rtol=0, atol=1e-5)


def test_what_only_looks_block_quantised_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"DequantizeLinear block_size")
    with pytest.raises(ModelError, match=r"broken\.onnx"):
        OnnxNetwork(path, device="cpu")


@pytest.mark.parametrize("content", [b"", b"not a network", b"\x08\x08"])
def test_a_broken_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"broken\.onnx"):
        OnnxNetwork(path, device="cpu")


def test_a_truncated_real_file_is_named(tmp_path: Path, model_folder: Path) -> None:
    path = tmp_path / "half.onnx"
    path.write_bytes((model_folder / "mobilefacenet_arcface.onnx").read_bytes()[:100_000])
    with pytest.raises(ModelError, match=r"half\.onnx"):
        OnnxNetwork(path, device="cpu")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.onnx"):
        OnnxNetwork(tmp_path / "none.onnx", device="cpu")


def test_an_input_of_the_wrong_shape_is_told(tmp_path: Path) -> None:
    network = OnnxNetwork(flatten_network(tmp_path / "f.onnx", ("n", 3, 8, 8)), device="cpu", threads=1)
    with pytest.raises(ModelError, match=r"shape \(2, 3, 9, 9\)"):
        network.run(np.zeros((2, 3, 9, 9), dtype=np.float32))


@pytest.mark.skipif(cuda_offered(), reason="this ONNX Runtime offers CUDA")
def test_cuda_where_there_is_none_is_refused(tmp_path: Path) -> None:
    path = flatten_network(tmp_path / "f.onnx", ("n", 3, 8, 8))
    with pytest.raises(ModelError, match="no CUDA") as caught:
        OnnxNetwork(path, device="cuda")
    assert "onnxruntime-gpu" in caught.value.hint
    assert OnnxNetwork(path, device="auto").provider == "CPUExecutionProvider"


@pytest.mark.skipif(not cuda_offered(), reason="this ONNX Runtime offers no CUDA")
def test_cuda_and_processor_agree(tmp_path: Path, model_folder: Path) -> None:
    path = model_folder / "mobilefacenet_arcface.onnx"
    batch = np.random.default_rng(0).normal(size=(4, 3, 112, 112)).astype(np.float32)
    cuda, cpu = OnnxNetwork(path, device="cuda"), OnnxNetwork(path, device="cpu")
    assert cuda.provider == "CUDAExecutionProvider"
    np.testing.assert_allclose(cuda.run(batch), cpu.run(batch), atol=2e-2)


def test_this_process_has_processors() -> None:
    assert session.usable_processors() >= 1
