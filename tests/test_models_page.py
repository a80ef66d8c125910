"""The Python examples of docs/models.md, and of a network in docs/python.md, run as they stand there."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from knownface.detection import YuNetDetector
from knownface.gallery import Gallery
from knownface.media import write_image
from knownface.models import ModelStore
from knownface.types import Face, Image

DOCS = Path(__file__).parents[1] / "docs"


def _examples(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), flags=re.DOTALL)


def _run(library: str, page: str = "models.md") -> dict[str, Any]:
    """Run the example that begins with this import; returns its names."""
    [example] = [text for text in _examples(page) if re.match(rf"(import|from) {library}\b", text)]
    names: dict[str, Any] = {}
    exec(compile(example, f"{page}: {library}", "exec"), names)
    return names


@pytest.mark.slow
def test_dlib(alone: Path, people: Path, astronaut: Image, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(ModelStore(None, alone).files("dlib-resnet")["network"], alone)
    people.rename(alone / "PEOPLE")
    write_image(alone / "party.jpg", astronaut)
    embedder = _run("dlib")["embedder"]
    assert capsys.readouterr().out.startswith("['Eileen Collins'")
    with Gallery.open("my-dlib.db") as gallery:
        assert gallery.contract == embedder.contract


def test_opencv(alone: Path, model_folder: Path, astronaut: Image) -> None:
    path = shutil.copy(model_folder / "yunet_n_640_640.onnx", alone)
    [face] = _run("cv2")["detector"].detect(astronaut)
    ours = YuNetDetector(Path(path)).detect(astronaut)[0]
    np.testing.assert_allclose(face.box.as_list(), ours.box.as_list(), atol=0.2)
    np.testing.assert_allclose(face.landmarks, ours.landmarks, atol=0.2)


@pytest.mark.parametrize(("page", "file"), [("models.md", "face.pt2"), ("python.md", "mine.pt2")])
def test_torch(alone: Path, astronaut: Image, page: str, file: str) -> None:
    torch = pytest.importorskip("torch", reason="torch is in the dependency group `reference`")
    small = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d((8, 8)), torch.nn.Flatten(), torch.nn.Linear(192, 512))
    batch = {0: torch.export.Dim("n", min=1)}
    torch.export.save(torch.export.export(small, (torch.zeros(2, 3, 112, 112),), dynamic_shapes=(batch,)), file)
    embedder = _run("torch", page)["embedder"]
    vectors = embedder.embed([astronaut, astronaut[::-1]])
    assert vectors.shape == (2, 512)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_insightface(alone: Path, astronaut: Image) -> None:
    pytest.importorskip("insightface", reason="insightface is not installed")
    assert isinstance(_run("insightface")["detector"].detect(astronaut)[0], Face)


def test_a_part_of_a_script_by_its_name(knownface: Callable[..., Any], alone: Path, people: Path) -> None:
    [script] = [text for text in _examples("models.md") if text.startswith("# mine.py")]
    (alone / "script_of_the_page.py").write_text(script)
    enrolled = knownface("enroll", people, "--detector", "script_of_the_page:detector", "--embedder", "dlib-resnet")
    assert enrolled.status in {0, 1}, enrolled.err  # dlib alone does not find the small faces
    assert "Eileen Collins" in knownface("people", "list").out
