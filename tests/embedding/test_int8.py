from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from knownface.embedding.load import load_embedder
from knownface.models import ModelStore
from knownface.models.int8 import quick_at_int8


@pytest.mark.skipif(not quick_at_int8(), reason="this processor has no AVX-512 VNNI")
@pytest.mark.slow
@pytest.mark.parametrize(("name", "alike"), [("sface-int8bq", 0.995), ("dlib-resnet", 0.995), ("mobilefacenet", 0.99)])
def test_faces_are_as_far_apart_as_with_floats(
    name: str, alike: float, photos: Any, model_folder: Path, tmp_path: Path
) -> None:
    store = ModelStore(model_folder, tmp_path)
    whole, floats = (load_embedder(name, store, "cpu", int8=int8) for int8 in (True, False))
    assert whole.contract == floats.contract
    crops = [floats.crop(image, face) for _, image, face in photos.of(people=8, each=2)]
    found, before = whole.embed(crops), floats.embed(crops)
    cosines = (found * before).sum(axis=1)
    assert cosines.mean() > alike
    assert cosines.min() > alike - 0.01
    a, b = (np.linalg.norm(vectors[:, None] - vectors[None], axis=2) for vectors in (found, before))
    apart = b > 0
    assert np.abs(a[apart] / b[apart] - 1).max() < 0.06
    assert np.abs(np.median(a[apart] / b[apart]) - 1) < 0.01
