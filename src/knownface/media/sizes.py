"""How large a picture says it is, from its head: nothing is decoded."""

from __future__ import annotations

import io
from typing import IO

from knownface.media.images import no_warnings, reader_of
from knownface.media.pixels import DECODER_ERRORS
from knownface.media.signatures import HEAD_BYTES, image_format, webp_size


def stated_pixels(stream: IO[bytes]) -> int | None:
    """Width times height of a picture as its head states it.

    Args:
        stream: Read from its beginning, and left there.

    Returns:
        Pixels; None where the head does not tell (TIFF, AVIF, HEIC), or is no picture's.
    """
    try:
        head = stream.read(HEAD_BYTES)
        kind = image_format(head)
        if kind == "PNG":
            return int.from_bytes(head[16:20], "big") * int.from_bytes(head[20:24], "big")
        if kind == "WEBP":
            width, height = webp_size(head) or (0, 0)
            return width * height or None
        if kind not in {"JPEG", "BMP", "GIF", "PPM"}:
            return None
        stream.seek(0)
        with no_warnings(), reader_of(kind, "")(stream, "") as picture:
            return picture.width * picture.height
    except DECODER_ERRORS:
        return None
    finally:
        stream.seek(0, io.SEEK_SET)
