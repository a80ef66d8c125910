"""The ``ffmpeg`` program as a process that hands out frames, for videos that OpenCV's FFmpeg does not read right.

The frames come as raw pictures in Matroska, which carries their times too: RFC 9559, and RFC 8794 for its elements.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import IO

import numpy as np

from knownface.errors import UnreadableError
from knownface.media.probing import VideoFacts
from knownface.types import Image

_CONTAINERS = frozenset({0x18538067, 0x1654AE6B, 0xAE, 0xE0, 0x1F43B675, 0xA0})
"""Elements whose children are read: Segment, Tracks, TrackEntry, Video, Cluster, BlockGroup."""
_CLUSTER_TIME, _BLOCKS, _WIDTH, _HEIGHT = 0xE7, frozenset({0xA3, 0xA1}), 0xB0, 0xBA


class FfmpegDecoder:
    """The frames of a video file, deinterlaced, upright, with square pixels; use it from one thread.

    Args:
        program: Path of ffmpeg.
        path: The file.
        facts: What ffprobe reports of it; its ``stream`` is read.

    Raises:
        UnreadableError: ffmpeg cannot be started, or cannot decode a first frame.
    """

    def __init__(self, program: str, path: str | Path, facts: VideoFacts) -> None:
        picture = r"scale=w=round(iw*max(sar\,1)):h=round(ih*max(1/sar\,1)),setsar=1,format=rgb24"
        command = [
            *(program, "-hide_banner", "-loglevel", "error", "-nostdin", "-copyts"),
            *("-i", f"file:{Path(path).absolute()}", "-map", f"0:{facts.stream}"),
            *("-vf", f"setpts=PTS-({facts.origin:.6f})/TB,bwdif=mode=send_frame:deint=interlaced,{picture}"),
            *("-c:v", "rawvideo", "-allow_raw_vfw", "1", "-f", "matroska", "pipe:1"),
        ]
        # A file, not a pipe: nobody reads it while frames are read, and a full pipe would stop both sides.
        self._messages = tempfile.TemporaryFile()  # noqa: SIM115 - closed in close
        try:
            # A session of its own: at Ctrl-C it would end before its reader knows, as if the video did.
            self._process = subprocess.Popen(  # noqa: S603 - a list, no shell
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=self._messages,
                bufsize=1 << 20,
                start_new_session=True,
            )
        except OSError as error:
            self._messages.close()
            raise UnreadableError(f"{path} cannot be read: {program} cannot be started: {error}.") from error
        self.width = self.height = 0
        self.time = 0.0
        """Seconds, of the frame grabbed last."""
        self.complaint = ""
        """What ffmpeg said last, once it is closed."""
        self._cluster = 0
        self._image: Image | None = None
        self._ended = not self._next()
        self._ahead = not self._ended
        if self._ended:
            self._process.wait()
            self.close()
            raise UnreadableError(
                f"No frame of {path} can be decoded ({facts.codec}): {self.complaint or 'it holds none'}.",
                "Check that it plays in another program.",
            )

    def grab(self) -> bool:
        """Take the next frame; False at the end."""
        if self._ahead:  # the first one was read to see that there is one
            self._ahead = False
            return True
        self._ended = self._ended or not self._next()
        return not self._ended

    def picture(self) -> Image | None:
        """The frame grabbed last, RGB; None if it has another size than the first."""
        return self._image

    def close(self) -> None:
        """End ffmpeg. May be called more than once."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        if not self._messages.closed:
            self._messages.seek(0)
            lines = self._messages.read().decode(errors="replace").strip().splitlines()
            self.complaint = lines[-1].strip().rstrip(".") if lines else ""
            self._messages.close()

    def _next(self) -> bool:
        """Read up to the end of the next block, with its frame."""
        stream = self._process.stdout
        if stream is None:
            raise ValueError("the decoder was started without a pipe")
        while (element := _number(stream, marked=True)) is not None and (size := _number(stream)) is not None:
            if element in _CONTAINERS:
                continue
            if element in _BLOCKS:
                return self._block(stream, size)
            content = stream.read(size)
            if element == _CLUSTER_TIME:
                self._cluster = int.from_bytes(content, "big")
            elif element == _WIDTH:
                self.width = int.from_bytes(content, "big")
            elif element == _HEIGHT:
                self.height = int.from_bytes(content, "big")
        return False

    def _block(self, stream: IO[bytes], size: int) -> bool:
        head = stream.read(4)  # number of the track, time in the cluster, flags
        self.time = (self._cluster + int.from_bytes(head[1:3], "big", signed=True)) / 1000
        shape = self.height, self.width, 3
        data = np.frombuffer(bytearray(stream.read(size - 4)), np.uint8)
        if len(data) != size - 4:  # ffmpeg ended in the middle
            return False
        self._image = data.reshape(shape) if len(data) == np.prod(shape) else None
        return True


def _number(stream: IO[bytes], *, marked: bool = False) -> int | None:
    """A number of variable length, with its length marker (an element's name) or without; None at the end."""
    first = stream.read(1)
    if not first:
        return None
    length = 9 - first[0].bit_length()
    number = int.from_bytes(first + stream.read(length - 1), "big")
    return number if marked else number & ((1 << 7 * length) - 1)
