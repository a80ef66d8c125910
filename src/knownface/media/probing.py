"""What the ``ffprobe`` program reports of a video file: facts that OpenCV does not pass on.

Options: https://ffmpeg.org/ffprobe.html.
"""

from __future__ import annotations

import contextlib
import functools
import json
import math
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TIMEOUT = 30.0
"""Seconds, for a file on a slow share."""

INTERLACED = frozenset({"tt", "bb", "tb", "bt"})
_FIRST_PACKETS = "%+#5"
_LATER_PACKETS = "%+#60"
"""Intervals of ffprobe whose frames are asked for their flags: in the middle of a file a key frame comes first."""

_NEVER_INTERLACED = frozenset({"vp8", "vp9", "av1", "gif", "flv1", "png", "webp"})
_STREAM = "index,codec_type,codec_name,field_order,avg_frame_rate,start_time,duration"
_FORMAT = "format_name,start_time,duration"

_PRIMING = 0.05
"""Seconds: encoders of sound begin so much before the picture, which is no later start of it."""


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """What ffprobe reports of a file.

    Attributes:
        stream: Index of the stream with the pictures that players show; None where there is none but a cover.
        others: Whether streams of pictures come before it in the file.
        codec: Its name, such as ``h264``.
        fps: Frames a second, on average; 0 where the container does not say.
        interlaced: Whether its frames are made of two fields.
        origin: Seconds, the container's first timestamp, which players show as 0.
        offset: Seconds from ``origin`` to the first picture, at least 0.
        duration: Seconds of pictures; None where the container does not say.
    """

    stream: int | None
    others: bool
    codec: str
    fps: float
    interlaced: bool
    origin: float
    offset: float
    duration: float | None


def probe(path: str | Path) -> VideoFacts | None:
    """The facts of a file; None without ffprobe, or where it cannot read the file."""
    path = Path(path).absolute()
    status = path.stat()
    return _probe(path, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=64)  # a video is opened two or three times: for its facts, its frames, its labelled copy
def _probe(path: Path, _changed: int, _size: int) -> VideoFacts | None:
    report = _ask(
        path,
        "-show_entries",
        f"format={_FORMAT}:stream={_STREAM}:stream_disposition=attached_pic,default:stream_tags=DURATION",
    )
    streams = [stream for stream in report.get("streams", []) if stream.get("codec_type") == "video"]
    container = report.get("format", {})
    if not report.get("streams"):
        return None
    origin = _number(container.get("start_time")) or 0.0
    films = [stream for stream in streams if not stream["disposition"]["attached_pic"]]
    if not films:
        return VideoFacts(None, False, "", 0.0, False, origin, 0.0, None)
    # The track that the container marks as its default, else the first: what players show.
    film = max(films, key=lambda stream: int(stream["disposition"]["default"]))
    start = _number(film.get("start_time"))
    if start is None or start - origin < _PRIMING:
        origin, start = (origin, origin) if start is None else (start, start)
    return VideoFacts(
        stream=int(film["index"]),
        others=film is not streams[0],
        codec=film.get("codec_name", "unknown"),
        fps=_rate(film.get("avg_frame_rate", "0/0")),
        interlaced=_is_interlaced(path, film),
        origin=origin,
        offset=start - origin,
        duration=_duration(film, container, start),
    )


def interlaced_at(path: str | Path, facts: VideoFacts, time: float) -> bool:
    """Whether frames at a time, in seconds from ``origin``, are made of two fields; False without ffprobe."""
    return _some_interlaced(Path(path).absolute(), facts.stream, f"{facts.origin + time:.3f}{_LATER_PACKETS}")


def _is_interlaced(path: Path, stream: dict[str, Any]) -> bool:
    order = stream.get("field_order", "unknown")
    if order != "unknown" or stream.get("codec_name") in _NEVER_INTERLACED:
        return order in INTERLACED
    return _some_interlaced(path, stream["index"], _FIRST_PACKETS)


def _some_interlaced(path: Path, stream: int | None, interval: str) -> bool:
    where = ("-select_streams", str(stream), "-read_intervals", interval)
    frames = _ask(path, *where, "-show_entries", "frame=interlaced_frame").get("frames", [])
    return any(frame.get("interlaced_frame") for frame in frames)


def _duration(stream: dict[str, Any], container: dict[str, Any], start: float) -> float | None:
    if "matroska" not in container.get("format_name", ""):
        own = _number(stream.get("duration"))
        return _number(container.get("duration")) if own is None else own
    # Matroska stores the times at which the file and, in a tag such as 00:00:02.040000000, each stream ends.
    end = _number(container.get("duration"))
    with contextlib.suppress(ValueError, KeyError):
        hours, minutes, seconds = stream["tags"]["DURATION"].split(":")
        end = 3600 * int(hours) + 60 * int(minutes) + float(seconds)
    return None if end is None else end - max(0.0, start)


def _ask(path: Path, *options: str) -> dict[str, Any]:
    program = shutil.which("ffprobe")
    if program is None:
        return {}
    # "file:" since what stands before a colon in a name would be a protocol.
    command = [program, "-loglevel", "quiet", *options, "-of", "json", f"file:{path}"]
    try:
        result = subprocess.run(  # noqa: S603 - a list, no shell
            command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=_TIMEOUT
        )
        report = json.loads(result.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return {}
    return report if result.returncode == 0 else {}


def _rate(text: str) -> float:
    frames, seconds = (int(part) for part in text.split("/"))
    return frames / seconds if seconds else 0.0


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:  # "N/A"
        return None
    return number if math.isfinite(number) else None
