"""Video files as iterators of frames."""

from __future__ import annotations

import contextlib
import logging
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# FFmpeg inside OpenCV writes about every odd byte to stderr; it reads this when the first video is opened.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

import cv2
import numpy as np

from knownface.errors import UnreadableError, UnsupportedError
from knownface.media.images import open_binary
from knownface.media.signatures import HEAD_BYTES, image_format, is_video
from knownface.types import Frame

logger = logging.getLogger(__name__)

_ROUNDING = 0.001
"""Seconds: Matroska and others round timestamps to milliseconds, so a frame may seem that much early."""

_PATIENCE = 100
"""Failures in a row after which the file is taken to have ended."""

_DEFAULT_FPS = 25.0
_HIGHEST_FPS = 1000
_LOG_ERRORS = 2
_TRUNCATED_BELOW = 0.95


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a container says of its video.

    Attributes:
        width: Pixels, after rotation.
        height: Pixels, after rotation.
        fps: Frames a second, on average.
        duration: Seconds, from the number of frames and their mean rate; None where the container has none.
        frames: How many; an estimate from the duration in some containers (Matroska), None where it has neither.
    """

    width: int
    height: int
    fps: float
    duration: float | None
    frames: int | None


def video_info(path: str | Path) -> VideoInfo:
    """Size, rate and length of a video file, without decoding it.

    Raises:
        UnreadableError: The file is missing, empty or damaged, or holds no pictures (only sound).
        UnsupportedError: It is not a video.
    """
    capture = _open(path)
    try:
        return _info(capture)
    finally:
        capture.release()


def read_video(path: str | Path, every: float | None = None) -> Iterator[Frame]:
    """The frames of a video file with their times, upright.

    Times are the container's own timestamps in seconds from the start, strictly increasing; variable frame rates
    are given as they are. The file is opened at once, so its errors come from this call; only a video in which no
    frame can be decoded shows that at the first ``next``. If a video ends early (cut off, damaged), what can be
    read is yielded and a warning is logged.

    Args:
        path: The file.
        every: Seconds between samples: the first frame at or after each multiple of ``every`` is yielded (a
            frame up to a millisecond early counts as "at", since containers round). None yields all frames.

    Raises:
        UnreadableError: The file is missing, empty or damaged, or holds no pictures (only sound).
        UnsupportedError: It is not a video.
        ValueError: ``every`` is not a positive number.
    """
    if every is not None and not (math.isfinite(every) and every > 0):
        raise ValueError(f"every must be a positive number of seconds, got {every}")
    return _frames(_open(path), path, every)


def _frames(capture: cv2.VideoCapture, path: str | Path, every: float | None) -> Iterator[Frame]:
    info = _info(capture)
    last, due, count, lost = -1.0, 0.0, 0, 0
    try:
        while (failed := _grab(capture)) is not None:
            last = _time(capture, last, info.fps)
            count += 1
            lost += failed
            if last < due - _ROUNDING:
                continue
            ok, bgr = capture.retrieve()
            if not ok:
                lost += 1
                continue
            if every is not None:
                due = (math.floor((last + _ROUNDING) / every) + 1) * every
            yield Frame(np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8), last)
    finally:
        capture.release()
    if count == 0:
        raise UnreadableError(f"No frame of {path} can be decoded: it is empty, damaged or cut off.")
    if lost:
        logger.warning("%s is damaged: %d of its frames could not be decoded and were passed over.", path, lost)
    # Where the number of frames is an estimate from a mean rate, only the time counts.
    end = last + 1 / info.fps
    if info.frames and count + lost < _TRUNCATED_BELOW * info.frames and end < _TRUNCATED_BELOW * (info.duration or 0):
        logger.warning("%s ends early: %.1f of %.1f seconds could be read.", path, end, info.duration)


def _grab(capture: cv2.VideoCapture) -> int | None:
    """Decode the next frame; how many had to be passed over for it, None at the end."""
    # A damaged frame and the end of the file look alike.
    return next((failed for failed in range(_PATIENCE) if capture.grab()), None)


def _time(capture: cv2.VideoCapture, last: float, fps: float) -> float:
    time = float(capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000
    # Streams without timestamps (or with broken ones) are taken to run at their nominal rate.
    if math.isfinite(time) and time > last and time >= 0:
        return time
    return 0.0 if last < 0 else last + 1 / fps


def _info(capture: cv2.VideoCapture) -> VideoInfo:
    fps = float(capture.get(cv2.CAP_PROP_FPS))
    known_rate = 0 < fps <= _HIGHEST_FPS  # damaged headers say 90,000
    frames = float(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    known_length = math.isfinite(frames) and frames > 0
    return VideoInfo(
        width=int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
        height=int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
        fps=fps if known_rate else _DEFAULT_FPS,
        duration=frames / fps if known_rate and known_length else None,
        frames=int(frames) if known_length else None,
    )


def _open(path: str | Path) -> cv2.VideoCapture:
    with open_binary(path) as stream:
        head = stream.read(HEAD_BYTES)
    if not head:
        raise UnreadableError(f"{path} is empty.", "Copy or download it again.")
    # FFmpeg would also read playlists, which name other files and addresses, and draw text files as pictures.
    if not is_video(head):
        what = "a picture, not a video" if image_format(head) else "not a video of a kind that is read here"
        raise UnsupportedError(f"{path} is {what}.")
    with quiet_opencv():
        # An absolute path, since FFmpeg takes what stands before a colon for a protocol.
        capture = cv2.VideoCapture(str(Path(path).absolute()), cv2.CAP_FFMPEG)
    capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
    if not capture.isOpened():
        raise UnreadableError(
            f"{path} cannot be read as a video: it is damaged or cut off, or holds only sound.",
            "Check that it plays in another program.",
        )
    return capture


@contextlib.contextmanager
def quiet_opencv() -> Iterator[None]:
    """Keep OpenCV's warnings from stderr: whatever matters is raised as an error."""
    logs = cv2.utils.logging if hasattr(cv2.utils, "logging") else cv2  # OpenCV 5; OpenCV 4
    level = logs.getLogLevel()
    logs.setLogLevel(_LOG_ERRORS)
    try:
        yield
    finally:
        logs.setLogLevel(level)
