"""Who is in an uploaded video and when, as a job."""

from __future__ import annotations

import tempfile
from pathlib import Path

import httpx
import numpy as np
import pytest
from service_tools import Running, finished

from knownface.media import VideoWriter
from knownface.types import Image

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory, astronaut: Image) -> bytes:
    """A second with the astronaut and one without."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    height, width = astronaut.shape[0] // 2 * 2, astronaut.shape[1] // 2 * 2
    with VideoWriter(path, 5.0) as writer:
        for number in range(10):
            writer.write(astronaut[:height, :width] if number < 5 else np.full((height, width, 3), 90, np.uint8))
    return path.read_bytes()


@pytest.fixture
def own_temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files lie."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_video_is_a_job_that_tells_who_is_in_it_and_leaves_nothing(
    served: Running, admin: httpx.Client, eileen: bytes, film: bytes, person: int, own_temp: Path
) -> None:
    admin.post(f"/people/{person}/templates", files={"pictures": ("eileen.png", eileen)})
    with served.http("operator") as operator:
        begun = operator.post("/videos", files={"video": ("../films/launch.mp4", film)})
        assert begun.status_code == 202, begun.text
        assert begun.headers["Location"] == f"/v1/jobs/{begun.json()['id']}"
        done = finished(admin, begun.json()["id"])
        assert operator.delete(f"/jobs/{done['id']}").status_code == 200
    result = done["result"]
    assert (result["file"], result["seconds"], result["frames"]) == ("launch.mp4", 2.0, 10)
    assert result["doubts"] == []
    [one] = result["people"]
    assert (one["person_id"], one["unknown"]) == (person, None)
    [stretch] = one["stretches"]
    assert stretch["from"] == 0.0
    assert 0.6 <= stretch["to"] <= 1.2
    assert not list(own_temp.iterdir())


def test_what_is_no_video_is_refused_without_a_word_of_where_it_lay(
    admin: httpx.Client, film: bytes, own_temp: Path
) -> None:
    playlist = b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n"
    for content in (playlist, b"", b"not a video", film[:60]):
        answer = admin.post("/videos", files={"video": ("film.mp4", content)})
        assert answer.status_code in {415, 422}, content[:20]
        assert "knownface-video" not in answer.text
        assert "ilm.mp4" in answer.json()["message"]
    assert admin.post("/videos", files=[("video", ("a.mp4", film)), ("video", ("b.mp4", film))]).status_code == 422
    assert not list(own_temp.iterdir())
