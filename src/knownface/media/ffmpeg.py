"""The ``ffmpeg`` program as a process that is fed frames, and what it wrote.

Options: https://ffmpeg.org/ffmpeg.html and https://trac.ffmpeg.org/wiki/Encode/H.264.
"""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import shutil
import subprocess
import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np

from knownface.errors import OutputError
from knownface.types import Image

logger = logging.getLogger(__name__)

_QUIET = ("-hide_banner", "-loglevel", "error", "-nostdin", "-y")
_ENCODERS: dict[str, tuple[str, ...]] = {
    "libx264": ("-preset", "veryfast", "-crf", "20"),
    "libopenh264": ("-b:v", "6M"),
    "mpeg4": ("-q:v", "3"),
}
# Without a tag players take small videos for BT.601 and large ones for BT.709, and colours shift.
_COLOUR = (
    *("-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"),
    *("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"),
)


class FfmpegEncoder:
    """Frames into an MP4 without sound.

    Args:
        program: Path of ffmpeg.
        path: Where the video is written; replaced if it exists.
        size: Width and height, both even.
        fps: Frames a second.

    Raises:
        OutputError: ffmpeg cannot be started.
    """

    def __init__(self, program: str, path: Path, size: tuple[int, int], fps: float) -> None:
        encoder = _best_encoder(program)
        rate = Fraction(fps).limit_denominator(1001)
        command = [
            *(program, *_QUIET, "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size[0]}x{size[1]}"),
            *("-r", f"{rate.numerator}/{rate.denominator}", "-i", "pipe:0"),
            *(*_COLOUR, "-c:v", encoder, *_ENCODERS[encoder]),
            *("-movflags", "+faststart", "-f", "mp4", _url(path)),
        ]
        # A file, not a pipe: nobody reads while frames are written, and a full pipe would stop both sides.
        self._messages = tempfile.TemporaryFile()  # noqa: SIM115 - closed in _close
        try:
            # A session of its own: Ctrl-C goes to every program of the terminal's, and the video is not finished yet.
            self._process = subprocess.Popen(  # noqa: S603 - a list, no shell
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self._messages,
                start_new_session=True,
            )
        except OSError as error:
            self._messages.close()
            raise OutputError(f"{program} cannot be started: {error}.") from error

    def write(self, image: Image) -> None:
        """Encode one frame (RGB uint8, contiguous, of the given size).

        Raises:
            OutputError: ffmpeg has given up, for instance because the disk is full.
        """
        if self._process.stdin is None:
            raise ValueError("the encoder was started without a pipe")
        try:
            self._process.stdin.write(np.ascontiguousarray(image).data)
        except OSError as error:
            raise self._failure() from error

    def finish(self) -> None:
        """Wait until the file is complete.

        Raises:
            OutputError: ffmpeg failed.
        """
        try:
            if self._process.stdin is not None:
                self._process.stdin.close()
        except OSError as error:
            raise self._failure() from error
        if self._process.wait() != 0:
            raise self._failure()
        self._messages.close()

    def abort(self) -> None:
        """End ffmpeg at once; what it has written is of no use. May be called after anything."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):  # the last bytes have nowhere to go
                self._process.stdin.close()
        self._messages.close()

    def _failure(self) -> OutputError:
        self._process.wait()
        self._messages.seek(0)
        said = _last_line(self._messages.read())
        self.abort()
        return OutputError(f"ffmpeg ended with status {self._process.returncode}: {said or 'it said nothing'}.")


def add_sound(program: str, video: Path, source: Path, output: Path, seconds: float) -> bool:
    """Join a silent video with the sound of its source, both unchanged if MP4 holds that kind of sound, else as AAC.

    Args:
        program: Path of ffmpeg.
        video: The silent video; its time 0 is that of the source.
        source: Where the sound is.
        output: Written.
        seconds: Length of ``video``; sound beyond it is cut off.

    Returns:
        Whether ``output`` was written; False if the source has no sound, or it could not be taken over (which is
        logged as a warning).
    """
    if not _has_sound(program, source):
        return False
    said = ""
    for codec in ("copy", "aac"):
        command = [
            *(program, *_QUIET, "-i", _url(video), "-i", _url(source)),
            *("-map", "0:v:0", "-map", "1:a:0", "-c:v", "copy", "-c:a", codec),
            *("-t", f"{seconds:.6f}", "-movflags", "+faststart", "-f", "mp4", _url(output)),
        ]
        result = subprocess.run(command, capture_output=True, check=False, start_new_session=True)  # noqa: S603
        said = _last_line(result.stderr)
        if result.returncode == 0:
            if is_complete(output):  # on a full disk ffmpeg may end with 0 all the same
                return True
            said = said or "it could not be written to its end"
    logger.warning("The sound of %s could not be taken over: %s", source, said)
    return False


def is_complete(path: Path) -> bool:
    """Whether an MP4 has its index, and its boxes fill the file to its last byte.

    Boxes: ISO/IEC 14496-12, section 4.2.
    """
    size = path.stat().st_size
    kinds: set[bytes] = set()
    at = 0
    with path.open("rb") as stream:
        while at < size:
            stream.seek(at)
            head = stream.read(16)
            length = int.from_bytes(head[:4], "big")
            if length == 1:
                length = int.from_bytes(head[8:16], "big")
            if length < 8:
                return False
            kinds.add(head[4:8])
            at += length
    return at == size and {b"moov", b"mdat"} <= kinds


def _has_sound(program: str, source: Path) -> bool:
    """What ffprobe reports; without ffprobe sound is expected."""
    folder = Path(program).parent
    probe = shutil.which("ffprobe", path=str(folder)) or shutil.which("ffprobe")
    if probe is None:
        return True
    command = [probe, "-loglevel", "error", "-show_entries", "stream=codec_type", "-of", "json", _url(source)]
    result = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
    if result.returncode != 0:
        return True
    return any(stream.get("codec_type") == "audio" for stream in json.loads(result.stdout).get("streams", []))


@functools.cache
def _best_encoder(program: str) -> str:
    try:
        result = subprocess.run([program, "-hide_banner", "-encoders"], capture_output=True, check=False)  # noqa: S603
    except OSError as error:
        raise OutputError(f"{program} cannot be started: {error}.") from error
    known = {words[1] for line in result.stdout.decode(errors="replace").splitlines() if len(words := line.split()) > 1}
    return next((name for name in _ENCODERS if name in known), "mpeg4")


def _url(path: Path) -> str:
    # "file:" since a name may begin with a dash, and what stands before a colon would be a protocol.
    return f"file:{path.absolute()}"


def _last_line(messages: bytes) -> str:
    lines = messages.decode(errors="replace").strip().splitlines()
    return lines[-1].strip().rstrip(".") if lines else ""
