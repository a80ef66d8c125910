"""Which files are meant, and what they are."""

from __future__ import annotations

import glob
import logging
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from knownface.errors import UnreadableError
from knownface.media.images import open_binary
from knownface.media.signatures import HEAD_BYTES, image_format, is_video

logger = logging.getLogger(__name__)

IMAGE_SUFFIXES = frozenset(
    {
        ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".dib", ".tif", ".tiff", ".gif", ".avif",
        ".heic", ".heif", ".hif", ".ppm", ".pgm", ".pbm", ".pnm",
    }
)  # fmt: skip
"""Suffixes of pictures, in lower case."""

VIDEO_SUFFIXES = frozenset(
    {
        ".mp4", ".m4v", ".mov", ".3gp", ".3g2", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".vob", ".ts", ".mts",
        ".m2ts", ".wmv", ".asf", ".flv", ".ogv", ".mxf", ".dv", ".h264", ".264", ".hevc", ".h265", ".265",
        ".m2v", ".y4m",
    }
)  # fmt: skip
"""Suffixes of videos, in lower case."""

_SYSTEM_FILES = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db", "__macosx"})


def kind_of(path: str | Path) -> Literal["image", "video"] | None:
    """What a file is: by its suffix, or by its content where the suffix is not one of a picture or video.

    None for anything else, and for a file that is not there or may not be read. Whether a file of a known suffix
    holds what it promises shows when it is read.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in IMAGE_SUFFIXES:
        return "image"
    if suffix in VIDEO_SUFFIXES:
        return "video"
    try:
        with open_binary(path) as stream:
            head = stream.read(HEAD_BYTES)
    except (UnreadableError, OSError) as error:
        logger.debug("%s was not looked into: %s", path, error)
        return None
    if image_format(head) is not None:
        return "image"
    return "video" if is_video(head) else None


def expand_paths(args: Sequence[str | Path]) -> list[Path]:
    """The files that a user means by files, folders and glob patterns.

    A file that is named is taken, whatever it is. Of folders (with everything below them, links followed) and of
    patterns, the pictures and videos are taken, without hidden files and those that systems leave behind
    (``._*``, ``Thumbs.db``). Arguments keep their order; what one of them stands for is sorted naturally
    (``2.jpg`` before ``10.jpg``). A file reached twice is listed once.

    Raises:
        UnreadableError: A path does not exist, a folder may not be read, or a pattern matches nothing.
    """
    found: dict[str, Path] = {}
    for arg in args:
        for path in _expand(str(arg)):
            found.setdefault(os.path.realpath(path), path)
    return list(found.values())


def natural_key(path: Path) -> list[tuple[int, int, str]]:
    """Sorts numbers in names by their value and the rest without regard to letter case, folder by folder."""
    key: list[tuple[int, int, str]] = []
    for part in path.parts:
        pieces = re.split(r"([0-9]+)", part.casefold())
        key += [(1, int(piece), "") if piece[:1] in "0123456789" and piece else (2, 0, piece) for piece in pieces]
        key.append((0, 0, ""))
    return [*key, (0, 0, str(path))]


def _expand(arg: str) -> list[Path]:
    path = Path(arg)
    if path.is_dir():
        return sorted(_walk(path, set()), key=natural_key)
    if os.path.lexists(path):
        return [path]
    if not glob.has_magic(arg):
        raise UnreadableError(f"{arg} does not exist.", "Check the spelling of the path.")
    # Path.glob takes no absolute pattern.
    matches = [Path(match) for match in glob.iglob(arg, recursive=True)]  # noqa: PTH207
    if not matches:
        raise UnreadableError(f"The pattern {arg} matches no file.", "Check the pattern and the working folder.")
    visited: set[tuple[int, int]] = set()
    files: list[Path] = []
    for match in matches:
        if match.is_dir():
            files.extend(_walk(match, visited))
        elif _is_wanted(match):
            files.append(match)
    return sorted(files, key=natural_key)


def _walk(folder: Path, visited: set[tuple[int, int]], top: bool = True) -> Iterator[Path]:
    try:
        status = folder.stat()
        entries = list(folder.iterdir())
    except OSError as error:
        if top:
            raise UnreadableError(f"The folder {folder} may not be read: {error.strerror}.") from error
        logger.warning("The folder %s may not be read (%s); it is passed over.", folder, error.strerror)
        return
    # A link may lead to a folder above it: each folder is entered once.
    if (status.st_dev, status.st_ino) in visited:
        return
    visited.add((status.st_dev, status.st_ino))
    for entry in entries:
        if entry.is_dir():
            if not is_clutter(entry):
                yield from _walk(entry, visited, top=False)
        elif _is_wanted(entry):
            yield entry


def _is_wanted(path: Path) -> bool:
    return not is_clutter(path) and path.is_file() and kind_of(path) is not None


def is_clutter(path: Path) -> bool:
    """Whether a file or folder is hidden, one of those that systems leave behind, or the sidecar of a photo."""
    name = path.name.lower()
    return name.startswith(".") or name in _SYSTEM_FILES or name.endswith(".xmp")
