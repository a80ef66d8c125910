"""What a photo carries beside its pixels: EXIF, colour profile, date."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from PIL import ExifTags
from PIL import Image as PilImage

from knownface.errors import KnownFaceError
from knownface.media.images import no_warnings, open_binary, reader_of
from knownface.media.pixels import DECODER_ERRORS
from knownface.media.signatures import HEAD_BYTES, image_format

_ORIENTATION = ExifTags.Base.Orientation
_SIZE = (ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight)
_SUBFOLDERS = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)
_OWN = frozenset(
    {*range(254, 267), 273, *range(277, 282), 284, 317, *range(320, 347), *range(512, 530), 700, 34675, 37724}
)
"""Tags of how TIFF's pixels lie, thumbnails included, and what is carried in another way."""


def metadata_of(path: Path, width: int, height: int) -> dict[str, Any]:
    """What a copy of a photo keeps of it, as Pillow's ``save`` takes it: EXIF, and the colour profile if it is of RGB.

    Args:
        path: The photo; one without metadata, or with damaged ones, gives nothing.
        width: Of the copy, in pixels.
        height: The same. The copy is upright, and EXIF says so.
    """
    try:
        with open_binary(path) as stream:
            kind = image_format(stream.read(HEAD_BYTES))
            stream.seek(0)
            if kind is None:
                return {}
            with no_warnings(), reader_of(kind, str(path))(stream, "") as picture:
                exif, profile = _copied(picture.getexif(), width, height), picture.info.get("icc_profile")
    except (*DECODER_ERRORS, KnownFaceError):
        return {}
    of_rgb = isinstance(profile, bytes) and profile[16:20] == b"RGB "
    return {**({"exif": exif} if exif else {}), **({"icc_profile": profile} if of_rgb else {})}


def keep_date(source: Path, copy: Path) -> None:
    """Give a copy the time at which its original was changed last."""
    status = source.stat()
    os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))


def _copied(exif: PilImage.Exif, width: int, height: int) -> bytes:
    kept = PilImage.Exif()
    for tag, value in exif.items():
        if tag not in _OWN and tag not in _SUBFOLDERS:
            kept[tag] = value
    for folder in _SUBFOLDERS:
        if values := exif.get_ifd(folder):
            kept[folder] = dict(values)
    if not kept:
        return b""
    if _ORIENTATION in kept:
        kept[_ORIENTATION] = 1
    details = kept.get(ExifTags.IFD.Exif, {})
    details.update({tag: size for tag, size in zip(_SIZE, (width, height), strict=True) if tag in details})
    return kept.tobytes()
