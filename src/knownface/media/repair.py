"""Files whose pixels are sound, although a strict reader refuses them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import IO

_END_OF_IMAGE = b"\xff\xd9"
_PNG_SIGNATURE_BYTES = 8
_PNG_CHUNK_BYTES = 12
"""Of a chunk beside its data: length, type and checksum."""
_PNG_TEXTS = (b"tEXt", b"zTXt", b"iTXt", b"iCCP")


def with_end_mark(stream: IO[bytes]) -> list[bytes]:
    """A JPEG that ends without its end mark, with one; twice, with different bytes before it.

    A decoder fills what is missing of a picture with what it is given in the place, so a picture that is all there
    looks the same both times, and a truncated one does not.

    Args:
        stream: The whole file, seekable.

    Returns:
        Two files that must decode to the same picture; empty if the file ends as it should.
    """
    stream.seek(0)
    content = stream.read()
    if content.rstrip(b"\0").endswith(_END_OF_IMAGE):
        return []
    content = content.removesuffix(b"\xff")
    return [content + _END_OF_IMAGE, content + b"\x5a" * 64 + _END_OF_IMAGE]


def without_texts(stream: IO[bytes]) -> list[bytes]:
    """A PNG without its text and colour profile chunks, which a reader may find too long or malformed.

    Args:
        stream: The whole file, seekable.

    Returns:
        One file; empty if there is no such chunk.
    """
    stream.seek(0)
    content = stream.read()
    chunks = list(_chunks(content))
    kept = [chunk for chunk in chunks if chunk[4:8] not in _PNG_TEXTS]
    if len(kept) == len(chunks):
        return []
    return [content[:_PNG_SIGNATURE_BYTES] + b"".join(kept)]


def _chunks(content: bytes) -> Iterator[bytes]:
    reader = io.BytesIO(content)
    reader.seek(_PNG_SIGNATURE_BYTES)
    while len(head := reader.read(4)) == 4:
        yield head + reader.read(int.from_bytes(head, "big") + _PNG_CHUNK_BYTES - 4)
