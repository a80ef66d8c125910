"""Our CLIP path against the reference implementation, with random weights of the real architecture."""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock

pytestmark = [
    pytest.mark.reference,
    pytest.mark.slow,
    # torch, onnx and transformers warn of their own future in every version.
    pytest.mark.filterwarnings("ignore"),
]

torch = pytest.importorskip("torch", reason="the dependency group `reference` is not installed")
transformers = pytest.importorskip("transformers", reason="the dependency group `reference` is not installed")
onnx = pytest.importorskip("onnx", reason="the dependency group `reference` is not installed")
pytest.importorskip("onnxscript", reason="the dependency group `reference` is not installed")

from knownface.embedding import FaceEmbedder, load_embedder  # noqa: E402
from knownface.embedding.clip import clip_pixels  # noqa: E402
from knownface.models import ModelStore  # noqa: E402

log = logging.getLogger(__name__)

CONTRACT = """
kind = "clip"
title = "random ViT-B/32"
licence = "none"
[input]
crop = "square"
size = 224
dim = 512
scale = 0.00392156862745098
mean = [0.48145466, 0.4578275, 0.40821073]
std = [0.26862954, 0.26130258, 0.27577711]
input_name = "pixel_values"
output_name = "image_embeds"
per_item = PER_ITEM
[decision]
k1 = 1
k2 = 3
threshold = 0.82
calibrated = false
"""
# (height, width): portrait, landscape, odd, small, nearly square, long.
SIZES = [(301, 223), (223, 301), (224, 224), (225, 227), (97, 131), (640, 481), (31, 17), (1000, 333), (224, 225)]


