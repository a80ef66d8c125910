"""Pictures and videos on disk, whole or not at all."""

from __future__ import annotations

import functools
import glob
import logging
import shutil
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import cv2
import numpy as np
from PIL import Image as PilImage

from knownface.errors import InputError, OutputError
from knownface.files import beside, put_in_place, replacing, unwritable
from knownface.media.ffmpeg import FfmpegEncoder, add_sound, is_complete
from knownface.media.metadata import keep_date, metadata_of
from knownface.media.opencv import quiet_opencv
from knownface.media.video import video_info
from knownface.types import Image

logger = logging.getLogger(__name__)

_FORMATS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
_LEFT_OVER = 3600.0
"""Seconds: an unfinished video that nobody has written to for so long is one that a killed program left."""

WRITABLE_SUFFIXES = frozenset(_FORMATS)
"""Suffixes that :func:`write_image` knows, in lower case."""

# 4:4:4, since thin coloured lines and letters fray when JPEG halves the resolution of colour.
_OPTIONS: dict[str, dict[str, Any]] = {
    ".jpg": {"quality": 92, "subsampling": 0},
    ".jpeg": {"quality": 92, "subsampling": 0},
    ".webp": {"quality": 90},
    ".png": {"compress_level": 3},
    ".tif": {"compression": "tiff_deflate"},
    ".tiff": {"compression": "tiff_deflate"},
}


