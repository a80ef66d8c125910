"""Interlaced streams through the ``ffmpeg`` program: OpenCV hands out pictures of nothing, without an error."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knownface.media.opencv import square_size
from knownface.media.probing import INTERLACED
from knownface.media.stream_proxy import environment

_PROTOCOLS = "pipe,file,http,https,httpproxy,tcp,tls,rtsp,rtsps,rtp,udp,crypto"
_OPEN_TIMEOUT = 15.0
"""Seconds in which ffprobe must have understood the stream."""


class FfmpegStream:
    """The newest pictures of an interlaced stream, deinterlaced, with square pixels; the methods are OpenCV's.

    Args:
        address: Of the stream. It is handed over through a pipe: command lines are seen by every user of a machine.
        size: Width and height with square pixels.
        read_timeout: Seconds without a picture after which the stream has ended.
    """

    def __init__(self, address: str, size: tuple[int, int], read_timeout: float) -> None:
        self._size, self._timeout = size, read_timeout
        filters = f"bwdif=mode=send_frame:deint=interlaced,scale={size[0]}:{size[1]},setsar=1"
        command = [
            *("ffmpeg", "-hide_banner", "-loglevel", "quiet", "-fflags", "nobuffer", *_INPUT, "-an", "-vf", filters),
            *("-pix_fmt", "bgr24", "-f", "rawvideo", "-flush_packets", "1", "pipe:1"),
        ]
        self._process = subprocess.Popen(  # noqa: S603 - a list, no shell
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # what it says repeats the address
            start_new_session=True,
            env=environment(),
        )
        if self._process.stdin is not None:
            self._process.stdin.write(_listed(address))
            self._process.stdin.close()
        self._picture = np.zeros((size[1], size[0], 3), np.uint8)

    def grab(self) -> bool:
        """Wait for the next picture; False if the stream has ended or fallen silent."""
        stream = self._process.stdout
        if stream is None:
            return False
        watchdog = threading.Timer(self._timeout, self._process.kill)
        watchdog.start()
        try:
            data = stream.read(self._picture.size)
        finally:
            watchdog.cancel()
        if len(data) < self._picture.size:
            return False
        self._picture = np.frombuffer(bytearray(data), np.uint8).reshape(self._picture.shape)
        return True

    def retrieve(self) -> tuple[bool, NDArray[Any]]:
        """The picture grabbed last, BGR."""
        return True, self._picture

    def get(self, _property: int) -> float:
        """Nothing is known of it."""
        return 0.0

    def release(self) -> None:
        """End ffmpeg."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


_INPUT = ("-f", "concat", "-safe", "0", "-protocol_whitelist", _PROTOCOLS, "-i", "pipe:0")


def interlaced_size(address: str) -> tuple[int, int] | None:
    """Width and height, with square pixels, of a stream whose frames are made of two fields; None of any other.

    Without the programs ``ffprobe`` and ``ffmpeg`` nothing is known: None.
    """
    program = shutil.which("ffprobe")
    if program is None or shutil.which("ffmpeg") is None or not address.isprintable():
        return None
    entries = "stream=width,height,field_order,sample_aspect_ratio"
    command = [program, "-loglevel", "quiet", *_INPUT, "-select_streams", "v:0", "-show_entries", entries]
    try:
        result = subprocess.run(  # noqa: S603 - a list, no shell
            [*command, "-of", "json"],
            input=_listed(address),
            capture_output=True,
            check=False,
            timeout=_OPEN_TIMEOUT,
            env=environment(),
        )
        [stream] = json.loads(result.stdout)["streams"]
        if stream.get("field_order") not in INTERLACED:
            return None
        across, _, down = stream.get("sample_aspect_ratio", "1:1").partition(":")
        pixel = float(Fraction(int(across), int(down))) if int(across) and int(down or 0) else 1.0
        return square_size(int(stream["width"]), int(stream["height"]), pixel)
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError):
        return None


def _listed(address: str) -> bytes:
    """A list of one file, as ffmpeg's concat demuxer reads it."""
    quoted = address.replace("'", r"'\''")
    option = "option rtsp_transport tcp\n" if address.lower().startswith("rtsp") else ""
    return f"ffconcat version 1.0\nfile '{quoted}'\n{option}".encode()
