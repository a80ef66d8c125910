"""What a file is by its first bytes; its name is not believed."""

from __future__ import annotations

from typing import Literal, TypeAlias

HEAD_BYTES = 512
"""As many first bytes as the functions here want to see."""

ImageFormat: TypeAlias = Literal["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "PPM", "AVIF", "HEIF"]

_PICTURE_STARTS: tuple[tuple[bytes, ImageFormat], ...] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
)
_BMP_HEADER_SIZES = (12, 16, 40, 52, 56, 64, 108, 124)
_AVIF_BRANDS = (b"avif", b"avis")
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")

_VIDEO_STARTS = (
    b"\x1aE\xdf\xa3",  # Matroska, WebM
    b"FLV",
    b"0&\xb2u\x8ef\xcf\x11",  # ASF: WMV
    b"OggS",
    b"\0\0\x01\xba",  # MPEG program stream
    b"\0\0\x01\xb3",  # MPEG video
    b"YUV4MPEG2 ",
    b"\x06\x0e+4\x02\x05\x01\x01\r\x01\x02\x01\x01\x02",  # MXF: header partition, SMPTE ST 377-1
)
_QUICKTIME_ATOMS = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot")
_DV_HEADER = b"\x1f\x07\0"
_START_CODE = b"\0\0\x01"
_H264_UNITS = (b"\x06", b"\x09", b"\x27", b"\x47", b"\x67")
"""Enhancement information, delimiter and parameter set, of which one begins a raw H.264 stream (table 7-1)."""
_HEVC_UNITS = (b"\x40\x01", b"\x46\x01")
"""Parameter set and delimiter of HEVC (table 7-1)."""
_TS_PACKET = 188
_M2TS_PACKET = 192


def image_format(head: bytes) -> ImageFormat | None:
    """The format of a picture, or None if these are not the first bytes of one that is read here."""
    for start, name in _PICTURE_STARTS:
        if head.startswith(start):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    # "BM" alone begins plain text too.
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADER_SIZES:
        return "BMP"
    if head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace():
        return "PPM"
    return _iso_picture(head)


def _iso_picture(head: bytes) -> ImageFormat | None:
    # AVIF and HEIC are both ISO base media files; "mif1" alone as the first brand does not say which.
    if head[4:8] != b"ftyp":
        return None
    size = int.from_bytes(head[:4], "big")
    brands = [head[8:12]] + [head[at : at + 4] for at in range(16, min(size, len(head)), 4)]
    if head[8:12] not in _AVIF_BRANDS + _HEIF_BRANDS:
        return None
    return "AVIF" if any(brand in _AVIF_BRANDS for brand in brands) else "HEIF"


def webp_size(head: bytes) -> tuple[int, int] | None:
    """Width and height of a WebP picture, from its first bytes (RFC 9649, section 2).

    Pillow's reader sets memory for the whole canvas aside before it gives the size, hence this look ahead.
    """
    chunk, data = head[12:16], head[20:30]
    if len(data) < 10:
        return None
    if chunk == b"VP8X":
        return 1 + int.from_bytes(data[4:7], "little"), 1 + int.from_bytes(data[7:10], "little")
    if chunk == b"VP8L":
        bits = int.from_bytes(data[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if chunk == b"VP8 ":
        return int.from_bytes(data[6:8], "little") & 0x3FFF, int.from_bytes(data[8:10], "little") & 0x3FFF
    return None


def is_video(head: bytes) -> bool:
    """Whether these are the first bytes of a video container (which may still hold sound only)."""
    if image_format(head) is not None:
        return False
    if head.startswith(_VIDEO_STARTS) or head[4:8] in _QUICKTIME_ATOMS:
        return True
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return True
    if head.startswith(_DV_HEADER) and head[3:4] in b"\x3f\xbf":
        return True
    if _is_raw_stream(head):
        return True
    transport = head[:1] == head[_TS_PACKET : _TS_PACKET + 1] == b"G"
    return transport or head[4:5] == head[4 + _M2TS_PACKET : 5 + _M2TS_PACKET] == b"G"


def _is_raw_stream(head: bytes) -> bool:
    """H.264 or HEVC without a container, as recorders write it: ITU-T H.264 and H.265, annexes B."""
    unit = head.removeprefix(b"\0" if head.startswith(b"\0\0\0") else b"")
    return unit.startswith(tuple(_START_CODE + first for first in (*_H264_UNITS, *_HEVC_UNITS)))
