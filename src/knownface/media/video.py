"""Video files as iterators of frames."""

from __future__ import annotations

import dataclasses
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from knownface.errors import UnreadableError, UnsupportedError
from knownface.media.decoding import FfmpegDecoder
from knownface.media.doubts import Doubts
from knownface.media.images import open_binary
from knownface.media.opencv import (
    pixel_aspect,
    quiet_opencv,
    rgb_of,
    square_size,
)  # imported before cv2: it keeps FFmpeg quiet
from knownface.media.probing import VideoFacts, interlaced_at, probe
from knownface.media.signatures import HEAD_BYTES, image_format, is_video
from knownface.types import Frame, Image

import cv2  # isort: skip

_ROUNDING = 0.001
"""Seconds: Matroska and others round timestamps to milliseconds, so a frame may seem that much early."""

_PATIENCE = 100
"""Failures in a row after which the file is taken to have ended."""

_DOUBTFUL = 1.0
"""Seconds without any change after which OpenCV's reading is checked, once."""

_DEFAULT_FPS = 25.0
_HIGHEST_FPS = 1000
_TRUNCATED_BELOW = 0.95


@dataclasses.dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a container says of its video.

    Attributes:
        width: Pixels, upright and square.
        height: Pixels, upright and square.
        fps: Frames a second, on average.
        duration: Seconds, from the number of frames and their mean rate; None where the container has none.
        frames: How many; an estimate from the duration in some containers (Matroska), None where it has neither.
        start: Seconds from the beginning of the file to its first picture.
    """

    width: int
    height: int
    fps: float
    duration: float | None
    frames: int | None
    start: float = 0.0


class _Reader(Protocol):
    """An open video file."""

    @property
    def info(self) -> VideoInfo: ...
    def grab(self) -> bool: ...
    @property
    def time(self) -> float: ...
    def picture(self) -> Image | None: ...
    def close(self) -> None: ...


def video_info(path: str | Path) -> VideoInfo:
    """Size, rate and length of a video file, without reading it to its end.

    Raises:
        UnreadableError: The file is missing, empty or damaged, or holds no pictures (only sound).
        UnsupportedError: It is not a video, or one that only the ``ffmpeg`` program reads, which is missing.
    """
    reader = _open(path)
    try:
        return reader.info
    finally:
        reader.close()


def read_video(path: str | Path, every: float | None = None, *, doubts: Doubts | None = None) -> Iterator[Frame]:
    """The frames of a video file with their times, upright, with square pixels.

    Times are the container's own timestamps in seconds from its start, as players show them (a picture that starts
    1.5 seconds after the sound begins with 1.5), strictly increasing; variable frame rates are given as they are. The
    file is opened at once, so its errors come from this call; only a video in which no frame can be decoded shows that
    at the first ``next``. If a video ends early (cut off, damaged), what can be read is yielded and a warning is
    logged; so is a warning where the pictures are one and the same, or of one colour, for long.

    Interlaced videos and those of a codec that OpenCV lacks are read through the ``ffmpeg`` program.

    Args:
        path: The file.
        every: Seconds between samples: the first frame at or after each multiple of ``every`` is yielded (a
            frame up to a millisecond early counts as "at", since containers round). None yields all frames.
        doubts: Takes the warnings; None logs them all. One that was given before logs none twice.

    Raises:
        UnreadableError: The file is missing, empty or damaged, or holds no pictures (only sound).
        UnsupportedError: It is not a video, or one that only the ``ffmpeg`` program reads, which is missing.
        ValueError: ``every`` is not a positive number.
    """
    if every is not None and not (math.isfinite(every) and every > 0):
        raise ValueError(f"every must be a positive number of seconds, got {every}")
    return _frames(_open(path), path, every, doubts or Doubts(str(path)))


def _frames(reader: _Reader, path: str | Path, every: float | None, doubts: Doubts) -> Iterator[Frame]:
    info = reader.info
    doubts.begin()
    last, due, count, lost, asked = -1.0, 0.0, 0, 0, False
    try:
        while (failed := _grab(reader)) is not None:
            last = _time(reader.time, last, info.fps)
            count += 1
            lost += failed
            if last < due - _ROUNDING:
                continue
            image = reader.picture()
            if image is None:
                lost += 1
                continue
            if every is not None:
                due = (math.floor((last + _ROUNDING) / every) + 1) * every
            doubts.look(image, last)
            if doubts.still_for >= _DOUBTFUL and not asked:
                asked = True
                reader = _checked(reader, path, last, doubts)
            yield Frame(image, last)
    finally:
        reader.close()
    if count == 0 and isinstance(reader, _OpencvReader):
        yield from _frames(_second_reader(path, reader.codec), path, every, doubts)
        return
    doubts.end()
    if lost:
        doubts.warn(f"{doubts.name} is damaged: {lost} of its frames could not be decoded and were passed over.")
    elif isinstance(reader, FfmpegDecoder) and reader.complaint and count < (info.frames or 0):
        missing = (info.frames or 0) - count
        doubts.warn(f"{doubts.name} is damaged: {missing} of its frames are missing (ffmpeg: {reader.complaint}).")
    # Where the number of frames is an estimate from a mean rate, only the time counts.
    length = last + 1 / info.fps - info.start
    short = info.frames is not None and count + lost < _TRUNCATED_BELOW * info.frames
    if short and length < _TRUNCATED_BELOW * (info.duration or 0):
        doubts.warn(f"{doubts.name} ends early: {length:.1f} of {info.duration:.1f} seconds could be read.")


def _checked(reader: _Reader, path: str | Path, time: float, doubts: Doubts) -> _Reader:
    """The reader, or, if what does not change are interlaced pictures in OpenCV's hands, ffmpeg's from that time on."""
    facts, program = probe(path), shutil.which("ffmpeg")
    if not isinstance(reader, _OpencvReader) or facts is None or program is None:
        return reader
    if not interlaced_at(path, facts, time):
        return reader
    doubts.warn(f"{doubts.name} becomes interlaced about {time:.1f} seconds; up to {_DOUBTFUL:.1f} seconds are lost.")
    reader.close()
    other = _FfmpegReader(program, path, facts)
    while other.grab() and other.time < time:
        pass
    return other


def _grab(reader: _Reader) -> int | None:
    """Decode the next frame; how many had to be passed over for it, None at the end."""
    # A damaged frame and the end of the file look alike.
    return next((failed for failed in range(_PATIENCE) if reader.grab()), None)


def _time(time: float, last: float, fps: float) -> float:
    # Streams without timestamps (or with broken ones) are taken to run at their nominal rate.
    if math.isfinite(time) and time > last and time >= 0:
        return time
    return 0.0 if last < 0 else last + 1 / fps


class _OpencvReader:
    def __init__(self, capture: cv2.VideoCapture, facts: VideoFacts | None) -> None:
        self._capture = capture
        self._offset = 0.0 if facts is None else facts.offset
        self._pixel = pixel_aspect(capture)
        self.codec = int(capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little").decode("latin-1").strip()
        info = _info(capture, self._pixel, None if facts is None else facts.duration)
        self.info = dataclasses.replace(info, start=self._offset)

    def grab(self) -> bool:
        return bool(self._capture.grab())

    @property
    def time(self) -> float:
        return float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000 + self._offset

    def picture(self) -> Image | None:
        ok, bgr = self._capture.retrieve()
        return rgb_of(bgr, self._pixel) if ok and bgr.size else None

    def close(self) -> None:
        self._capture.release()


class _FfmpegReader(FfmpegDecoder):
    def __init__(self, program: str, path: str | Path, facts: VideoFacts) -> None:
        super().__init__(program, path, facts)
        fps = facts.fps if 0 < facts.fps <= _HIGHEST_FPS else _DEFAULT_FPS
        frames = None if facts.duration is None else round(facts.duration * fps)
        self.info = VideoInfo(self.width, self.height, fps, facts.duration, frames, facts.offset)


def _info(capture: cv2.VideoCapture, pixel: float, duration: float | None) -> VideoInfo:
    fps = float(capture.get(cv2.CAP_PROP_FPS))
    known_rate = 0 < fps <= _HIGHEST_FPS  # damaged headers say 90,000
    fps = fps if known_rate else _DEFAULT_FPS
    count = float(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    frames = int(count) if math.isfinite(count) and count > 0 else None
    length = frames / fps if known_rate and frames else None
    # OpenCV counts the frames that an edit list hides, and the time before the first one of a file that starts late.
    if length is not None and duration is not None and abs(length - duration) > (1 - _TRUNCATED_BELOW) * length:
        length, frames = duration, round(duration * fps)
    stored = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
    width, height = square_size(*stored, pixel)
    return VideoInfo(width, height, fps, length, frames)


def _open(path: str | Path) -> _Reader:
    with open_binary(path) as stream:
        head = stream.read(HEAD_BYTES)
    if not head:
        raise UnreadableError(f"{path} is empty.", "Copy or download it again.")
    # FFmpeg would also read playlists, which name other files and addresses, and draw text files as pictures.
    if not is_video(head):
        what = "a picture, not a video" if image_format(head) else "not a video of a kind that is read here"
        raise UnsupportedError(f"{path} is {what}.")
    facts = probe(path)
    if facts is not None and facts.stream is None:
        raise UnreadableError(f"{path} cannot be read as a video: it holds only sound.", "Choose another file.")
    if facts is not None and facts.interlaced:
        return _through_ffmpeg(path, facts, "is interlaced")
    if facts is not None and facts.others:
        return _through_ffmpeg(path, facts, "has several video tracks, and the default one is not the first")
    with quiet_opencv():
        # An absolute path, since FFmpeg takes what stands before a colon for a protocol.
        capture = cv2.VideoCapture(str(Path(path).absolute()), cv2.CAP_FFMPEG)
    capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
    if not capture.isOpened():
        raise UnreadableError(
            f"{path} cannot be read as a video: it is damaged or cut off, or holds only sound.",
            "Check that it plays in another program.",
        )
    return _OpencvReader(capture, facts)


def _second_reader(path: str | Path, codec: str) -> _Reader:
    """For a file of which OpenCV decodes no frame."""
    facts = probe(path)
    if facts is None or shutil.which("ffmpeg") is None:
        raise UnreadableError(
            f"No frame of {path} can be decoded: it is empty, damaged or cut off, or its codec ({codec}) is none that "
            "OpenCV reads here.",
            "If it plays in another program, install ffmpeg, with which more codecs are read.",
        )
    return _through_ffmpeg(path, facts, f"has the codec {codec}")


def _through_ffmpeg(path: str | Path, facts: VideoFacts, what: str) -> _Reader:
    program = shutil.which("ffmpeg")
    if program is None:
        raise UnsupportedError(
            f"{path} {what}: it is read through the program ffmpeg, which is not installed.", "Install ffmpeg."
        )
    return _FfmpegReader(program, path, facts)
