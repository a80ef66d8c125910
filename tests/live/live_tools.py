"""A person who walks through a video, and a camera that speaks HTTP: for the tests of live and of the service."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from knownface.types import Image

FPS = 15
WIDTH, HEIGHT = 320, 240


def walk(astronaut: Image, seconds: float, fps: int = FPS) -> list[Image]:
    """The astronaut crossing a textured ground from left to right."""
    face = cv2.resize(np.ascontiguousarray(astronaut[0:300, 90:360]), (144, 160), interpolation=cv2.INTER_AREA)
    noise = np.random.default_rng(1).integers(60, 150, (HEIGHT // 8, WIDTH // 8 + 40, 3), dtype=np.uint8)
    ground = cv2.resize(noise, (WIDTH + 320, HEIGHT), interpolation=cv2.INTER_CUBIC)
    frames = []
    for n in range(round(seconds * fps)):
        frame = ground[:, n : n + WIDTH].copy()
        left = 10 + round((WIDTH - 164) * n / (seconds * fps))
        frame[60:220, left : left + 144] = face
        frames.append(frame)
    return frames


class MjpegServer:
    """Serves frames as ``multipart/x-mixed-replace``, over and over, in real time, to anybody."""

    def __init__(self, frames: Sequence[Image], fps: float, port: int = 0) -> None:
        self._pictures = [jpeg(frame) for frame in frames]
        self._fps = fps
        self._ended = threading.Event()
        served = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path.partition("?")[0] != "/live":
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                served.send(self.wfile)

            def log_message(self, *_: object) -> None: ...

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False
            allow_reuse_address = True

        self._server = Server(("127.0.0.1", port), Handler)
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/live"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def send(self, out: Any) -> None:
        begun, number = time.monotonic(), 0
        try:
            while not self._ended.wait(max(0.0, begun + number / self._fps - time.monotonic())):
                picture = self._pictures[number % len(self._pictures)]
                out.write(b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(picture))
                out.write(picture + b"\r\n")
                number += 1
        except OSError:
            return

    def close(self) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> MjpegServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def jpeg(frame: Image) -> bytes:
    return cv2.imencode(".jpg", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()
