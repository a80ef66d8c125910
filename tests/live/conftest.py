"""A person who walks through a video, as a file, over HTTP and over RTSP on loopback: real faces, real servers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from live_tools import FPS, MjpegServer, jpeg, walk

from dlib_parts import dlib_recognizer
from knownface import FaceRecognizer
from knownface.media import VideoWriter
from knownface.types import Image


@pytest.fixture(scope="session")
def walking(astronaut: Image) -> list[Image]:
    """Two seconds of her."""
    return walk(astronaut, 2.0)


@pytest.fixture(scope="session")
def clip(walking: list[Image], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a video file."""
    path = tmp_path_factory.mktemp("clip") / "walk.mp4"
    with VideoWriter(path, FPS) as video:
        for frame in walking:
            video.write(frame)
    return path


@pytest.fixture
def recognizer(alone: Path, eileen_enrolled: Path) -> Iterator[FaceRecognizer]:
    """One who knows the astronaut, with what every machine has: dlib's detector and network."""
    shutil.copy(eileen_enrolled, os.environ["KNOWNFACE_GALLERY"])
    with dlib_recognizer() as opened:
        yield opened


@pytest.fixture
def serve() -> Iterator[Callable[..., MjpegServer]]:
    """``serve(frames, port=0)`` starts a camera that speaks HTTP."""
    servers: list[MjpegServer] = []

    def start(frames: Sequence[Image], fps: float = FPS, port: int = 0) -> MjpegServer:
        servers.append(MjpegServer(frames, fps, port))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


RTSP = """
import sys
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer
Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(sys.argv[2])
factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch(
    f'( multifilesrc loop=true location="{sys.argv[1]}/%05d.jpg" caps="image/jpeg,framerate=15/1" ! jpegdec '
    '! videoconvert ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 '
    '! rtph264pay name=pay0 pt=96 config-interval=1 )'
)
factory.set_shared(True)
server.get_mount_points().add_factory("/live", factory)
if not server.attach(None):
    sys.exit("the port is taken")
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()
"""
SYSTEM_PYTHON = "/usr/bin/python3"


@pytest.fixture
def rtsp(walking: list[Image], tmp_path: Path) -> Callable[[int], Any]:
    """``with rtsp(port) as port`` runs an RTSP camera; 0 takes a free port."""
    asked = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import Gst, GstRtspServer; " + (
        "Gst.init(None); import sys; sys.exit(0 if Gst.ElementFactory.find('x264enc') else 1)"
    )
    known = shutil.which(SYSTEM_PYTHON) and subprocess.run(
        [SYSTEM_PYTHON, "-c", asked], capture_output=True, check=False
    )
    if not known or known.returncode:
        pytest.skip("the system has no GStreamer RTSP server (gir1.2-gst-rtsp-server-1.0, gstreamer1.0-plugins-ugly)")
    folder = tmp_path / "rtsp-frames"
    folder.mkdir()
    for number, frame in enumerate(walking):
        (folder / f"{number:05d}.jpg").write_bytes(jpeg(frame))

    @contextmanager
    def run(port: int = 0) -> Iterator[int]:
        command = [SYSTEM_PYTHON, "-c", RTSP, str(folder), str(port)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=sys.stderr, text=True) as process:
            assert process.stdout is not None
            try:
                yield int(process.stdout.readline())
            finally:
                process.kill()

    return run


def until(true: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until something holds; fail if it never does."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


@pytest.fixture(name="until")
def until_fixture() -> Callable[..., None]:
    return until
