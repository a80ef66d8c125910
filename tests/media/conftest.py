from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

MakeVideo = Callable[..., Path]


@pytest.fixture
def make_video(tmp_path: Path) -> MakeVideo:
    """``make_video("name.mp4", *ffmpeg_options, source=...)`` writes a video of ffmpeg's test picture."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed, so no test videos can be made")

    def make(name: str, *options: str, source: str = "testsrc=size=160x96:rate=25:duration=2") -> Path:
        path = tmp_path / name
        given = ("-i", source) if Path(source).exists() else ("-f", "lavfi", "-i", source)
        command = ["ffmpeg", "-loglevel", "error", "-y", *given, *options, f"file:{path}"]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        return path

    return make
