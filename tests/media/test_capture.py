"""Cameras and streams: against real sockets on loopback."""

from __future__ import annotations

import contextlib
import functools
import http.server
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from knownface.errors import SourceUnavailableError, UnsupportedError
from knownface.media import VideoWriter, parse_source
from knownface.media.capture import Capture

COLOURS = [(200, 30, 40), (30, 200, 40), (30, 40, 200)]


class Camera(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        for colour in COLOURS:
            ok, data = cv2.imencode(".jpg", np.full((48, 64, 3), colour[::-1], np.uint8))
            assert ok
            head = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(data)
            self.wfile.write(head + data.tobytes() + b"\r\n")

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), request.param) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.parametrize("address", [Camera], indirect=True)
def test_pictures_come_in_rgb_until_the_stream_ends(address: str) -> None:
    with Capture(parse_source(address)) as capture:
        seen = []
        while capture.grab():
            picture = capture.picture()
            assert picture is not None
            assert picture.shape == (48, 64, 3)
            seen.append(picture.mean(axis=(0, 1)))
    assert np.abs(np.array(seen) - COLOURS).max() < 6


def test_a_port_where_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for scheme in ("http", "rtsp"):
        with pytest.raises(SourceUnavailableError, match="cannot be reached") as caught:
            Capture(parse_source(f"{scheme}://me:s3cret@127.0.0.1:{port}/x"))
        assert str(port) in caught.value.hint
        assert "s3cret" not in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize("scheme", ["http", "rtsp"])
def test_a_server_that_says_nothing_is_given_up(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"{scheme}://127.0.0.1:{server.getsockname()[1]}/x"
        with pytest.raises(SourceUnavailableError, match="sends no video") as caught:
            Capture(parse_source(address), open_timeout=0.5)
        assert "password" in caught.value.hint


def test_a_host_that_does_not_exist() -> None:
    with pytest.raises(SourceUnavailableError, match=r"no host nowhere\.invalid"):
        Capture(parse_source("http://nowhere.invalid/x"), open_timeout=2)


def test_a_stream_that_falls_silent_ends(address_of_silence: str) -> None:
    with Capture(parse_source(address_of_silence), read_timeout=0.5) as capture:
        assert capture.grab()
        while capture.grab():
            pass


@pytest.fixture
def address_of_silence() -> Iterator[str]:
    ended = threading.Event()

    class Silent(Camera):
        def do_GET(self) -> None:
            super().do_GET()
            ended.wait(30)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Silent) as server:
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        ended.set()
        server.shutdown()


def test_a_video_file_is_no_live_stream(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "x.mp4", 25) as video:
        for shade in range(10):
            video.write(np.full((48, 64, 3), 20 * shade, np.uint8))

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    handler = functools.partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        with pytest.raises(UnsupportedError, match="10 frames, not a live stream"):
            Capture(parse_source(f"http://127.0.0.1:{server.server_port}/x.mp4"))
        server.shutdown()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for /dev/video…")
def test_a_camera_that_is_not_there() -> None:
    with pytest.raises(SourceUnavailableError, match="no camera 63"):
        Capture(parse_source("63"))


def test_pixels_of_a_stream_come_out_square(make_video: Callable[..., Path]) -> None:
    squeezed = ["-vf", "scale=80:96,setsar=2/1", "-c:v", "libx264", "-pix_fmt", "yuv420p"]
    data = make_video("squeezed.ts", *squeezed).read_bytes()

    class Squeezed(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Squeezed) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        with Capture(parse_source(f"http://127.0.0.1:{server.server_port}/x")) as capture:
            assert capture.grab()
            picture = capture.picture()
        server.shutdown()
    assert picture is not None
    assert picture.shape == (96, 160, 3)


class Broadcast(http.server.BaseHTTPRequestHandler):
    """A transport stream, four times as fast as it should come."""

    content = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "video/mp2t")
        self.end_headers()
        content = self.content
        with contextlib.suppress(OSError):
            for start in range(0, len(content), 1880):
                self.wfile.write(content[start : start + 1880])
                time.sleep(8 / 4 * 1880 / len(content))

    def log_message(self, *_: object) -> None: ...


@pytest.mark.slow
@pytest.mark.parametrize("address", [Broadcast], indirect=True)
def test_an_interlaced_stream_is_read_through_ffmpeg(
    address: str, make_video: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "testsrc=size=160x96:rate=25:duration=8"
    for interlaced in (True, False):
        options = ("-flags", "+ilme+ildct", "-x264opts", "tff=1") if interlaced else ()
        path = make_video("camera.ts", "-c:v", "libx264", "-g", "25", *options, "-pix_fmt", "yuv420p", source=source)
        monkeypatch.setattr(Broadcast, "content", path.read_bytes())
        with Capture(parse_source(address)) as capture:
            assert capture.mend() == interlaced
            seen = []
            while len(seen) < 20 and capture.grab():
                picture = capture.picture()
                assert picture is not None
                assert picture.shape == (96, 160, 3)
                seen.append(picture)
            assert len(seen) == 20
            assert seen[-1].std() > 50
            assert np.abs(seen[0].astype(int) - seen[-1]).max() > 100
            assert not capture.mend()
