"""Photos: any picture that a user may hand over, as RGB uint8.

One decoder, Pillow: it refuses truncated files, which OpenCV fills with grey, and it is within a factor of two of
OpenCV's speed on small JPEGs and nearer on large ones. Files are recognised by their content.
"""

from __future__ import annotations

import contextlib
import io
import stat
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
from PIL import Image as PilImage

from knownface.errors import InputError, MissingExtraError, TooLargeError, UnreadableError, UnsupportedError
from knownface.media.pixels import DECODER_ERRORS, rgb_from_pil, upright
from knownface.media.repair import with_end_mark, without_texts
from knownface.media.signatures import HEAD_BYTES, ImageFormat, image_format, webp_size
from knownface.types import Image

_BUFFER_BYTES = 64 * 1024

# Not PIL.Image.open: its limit on pixels is one for the whole process and warns where ours must raise, and it
# tries formats (EPS runs Ghostscript) that have no business here.
_READERS: dict[ImageFormat, Callable[[IO[bytes], str], PilImage.Image]] = {
    "JPEG": JpegImagePlugin.jpeg_factory,
    "PNG": PngImagePlugin.PngImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "PPM": PpmImagePlugin.PpmImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
}

_REPAIRS: dict[ImageFormat, Callable[[IO[bytes]], list[bytes]]] = {"JPEG": with_end_mark, "PNG": without_texts}

_LINE_BREAKS = b" \t\r\n"

_warnings_lock = threading.Lock()


def read_image(source: str | Path | bytes | PilImage.Image | Image, max_pixels: int = 120_000_000) -> Image:
    """Read a picture: JPEG, PNG, WebP, BMP, TIFF, GIF (first frame), AVIF, PPM; HEIC with the extra ``heif``.

    EXIF rotation is applied, transparency is laid over white, 16-bit grey is scaled to 8 bits, of a TIFF with several
    pages the largest is read. A picture whose pixels are all there is read whatever else the file lacks or carries: a
    JPEG without its end mark, a PNG with very long texts, line breaks before the first byte.

    Args:
        source: A file, the bytes of a file, a Pillow image, or an array: RGB (not BGR), uint8, shape (height,
            width, 3), or grey of shape (height, width). A contiguous RGB array is returned as it is, not copied.
        max_pixels: Files and Pillow images with more pixels are refused before anything is decoded.

    Returns:
        RGB, uint8, shape (height, width, 3), contiguous.

    Raises:
        UnreadableError: The file is missing, may not be read, is empty, truncated or damaged.
        UnsupportedError: It is not a picture, or of a kind that is not read here.
        TooLargeError: More than ``max_pixels``.
        InputError: An array of another shape or type, or a thing that is no picture at all.
        MissingExtraError: HEIC, and ``knownface[heif]`` is not installed.
    """
    if isinstance(source, np.ndarray):
        return _from_array(source)
    if isinstance(source, PilImage.Image):
        return _decode(source, "the Pillow image", max_pixels)
    if isinstance(source, bytes | bytearray | memoryview):
        return _from_stream(io.BytesIO(source), "the picture", max_pixels)
    if isinstance(source, str | Path):
        with open_binary(source) as stream:
            return _from_stream(stream, str(source), max_pixels)
    raise InputError(
        f"A picture is a path, bytes, a Pillow image or a NumPy array, not {type(source).__name__}.",
        "Pass one of these.",
    )


def open_binary(path: str | Path) -> io.BufferedReader:
    """Open a file for reading.

    Raises:
        UnreadableError: It is missing, no file (a folder, a pipe, a device), or may not be read.
    """
    try:
        if not stat.S_ISREG(mode := Path(path).stat().st_mode) and not stat.S_ISDIR(mode):
            # Opening a pipe waits for its writer, reading /dev/zero never ends.
            raise UnreadableError(f"{path} is a pipe or a device, not a file.", "Name a file.")
        return io.BufferedReader(io.FileIO(path), _BUFFER_BYTES)
    except FileNotFoundError as error:
        raise UnreadableError(f"{path} does not exist.", "Check the spelling of the path.") from error
    except IsADirectoryError as error:
        raise UnreadableError(f"{path} is a folder, not a file.", "Name a file in it.") from error
    except PermissionError as error:
        raise UnreadableError(f"{path} may not be read.", "Change its permissions, or run as its owner.") from error
    except (OSError, ValueError) as error:  # ValueError: a zero byte, or a name that the system cannot encode
        raise UnreadableError(f"{path!s:.200} cannot be opened: {error}.") from error


def _from_array(array: np.ndarray[Any, Any]) -> Image:
    shape, ndim = array.shape, array.ndim
    if array.dtype != np.uint8 or not (ndim == 2 or (ndim == 3 and shape[2] == 3)) or 0 in shape:
        raise InputError(
            "An image array must be RGB uint8 of shape (height, width, 3) or grey uint8 of shape (height, width), "
            f"got {array.dtype} of shape {shape}.",
            "Convert it first; for OpenCV's BGR use image[:, :, ::-1].",
        )
    rgb = np.repeat(array[:, :, np.newaxis], 3, axis=2) if ndim == 2 else array
    return np.ascontiguousarray(rgb)