@dataclass
class Reference:
    model: Any
    processor: Any
    embedder: FaceEmbedder
    int8: FaceEmbedder

    def embed(self, images: list[np.ndarray]) -> np.ndarray:
        pixels = self.processor(images=images, return_tensors="pt")["pixel_values"]
        with torch.no_grad():
            vectors = self.model(pixel_values=pixels).image_embeds
        return torch.nn.functional.normalize(vectors, dim=-1).numpy()


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Reference:
    folder = tmp_path_factory.mktemp("clip")
    shared = folder if worker_id == "master" else tmp_path_factory.getbasetemp().parent / "clip-random"
    shared.mkdir(exist_ok=True)
    torch.manual_seed(20211)
    model = transformers.CLIPVisionModelWithProjection(transformers.CLIPVisionConfig(num_hidden_layers=3)).eval()
    fp32, int8 = shared / "vision.onnx", shared / "vision_int8.onnx"
    with FileLock(shared / "lock"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not int8.exists():  # else another worker made them
            _export(model, fp32)
            _quantize(fp32, int8)
    store = ModelStore(None, folder / "cache")
    for path, name, per_item in ((fp32, "clip-random", "false"), (int8, "clip-random-int8", "true")):
        contract = folder / f"{name}.toml"
        contract.write_text(CONTRACT.replace("PER_ITEM", per_item))
        store.import_file(path, name, contract)
    return Reference(
        model,
        # The class's own size, mean and std are those of OpenAI's networks.
        transformers.CLIPImageProcessorPil(),
        load_embedder("clip-random", store, "cpu"),
        load_embedder("clip-random-int8", store, "cpu"),
    )


def _export(model: Any, path: Path) -> None:
    class ImageEmbeds(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, model: Any) -> None:
            super().__init__()
            self.model = model

        def forward(self, pixel_values: Any) -> Any:
            return self.model(pixel_values=pixel_values).image_embeds

    torch.onnx.export(
        ImageEmbeds(model),
        (torch.randn(2, 3, 224, 224),),
        str(path),
        input_names=["pixel_values"],
        output_names=["image_embeds"],
        dynamic_shapes={"pixel_values": {0: torch.export.Dim("batch", min=1, max=64)}},
        dynamo=True,
        external_data=False,
        verbose=False,
    )


def _quantize(fp32: Path, path: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    network = onnx.load(str(fp32))
    del network.graph.value_info[:]  # the exporter's shapes contradict those of the quantised graph
    quantize_dynamic(network, str(path), weight_type=QuantType.QUInt8)


def _pictures(seed: int = 3, sizes: list[tuple[int, int]] = SIZES) -> list[np.ndarray]:
    """Pictures with edges, ramps and noise, where a wrong resampling shows."""
    rng = np.random.default_rng(seed)
    pictures = []
    for height, width in sizes:
        y, x = np.mgrid[:height, :width]
        ramp = np.stack([x * 255 / width, y * 255 / height, (x + y) % 64 * 4], axis=2)
        picture = ramp + rng.normal(0, 25, ramp.shape)
        picture[height // 4 : height // 2, width // 4 : width // 2] = rng.integers(0, 255, 3)
        pictures.append(np.clip(picture, 0, 255).astype(np.uint8))
    return pictures


def test_preprocessing_is_the_references(reference: Reference, record_property: Any) -> None:
    worst = 0.0
    for picture in _pictures():
        theirs = reference.processor(images=picture, do_normalize=False, return_tensors="np")["pixel_values"][0]
        ours = clip_pixels(picture).astype(np.float64).transpose(2, 0, 1) / 255
        assert ours.shape == theirs.shape == (3, 224, 224)
        worst = max(worst, float(np.abs(ours - theirs).max()))
    record_property("largest difference of the preprocessing", worst)
    log.info("preprocessing: largest difference %.2e", worst)
    assert worst <= 1 / 255


def test_output_is_the_references(reference: Reference, record_property: Any) -> None:
    pictures = _pictures()
    theirs = reference.embed(pictures)
    ours = reference.embedder.embed(pictures)
    worst = float(np.abs(ours - theirs).max())
    record_property("largest difference of the output", worst)
    spread = float(np.linalg.norm(theirs[:, None] - theirs[None], axis=2)[np.triu_indices(len(theirs), 1)].min())
    log.info("output: largest difference %.2e; nearest two pictures are %.3f apart", worst, spread)
    assert ours.shape == (len(pictures), 512)
    assert worst <= 1e-4
    assert spread > 1e-2  # else a constant would pass


def test_same_face_alone_and_in_a_batch(reference: Reference, record_property: Any) -> None:
    pictures = _pictures(5, SIZES[:8])
    together = reference.embedder.embed(pictures)
    alone = np.concatenate([reference.embedder.embed([picture]) for picture in pictures])
    worst = float(np.abs(together - alone).max())
    record_property("largest difference alone and in a batch of 8", worst)
    log.info("alone and in a batch of 8: largest difference %.2e", worst)
    assert worst <= 1e-5


def test_dynamic_int8_does_not_depend_on_the_batch_in_our_hands(reference: Reference) -> None:
    pictures = _pictures(7, SIZES[:8])
    pictures[3] = np.full_like(pictures[3], 255)  # stretches the range that a whole batch would be quantised with
    together = reference.int8.embed(pictures)
    alone = np.concatenate([reference.int8.embed([picture]) for picture in pictures])
    np.testing.assert_array_equal(together, alone)
    farthest = np.linalg.norm(together - reference.embedder.embed(pictures), axis=1).max()
    log.info("int8: farthest from fp32 %.3f", farthest)
    assert farthest < 0.1


def test_int8_run_as_a_batch_would_depend_on_it(reference: Reference) -> None:
    """Why such files are run one face at a time: remove this, and `per_item` with it, when it no longer holds."""
    network = reference.int8._network
    batch = np.random.default_rng(0).normal(size=(4, 3, 224, 224)).astype(np.float32)
    batch[3] *= 5
    session = network._session
    together = session.run(None, {"pixel_values": batch})[0]
    alone = session.run(None, {"pixel_values": batch[:1]})[0]
    assert np.abs(together[:1] - alone).max() > 1e-4


def test_fingerprints_differ_between_precisions(reference: Reference) -> None:
    assert reference.embedder.contract.fingerprint != reference.int8.contract.fingerprint
