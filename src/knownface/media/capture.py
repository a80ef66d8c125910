"""Cameras and network streams: one picture after another, as they come, never waiting for ever."""

from __future__ import annotations

import math
import socket
import sys
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from knownface.errors import SourceUnavailableError, UnsupportedError
from knownface.media.ffmpeg_stream import FfmpegStream, interlaced_size
from knownface.media.opencv import pixel_aspect, quiet_opencv, rgb_of  # imported before cv2: it keeps FFmpeg quiet
from knownface.media.sources import STREAM_PORTS, Source
from knownface.media.stream_proxy import is_proxied
from knownface.types import Image

import cv2  # isort: skip

OPEN_TIMEOUT = 8.0
"""Seconds that a stream has to answer and show its first picture."""
ASK_TIMEOUT = 3.0
"""Seconds in which a host must take a connection once a stream could not be opened, so that it is known why."""
READ_TIMEOUT = 4.0
"""Seconds without a picture after which a stream counts as lost."""
_DECODING_THREADS = 2
"""FFmpeg holds back one picture less than it has decoding threads. Two decode 4K on ordinary machines."""


class Capture:
    """An open camera or network stream; RTSP is read over TCP. Use it as a context manager, from one thread.

    Args:
        source: Of the kind ``camera`` or ``stream``.
        open_timeout: Seconds that a stream has to answer.
        read_timeout: Seconds without a picture after which a stream counts as lost.

    Raises:
        SourceUnavailableError: There is no such camera, or the stream cannot be reached or read.
        UnsupportedError: The address is that of a video file, which has an end and comes faster than real time.
    """

    def __init__(self, source: Source, open_timeout: float = OPEN_TIMEOUT, read_timeout: float = READ_TIMEOUT) -> None:
        self._source, self._timeout = source, read_timeout
        self._capture: cv2.VideoCapture | FfmpegStream
        with quiet_opencv():
            self._capture = _camera(source) if source.kind == "camera" else _stream(source, open_timeout, read_timeout)
        frames = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        if source.kind == "stream" and frames > 0:
            self.close()
            raise UnsupportedError(
                f"{source.name} is a video file of {frames:.0f} frames, not a live stream.",
                "Download it, then watch the file.",
            )

        self._pixel = pixel_aspect(self._capture)

    @property
    def fps(self) -> float | None:
        """Frames a second that the source says it has; None where it says nothing that can be."""
        fps = float(self._capture.get(cv2.CAP_PROP_FPS))
        return fps if math.isfinite(fps) and 1 <= fps <= 240 else None

    def grab(self) -> bool:
        """Wait for the next picture, without handing it out; False if the source has ended or fallen silent."""
        with quiet_opencv():
            return bool(self._capture.grab())

    def picture(self) -> Image | None:
        """The picture grabbed last, RGB, with square pixels; None if it cannot be decoded."""
        ok, bgr = self._capture.retrieve()
        return rgb_of(bgr, self._pixel) if ok and bgr.size else None

    def mend(self) -> bool:
        """Read an interlaced stream through ffmpeg from now on: to be called where its pictures do not change.

        Returns:
            Whether it is interlaced.
        """
        if self._source.kind != "stream" or isinstance(self._capture, FfmpegStream):
            return False
        size = interlaced_size(self._source.address)
        if size is not None:
            self.close()
            self._capture, self._pixel = FfmpegStream(self._source.address, size, self._timeout), 1.0
        return size is not None

    def close(self) -> None:
        """Let the source go."""
        self._capture.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _camera(source: Source) -> cv2.VideoCapture:
    capture = cv2.VideoCapture(int(source.address))
    if not capture.isOpened():
        raise SourceUnavailableError(f"There is no camera {source.address}, or it cannot be opened.", _cameras())
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # pictures that wait are old pictures; not every driver knows this
    return capture


def _cameras() -> str:
    if not sys.platform.startswith("linux"):
        return "Check that it is plugged in, that no other program uses it and that this one may."
    found = sorted(path.name.removeprefix("video") for path in Path("/dev").glob("video[0-9]*"))
    if not found:
        return "This machine has no camera (no /dev/video…). Give an rtsp:// or http:// address, or a file."
    return (
        f"Devices here: {', '.join(found)} (some are no cameras). Check that no other program uses it and that you may "
        "(group video)."
    )


def _stream(source: Source, open_timeout: float, read_timeout: float) -> cv2.VideoCapture:
    capture = cv2.VideoCapture(
        source.address,
        cv2.CAP_FFMPEG,  # which asks RTSP servers for TCP first
        [
            *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, round(1000 * open_timeout)),
            *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, round(1000 * read_timeout)),
            *(cv2.CAP_PROP_N_THREADS, _DECODING_THREADS),
        ],
    )
    if not capture.isOpened():
        message, hint = _why_unreachable(source, min(open_timeout, ASK_TIMEOUT))
        raise SourceUnavailableError(message, hint)
    return capture


def _why_unreachable(source: Source, timeout: float) -> tuple[str, str]:
    """FFmpeg does not say why; a connection of our own does, where streams are not read through a proxy."""
    parts = urlsplit(source.address)
    if is_proxied() and parts.scheme.lower() in {"http", "https"}:
        return f"{source.name} cannot be reached, or sends no video that can be read.", "Check the address."
    address = (parts.hostname or "", parts.port or STREAM_PORTS[parts.scheme.lower()])
    try:
        socket.create_connection(address, timeout).close()
    except TimeoutError:
        return f"{source.name} cannot be reached: {address[0]} does not answer.", "Check the network and the address."
    except socket.gaierror:
        return f"{source.name} cannot be reached: there is no host {address[0]}.", "Check the spelling of the address."
    except OSError as error:
        return (
            f"{source.name} cannot be reached: {error.strerror or error}.",
            f"Check that the camera is on and serves port {address[1]}.",
        )
    return (
        f"{source.name} answers, but sends no video that can be read.",
        "Check the path, the user name and the password in the address; VLC or ffplay should show it.",
    )
