"""What a user means by a source of pictures: a camera, a network stream, a video file or a folder of frames."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import SplitResult, urlsplit, urlunsplit

from knownface.errors import UnsupportedError
from knownface.media.doubts import Doubts
from knownface.media.folder import read_folder
from knownface.media.video import read_video
from knownface.types import Frame

SourceKind: TypeAlias = Literal["camera", "stream", "video", "folder"]
"""``camera``: of this machine, by its number. ``stream``: RTSP or HTTP. ``video``: a file. ``folder``: its pictures,
in natural order, are the frames."""

STREAM_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
"""What a network stream's address begins with, and the port that is meant where it names none."""

FOLDER_FPS = 25.0
"""Frames a second that a folder of frames is taken to have."""

_DEVICE = re.compile(r"/dev/video([0-9]+)")


@dataclass(frozen=True, slots=True)
class Source:
    """Where pictures come from; made by :func:`parse_source`.

    Attributes:
        kind: What it is.
        address: Number of the camera, address of the stream, path of the file or folder.
        name: What messages, files and the gallery call it: the address without user, password and query.
    """

    kind: SourceKind
    address: str
    name: str

    @property
    def live(self) -> bool:
        """Whether pictures come by themselves, in real time, and are gone if nobody takes them."""
        return self.kind in {"camera", "stream"}


def parse_source(source: str | int | Path) -> Source:
    """What kind of source is meant; nothing is opened.

    Args:
        source: Number of a camera (or its ``/dev/video…``), an address, or the path of a file or folder.

    Raises:
        UnsupportedError: It is an address of a kind that is not read here, or not an address at all.
    """
    text = str(source)
    device = _DEVICE.fullmatch(text)
    if device or (text.isascii() and text.isdigit()):
        number = device[1] if device else str(int(text))
        return Source("camera", number, f"camera {number}")
    if "://" in text:
        return Source("stream", text, _without_secrets(text))
    return Source("folder" if Path(text).is_dir() else "video", text, text)


def read_source(
    source: Source, every: float | None = None, fps: float = FOLDER_FPS, *, doubts: Doubts | None = None
) -> Iterator[Frame]:
    """The frames of a video file or a folder, in order.

    Args:
        source: Of the kind ``video`` or ``folder``.
        every: Seconds between the frames that are yielded; None yields all.
        fps: Frames a second of a folder.
        doubts: Takes the warnings about a video.

    Raises:
        InputError: The file or folder cannot be read.
        ValueError: The source is live, or ``every`` or ``fps`` is not positive.
    """
    if source.live:
        raise ValueError(f"{source.name} is live; it is read by Capture")
    if source.kind == "folder":
        return read_folder(source.address, fps, every)
    return read_video(source.address, every, doubts=doubts)


def _without_secrets(address: str) -> str:
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:  # its text may repeat the address, and so a password
        raise UnsupportedError("The address of the stream is not valid.", _ENCODE) from error
    if parts.scheme.lower() not in STREAM_PORTS:
        raise UnsupportedError(f"{parts.scheme}:// is not a kind of stream that is read here.", _HINT)
    if not parts.hostname:
        raise UnsupportedError("The address of the stream names no host.", _HINT)
    if ":" in parts.netloc and "@" in f"{parts.path}{parts.query}{parts.fragment}":
        # What stands before may be a user and a password, of which a slash has cut off the end.
        raise UnsupportedError("The address of the stream has an @ behind its host.", _ENCODE)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    place = host if port is None else f"{host}:{port}"
    return urlunsplit(SplitResult(parts.scheme, place, _SECRET.sub(r"\1…", parts.path), "", ""))


# Cameras of several makers want them in the path: user=admin_password=secret_channel=1_stream=0.sdp
_SECRET = re.compile(
    r"((?:user(?:name)?|login|pass(?:word|wd)?|pwd|auth|token|key|secret|session)=)(?:(?![_&;,][a-z]+=)[^/])*",
    re.IGNORECASE,
)
_ENCODE = (
    "In a user's name and a password write / as %2F, # as %23, ? as %3F, : as %3A and @ as %40; an @ in the path, too."
)
_HINT = f"A stream begins with {', '.join(f'{s}://' for s in STREAM_PORTS)}; any program can serve it so."
