"""Small pictures of faces, cut from the files that people were enrolled from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dlib_parts import dlib_recognizer
from knownface.media import read_image, write_image
from knownface.server.pictures import PictureStore
from knownface.types import Image


@pytest.mark.slow
def test_a_face_that_lies_on_its_side_in_its_file_is_shown_upright(
    alone: Path, tmp_path: Path, astronaut: Image
) -> None:
    shown = []
    with dlib_recognizer(tmp_path / "gallery.db") as recognizer:
        for turns in (0, 1):
            write_image(tmp_path / f"{turns}.png", np.ascontiguousarray(np.rot90(astronaut, turns)))
            recognizer.add_known_face(f"{turns}", tmp_path / f"{turns}.png", insist=True)
            store = PictureStore(recognizer.gallery.database, 10**8, recognizer.detector)
            shown.append(read_image(store.of_template(recognizer.gallery.templates(f"{turns}")[0])).astype(float))
    assert shown[0].shape == shown[1].shape
    assert np.abs(shown[0] - shown[1]).mean() < 5