def _from_stream(stream: IO[bytes], name: str, max_pixels: int) -> Image:
    try:
        head = stream.read(HEAD_BYTES)
        stream.seek(0)
        if not head:
            raise UnreadableError(f"{name} is empty.", "Copy or download it again.")
        kind = image_format(head)
        if kind is None and (kind := image_format(head.lstrip(_LINE_BREAKS))) is not None:
            # Scripts that print a line before the picture.
            stream = io.BytesIO(stream.read().lstrip(_LINE_BREAKS))
            head = head.lstrip(_LINE_BREAKS)
    except OSError as error:
        raise UnreadableError(f"{name} cannot be read: {error}.") from error
    if kind is None:
        raise UnsupportedError(f"{name} is not a picture of a kind that is read here.")
    if kind == "WEBP":
        _check_size(webp_size(head) or (0, 0), name, max_pixels)
    try:
        return _read(stream, name, max_pixels, kind)
    except UnreadableError:
        repaired = _REPAIRS[kind](stream) if kind in _REPAIRS else []
        if not repaired:
            raise
        pictures = [_read(io.BytesIO(content), name, max_pixels, kind) for content in repaired]
        if not all(np.array_equal(pictures[0], other) for other in pictures[1:]):
            raise
        return pictures[0]


def _read(stream: IO[bytes], name: str, max_pixels: int, kind: ImageFormat) -> Image:
    reader = reader_of(kind, name)
    try:
        with no_warnings():
            picture = reader(stream, "")
            if kind == "TIFF":
                _seek_largest_page(picture)
    except PilImage.DecompressionBombError as error:
        raise TooLargeError(f"{name} is larger than Pillow decodes: {error}") from error
    except DECODER_ERRORS as error:
        raise _damage(stream, name, kind, error) from error
    with picture:
        return _decode(picture, name, max_pixels, kind, stream)


def _seek_largest_page(picture: PilImage.Image) -> None:
    """Go to the page with the most pixels, the first of these: a thumbnail often comes first."""
    sizes = []
    for page in range(getattr(picture, "n_frames", 1)):
        picture.seek(page)
        sizes.append(picture.width * picture.height)
    picture.seek(sizes.index(max(sizes)))


def _decode(
    picture: PilImage.Image,
    name: str,
    max_pixels: int,
    kind: ImageFormat | None = None,
    stream: IO[bytes] | None = None,
) -> Image:
    width, height = picture.size
    _check_size((width, height), name, max_pixels)
    if width < 1 or height < 1:
        raise UnreadableError(f"{name} has no pixels ({width} x {height}).")
    huge = PilImage.MAX_IMAGE_PIXELS is not None and width * height > PilImage.MAX_IMAGE_PIXELS
    try:
        # Some readers compare with Pillow's own limit once more while they decode, and TIFF's remarks on its tags.
        with no_warnings() if huge or kind == "TIFF" else contextlib.nullcontext():
            picture.load()
        with no_warnings():
            picture = upright(picture)
        return rgb_from_pil(picture)
    except PilImage.DecompressionBombError as error:
        raise TooLargeError(f"{name} is larger than Pillow decodes: {error}") from error
    except DECODER_ERRORS as error:
        raise _damage(stream, name, kind, error) from error


def _check_size(size: tuple[int, int], name: str, max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise TooLargeError(f"{name} has {width} x {height} pixels; at most {max_pixels:,} are decoded.")


def _damage(stream: IO[bytes] | None, name: str, kind: ImageFormat | None, error: BaseException) -> InputError:
    text = str(error) or type(error).__name__
    lowered = text.lower()
    if "unsupported" in lowered or "unknown pixel mode" in lowered:
        return UnsupportedError(f"{name} is a {kind} of a kind that is not read here ({text}).")
    if isinstance(error, MemoryError):
        return TooLargeError(f"{name} does not fit into memory.", "Make the picture smaller.")
    if isinstance(error, EOFError) or "truncated" in lowered or "end of file" in lowered or _ends_early(stream, kind):
        return UnreadableError(
            f"{name} is truncated: the file ends before the picture does.", "Copy or download it again."
        )
    return UnreadableError(f"{name} is damaged ({text}).")


def _ends_early(stream: IO[bytes] | None, kind: ImageFormat | None) -> bool:
    """Whether a reader that failed had run out of file, or the file is shorter than it says itself."""
    if stream is None or stream.closed or kind in {"AVIF", "HEIF"}:
        return False  # their readers take the whole file at once
    reached = stream.tell()
    size = stream.seek(0, io.SEEK_END)
    if kind == "WEBP":
        stream.seek(4)
        return size < 8 + int.from_bytes(stream.read(4), "little")
    return kind != "JPEG" and reached >= size


def reader_of(kind: ImageFormat, name: str) -> Callable[[IO[bytes], str], PilImage.Image]:
    """What opens pictures of a kind; a picture of that kind is called ``name``.

    Raises:
        MissingExtraError: HEIC, and ``knownface[heif]`` is not installed.
    """
    if kind != "HEIF":
        return _READERS[kind]
    try:
        from pillow_heif import HeifImageFile
    except ImportError as error:
        raise MissingExtraError(f"{name} is a HEIC picture; reading these needs pillow-heif.", "heif") from error
    reader: Callable[[IO[bytes], str], PilImage.Image] = HeifImageFile
    return reader


@contextlib.contextmanager
def no_warnings() -> Iterator[None]:
    """Silence Pillow's remarks on odd metadata.

    The list of warning filters belongs to the whole process, so two threads must not swap it at the same time.
    """
    with _warnings_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
