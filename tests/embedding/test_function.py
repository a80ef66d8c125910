from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from knownface.embedding import FunctionEmbedder
from knownface.embedding.crops import ARCFACE_TEMPLATE, align_five_points, crop_face
from knownface.errors import ModelError
from knownface.parts import fingerprint_of
from knownface.types import Box, DecisionRule, Face, Image


def corner(crops: Image) -> Any:
    """The first four bytes of each crop, not of unit length."""
    return crops.reshape(len(crops), -1)[:, :4].astype(np.float64)


def _crops(n: int, height: int = 8, width: int = 8) -> list[Image]:
    return list(np.random.default_rng(n).integers(1, 255, (n, height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize("n", [0, 1, 5])
def test_vectors_are_made_unit_a_batch_at_a_time(n: int) -> None:
    batches: list[int] = []

    def counted(crops: Image) -> Any:
        batches.append(len(crops))
        return corner(crops).tolist()

    embedder = FunctionEmbedder(counted, dim=4, crop="square", size=8, batch_size=2)
    crops = _crops(n)
    vectors = embedder.embed(crops)
    assert vectors.shape == (n, 4)
    assert vectors.dtype == np.float32
    assert batches == {0: [], 1: [1], 5: [2, 2, 1]}[n]
    if n:
        wanted = corner(np.stack(crops))
        np.testing.assert_allclose(vectors, wanted / np.linalg.norm(wanted, axis=1, keepdims=True), atol=1e-6)


def test_crops_are_those_of_a_network_of_that_size() -> None:
    image = np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8)
    face = Face(Box(40, 50, 60, 80), (ARCFACE_TEMPLATE + 30).astype(np.float32), 1.0)
    square = FunctionEmbedder(corner, dim=4, crop="square", size=(96, 64), crop_factor=1.2)
    np.testing.assert_array_equal(square.crop(image, face), crop_face(image, face, "square", 96, 64, 1.2))
    aligned = FunctionEmbedder(corner, dim=4, crop="aligned")
    np.testing.assert_array_equal(aligned.crop(image, face), align_five_points(image, face.landmarks))


def test_the_contract() -> None:
    rule = DecisionRule(2, 5, 0.7)
    contract = FunctionEmbedder(corner, dim=4, crop="aligned", rule=rule, calibrated=True, licence="MIT").contract
    assert (contract.name, contract.dim, contract.crop, contract.licence) == ("corner", 4, "aligned", "MIT")
    assert (contract.rule, contract.calibrated) == (rule, True)
    assert FunctionEmbedder(lambda crops: crops, dim=4, crop="aligned").contract.name == "lambda"
    with pytest.raises(ValueError, match="crop must be 'aligned' or 'square', got 'chip'"):
        FunctionEmbedder(corner, dim=4, crop="chip")  # type: ignore[arg-type]


def test_the_fingerprint_is_what_is_declared() -> None:
    def fingerprint(fn: Any = corner, **keys: Any) -> str:
        declared = {"name": "mine", "dim": 4, "crop": "square", "size": 8}
        return FunctionEmbedder(fn, **{**declared, **keys}).contract.fingerprint

    assert fingerprint() == fingerprint(len) == fingerprint(batch_size=3, thread_safe=True) == fingerprint(size=(8, 8))
    changes: list[dict[str, Any]] = [
        {}, {"name": "other"}, {"dim": 5}, {"crop": "aligned"}, {"size": 9}, {"crop_factor": 2.0},
    ]  # fmt: skip
    assert len({fingerprint(**change) for change in changes}) == len(changes)
    assert fingerprint(fingerprint="weights of June") == "weights of June"


def test_it_is_remembered_by_its_code_unless_it_has_a_fingerprint() -> None:
    def remembered(fn: Any, **keys: Any) -> str:
        return fingerprint_of(FunctionEmbedder(fn, dim=4, crop="square", name="mine", **keys))

    assert remembered(corner) == remembered(corner) != remembered(len)
    assert remembered(corner) != remembered(corner, size=9)
    assert remembered(corner, fingerprint="June") == remembered(len, fingerprint="June") == "June"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda crops: np.ones((len(crops), 7)), "mine gave vectors of length 7, its contract says 4"),
        (lambda crops: np.ones(4), r"mine gave vectors of shape \(4,\), its contract says 4"),
        (lambda crops: np.full((len(crops), 4), np.nan), "mine gave a vector that is zero or not finite"),
    ],
)
def test_nonsense_is_named(answer: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        FunctionEmbedder(answer, dim=4, crop="square", size=8, name="mine").embed(_crops(2))
    assert caught.value.hint.startswith(("Set dim to what it returns", "Check what it computes"))