def write_image(path: str | Path, image: Image, *, like: Path | None = None) -> None:
    """Write a picture; its kind follows from the suffix. The file appears under its name when it is complete.

    Args:
        path: Where; an existing file is replaced, a missing folder is made.
        image: RGB, uint8, shape (height, width, 3).
        like: A photo of which this is a copy: its EXIF (upright), its colour profile and its date are taken over.

    Raises:
        OutputError: The suffix is not one of :data:`WRITABLE_SUFFIXES`, the disk is full, the folder may not be
            written, or the picture has more pixels a side than the format allows.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in WRITABLE_SUFFIXES:
        known = ", ".join(sorted(WRITABLE_SUFFIXES))
        raise OutputError(f"{path} cannot be written: its suffix is none of {known}.", "Choose another suffix.")
    carried = metadata_of(like, image.shape[1], image.shape[0]) if like is not None else {}
    with replacing(path) as part:
        try:
            PilImage.fromarray(image).save(part, format=_FORMATS[suffix], **_OPTIONS.get(suffix, {}), **carried)
        except ValueError as error:
            raise unwritable(path, error) from error
        if like is not None:
            keep_date(like, part)


class _Encoder(Protocol):
    def write(self, image: Image) -> None: ...
    def finish(self) -> None: ...
    def abort(self) -> None: ...


class VideoWriter:
    """Writes an MP4 (H.264 with the original's sound, through the ``ffmpeg`` program) that any player opens.

    Without ``ffmpeg`` OpenCV writes MPEG-4 without sound, and a warning says so once. Use it as a context manager: the
    file appears under its name when the body has ended without an error, never half-written. Until then it is a hidden
    file beside it; one that a killed program left there, more than an hour ago, goes when the same video is written.

    Example:
        >>> with VideoWriter("named.mp4", info.fps, sound_from="clip.mp4") as video:  # doctest: +SKIP
        ...     for frame in read_video("clip.mp4"):
        ...         video.write(draw_labels(frame.image, labels), frame.time)

    Args:
        path: Where; the suffix must be ``.mp4``; a missing folder is made.
        fps: Frames a second, constant; above 0, at most 1000.
        sound_from: A video whose sound is taken over; one without sound is no error.
        ffmpeg: Name or path of the program; None, or one that is not there, writes with OpenCV.

    Raises:
        OutputError: The suffix is another, the folder may not be written, the disk is full, or the encoder fails.
        ValueError: ``fps`` is out of range.
    """

    def __init__(
        self, path: str | Path, fps: float, sound_from: str | Path | None = None, *, ffmpeg: str | None = "ffmpeg"
    ) -> None:
        if not 0 < fps <= 1000:
            raise ValueError(f"fps must be above 0 and at most 1000, got {fps}")
        self._path = Path(path)
        if self._path.suffix.lower() != ".mp4":
            raise OutputError(f"{path} cannot be written: a video's suffix must be .mp4.", "Choose another name.")
        self._fps = fps
        self._source = None if sound_from is None else Path(sound_from)
        self._program = None if ffmpeg is None else shutil.which(ffmpeg)
        self._silent, self._sounding = beside(self._path), beside(self._path)
        self._encoder: _Encoder | None = None
        self._shape: tuple[int, ...] = ()
        self._last: Image | None = None
        self._written = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            if self._encoder is not None:
                self._encoder.abort()
            self._silent.unlink(missing_ok=True)
            self._sounding.unlink(missing_ok=True)

    def write(self, image: Image, time: float | None = None) -> None:
        """Append a frame.

        Args:
            image: RGB, uint8, shape (height, width, 3); all of one shape. Odd sides grow by one repeated pixel,
                which the format asks for.
            time: Seconds from the start. The frame before (black at the beginning) is repeated until then, and a frame
                for whose time one was already written is left out, so that variable frame rates and samples stay in
                step with the sound. None puts it right behind the last one.

        Raises:
            InputError: The shape differs from the first frame's.
            OutputError: The encoder failed, for instance because the disk is full.
        """
        encoder = self._encoder or self._start(image)
        if image.shape != self._shape:
            raise InputError(f"All frames of a video have one shape, expected {self._shape}, got {image.shape}.")
        frame = np.pad(image, ((0, image.shape[0] % 2), (0, image.shape[1] % 2), (0, 0)), mode="edge")
        due = self._written if time is None else round(time * self._fps)
        if due < self._written:
            return
        waiting = np.zeros_like(frame) if self._last is None else self._last
        for _ in range(due - self._written):
            encoder.write(waiting)
        encoder.write(frame)
        self._last, self._written = frame, due + 1

    def _start(self, image: Image) -> _Encoder:
        self._shape = image.shape
        size = image.shape[1] + image.shape[1] % 2, image.shape[0] + image.shape[0] % 2
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            _sweep(self._path)
            self._silent.touch()  # ffmpeg's and OpenCV's own words on a folder that may not be written are worse
        except OSError as error:
            raise unwritable(self._path, error) from error
        if self._program is None:
            _say_without_ffmpeg()
            self._encoder = _OpencvEncoder(self._silent, size, self._fps)
        else:
            self._encoder = FfmpegEncoder(self._program, self._silent, size, self._fps)
        return self._encoder

    def _finish(self) -> None:
        if self._encoder is None:
            raise OutputError(f"{self._path} was not written: there was no frame.", "Check the video's source.")
        self._encoder.finish()
        _check(self._silent, self._written)
        done = self._silent
        if self._program is not None and self._source is not None:
            seconds = self._written / self._fps
            if add_sound(self._program, self._silent, self._source, self._sounding, seconds):
                done = self._sounding
        put_in_place(done, self._path)


def _check(path: Path, expected: int) -> None:
    """Refuse a video that is not whole: neither OpenCV nor ffmpeg always reports that the disk was full."""
    try:
        frames = video_info(path).frames if is_complete(path) else 0
    except InputError:
        frames = 0
    if frames != expected:
        raise OutputError(
            f"The video could not be written to its end: {frames or 'none'} of its {expected} frames are there.",
            "Check that the disk is not full.",
        )


def _sweep(path: Path) -> None:
    """Delete what earlier attempts to write this video left unfinished, if nobody is at it any more."""
    for part in path.parent.glob(glob.escape(f".{path.stem[:80]}-") + "?" * 12 + f".part{path.suffix}"):
        if time.time() - part.stat().st_mtime > _LEFT_OVER:
            logger.info("%s was left by a program that was killed; it is deleted.", part)
            part.unlink(missing_ok=True)


class _OpencvEncoder:
    def __init__(self, path: Path, size: tuple[int, int], fps: float) -> None:
        fourcc = cv2.VideoWriter.fourcc(*"mp4v")
        with quiet_opencv():
            self._writer = cv2.VideoWriter(str(path.absolute()), cv2.CAP_FFMPEG, fourcc, fps, size)
        if not self._writer.isOpened():
            raise OutputError(f"OpenCV cannot write a video of {size[0]} x {size[1]} pixels.", "Install ffmpeg.")

    def write(self, image: Image) -> None:
        self._writer.write(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))

    def finish(self) -> None:
        self._writer.release()

    def abort(self) -> None:
        self._writer.release()


@functools.cache  # once is enough, however many videos there are
def _say_without_ffmpeg() -> None:
    logger.warning("ffmpeg is not installed: videos are written without sound, as MPEG-4.")
