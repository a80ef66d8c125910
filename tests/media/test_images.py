from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image as PilImage

from knownface.errors import InputError, MissingExtraError, TooLargeError, UnreadableError, UnsupportedError
from knownface.media import pixels, read_image

STARTS = [
    b"\xff\xd8\xff\xe0\0\x10JFIF\0",
    b"\xff\xd8\xff\xe1\0\x20Exif\0\0II*\0",
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x02\0\0\0\x02\x08\x02\0\0\0",
    b"RIFF\x40\0\0\0WEBPVP8 ",
    b"RIFF\x40\0\0\0WEBPVP8X",
    b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0",
    b"II*\0\x08\0\0\0",
    b"MM\0*\0\0\0\x08",
    b"GIF89a",
    b"P6 2 2 255\n",
    b"\0\0\0\x1cftypavif\0\0\0\0avifmif1",
    b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
]


def scene(width: int = 64, height: int = 48) -> np.ndarray:
    """A smooth picture with a different colour in each corner, so that no turn of it equals another."""
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    return np.stack([255 * x, 255 * y, 255 * (1 - x) * (1 - y)], axis=-1).astype(np.uint8)


def encoded(picture: PilImage.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def close(a: np.ndarray, b: np.ndarray, tolerance: int) -> bool:
    return a.shape == b.shape and int(np.abs(a.astype(int) - b.astype(int)).max()) <= tolerance


@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [
        ("JPEG", {"quality": 95, "subsampling": 0}, 12),
        ("JPEG", {"quality": 95, "subsampling": 0, "progressive": True}, 12),
        ("PNG", {}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("WEBP", {"quality": 95}, 40),
        ("BMP", {}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("PPM", {}, 0),
        ("AVIF", {"quality": 95}, 40),
    ],
)
def test_every_format_is_read_alike_from_path_bytes_and_pillow(tmp_path, kind, options, tolerance):
    data = encoded(PilImage.fromarray(scene()), kind, **options)
    path = tmp_path / "a picture.ü.xyz"  # the content decides, not the suffix
    path.write_bytes(data)
    image = read_image(path)
    assert close(image, scene(), tolerance)
    assert image.flags.c_contiguous
    assert image.flags.writeable
    assert image.dtype == np.uint8
    for source in (str(path), data, bytearray(data), PilImage.open(io.BytesIO(data))):
        np.testing.assert_array_equal(read_image(source), image)


def test_heic_is_read_and_upright(tmp_path):
    pillow_heif = pytest.importorskip("pillow_heif")
    openers = set(PilImage.OPEN)
    stream = io.BytesIO()
    pillow_heif.from_pillow(PilImage.fromarray(scene())).save(stream, quality=95)
    assert close(read_image(stream.getvalue()), scene(), 40)
    assert set(PilImage.OPEN) == openers, "reading HEIC must not register an opener for the whole process"


def test_heic_without_the_extra_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(MissingExtraError, match="HEIC") as caught:
        read_image(STARTS[-1] + bytes(100))
    assert "[heif]" in caught.value.hint


def test_first_frame_of_animations():
    red, blue = (PilImage.new("RGB", (20, 10), colour) for colour in ("red", "blue"))
    for kind in ("GIF", "WEBP", "PNG"):
        options = {"lossless": True} if kind == "WEBP" else {}
        data = encoded(red, kind, save_all=True, append_images=[blue], duration=50, **options)
        assert read_image(data)[5, 5].tolist() == [255, 0, 0], kind


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_orientation_is_applied_once(kind, orientation):
    upright = PilImage.fromarray(scene())
    undo = {
        2: PilImage.Transpose.FLIP_LEFT_RIGHT,
        3: PilImage.Transpose.ROTATE_180,
        4: PilImage.Transpose.FLIP_TOP_BOTTOM,
        5: PilImage.Transpose.TRANSPOSE,
        6: PilImage.Transpose.ROTATE_90,
        7: PilImage.Transpose.TRANSVERSE,
        8: PilImage.Transpose.ROTATE_270,
    }
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = PilImage.Exif()
    exif[0x0112] = orientation
    options = {"JPEG": {"quality": 98, "subsampling": 0}, "WEBP": {"lossless": True}}.get(kind, {})
    data = encoded(stored, kind, exif=exif, **options)
    assert close(read_image(data), scene(), 12)
    assert close(read_image(PilImage.open(io.BytesIO(data))), scene(), 12)


def test_damaged_exif_is_passed_over():
    plain = encoded(PilImage.fromarray(scene()), "JPEG")
    for body in (b"Exif\0\0II*\0\xff\xff\xff\x7f", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\x01\x12" * 9, b"Exif\0\0"):
        damaged = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + plain[2:]
        np.testing.assert_array_equal(read_image(damaged), read_image(plain))


def test_sixteen_bit_grey_is_scaled_not_clipped():
    grey = np.linspace(0, 65535, 256 * 4).astype(np.uint16).reshape(32, 32)
    expected = np.rint(grey / 65535 * 255).astype(int)
    for kind in ("PNG", "TIFF"):
        image = read_image(encoded(PilImage.fromarray(grey), kind))
        assert image.shape == (32, 32, 3)
        for channel in range(3):
            np.testing.assert_array_equal(image[:, :, channel], expected)
    ok, png = cv2.imencode(".png", np.dstack([grey] * 3))
    assert ok
    assert close(read_image(png.tobytes()), np.dstack([expected] * 3), 1)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.float32([[0.0, 0.5, 1.0]]), [0, 128, 255]),
        (np.float32([[0.0, 100.0, 255.0]]), [0, 100, 255]),
        (np.float32([[0.0, 32767.5, 65535.0]]), [0, 128, 255]),
        (np.float32([[-1.0, 0.0, 1.0]]), [0, 128, 255]),
        (np.float32([[np.nan, np.inf, 1.0]]), [0, 0, 255]),
        (np.float32([[-5.0, -5.0, -5.0]]), [0, 0, 0]),
        (np.int32([[0, 1, 255]]), [0, 1, 255]),
        (np.int32([[0, 257, 65535]]), [0, 1, 255]),
        (np.int32([[0, 1 << 30, 1 << 31 - 1]]), [0, 255, 255]),
    ],
)
def test_thirty_two_bit_grey_keeps_its_range(values, expected):
    assert read_image(encoded(PilImage.fromarray(values), "TIFF"))[0, :, 0].tolist() == expected


def test_grey_bilevel_palette_and_cmyk():
    colours = PilImage.fromarray(scene())
    grey = np.asarray(colours.convert("L"))
    np.testing.assert_array_equal(read_image(encoded(colours.convert("L"), "PNG")), np.dstack([grey] * 3))
    assert set(np.unique(read_image(encoded(colours.convert("1"), "PNG")))) == {0, 255}
    palette = colours.quantize(256)
    np.testing.assert_array_equal(read_image(encoded(palette, "PNG")), np.asarray(palette.convert("RGB")))
    for kind in ("JPEG", "TIFF"):  # Adobe's JPEGs hold CMYK inverted
        red = read_image(encoded(PilImage.new("RGB", (16, 16), (200, 30, 40)).convert("CMYK"), kind))[8, 8]
        assert np.abs(red.astype(int) - (200, 30, 40)).max() <= 6, kind


def test_transparency_is_laid_over_white():
    rgba = np.zeros((4, 4, 4), np.uint8)
    rgba[:, 2:] = (10, 20, 30, 255)
    rgba[0, 0] = (0, 0, 0, 128)
    for kind, options in (("PNG", {}), ("WEBP", {"lossless": True, "exact": True}), ("TIFF", {})):
        image = read_image(encoded(PilImage.fromarray(rgba), kind, **options))
        assert image[3, 0].tolist() == [255, 255, 255], kind
        assert image[3, 3].tolist() == [10, 20, 30], kind
        assert 126 <= image[0, 0, 0] <= 128, kind
    grey = PilImage.fromarray(rgba).convert("LA")
    assert read_image(encoded(grey, "PNG"))[3, 0].tolist() == [255, 255, 255]


def test_palette_and_rgb_with_a_transparent_colour():
    palette = PilImage.new("P", (2, 1))
    palette.putpalette([0, 0, 0, 200, 100, 50])
    palette.putpixel((1, 0), 1)
    for kind in ("PNG", "GIF"):
        image = read_image(encoded(palette, kind, transparency=0))
        assert image.tolist() == [[[255, 255, 255], [200, 100, 50]]], kind
    half = read_image(encoded(palette, "PNG", transparency=bytes([0, 255])))
    assert half.tolist() == [[[255, 255, 255], [200, 100, 50]]]
    keyed = read_image(encoded(PilImage.new("RGB", (1, 1), (1, 2, 3)), "PNG", transparency=(1, 2, 3)))
    assert keyed.tolist() == [[[255, 255, 255]]]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "PPM"])
def test_one_pixel(kind):
    image = read_image(encoded(PilImage.new("RGB", (1, 1), "white"), kind))
    assert image.shape == (1, 1, 3)
    assert image.min() > 250


@pytest.mark.parametrize("share", [0.05, 0.3, 0.7, 0.97])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("PNG", {}),
        ("WEBP", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("GIF", {}),
        ("PPM", {}),
    ],
)
def test_truncated_files_are_refused_as_truncated(tmp_path, kind, options, share):
    noise = np.random.default_rng(1).integers(0, 255, (200, 300, 3), np.uint8)
    data = encoded(PilImage.fromarray(noise), kind, **options)
    path = tmp_path / "cut.jpg"
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(UnreadableError, match="is truncated") as caught:
        read_image(path)
    assert str(path) in caught.value.message


@pytest.mark.parametrize("kind", ["AVIF", "HEIF"])
def test_truncated_avif_and_heic_are_refused(kind):
    noise = PilImage.fromarray(np.random.default_rng(1).integers(0, 255, (200, 300, 3), np.uint8))
    if kind == "HEIF":
        stream = io.BytesIO()
        pytest.importorskip("pillow_heif").from_pillow(noise).save(stream)
        data = stream.getvalue()
    else:
        data = encoded(noise, kind)
    for share in (0.01, 0.5, 0.97):
        with pytest.raises(UnreadableError):
            read_image(data[: int(len(data) * share)])


def test_files_that_are_no_pictures(tmp_path):
    with pytest.raises(UnreadableError, match=r"nobody\.jpg does not exist"):
        read_image(tmp_path / "nobody.jpg")
    with pytest.raises(UnreadableError, match="is a folder"):
        read_image(tmp_path)
    with pytest.raises(UnreadableError, match="cannot be opened"):
        read_image("a\0b.jpg")
    empty = tmp_path / "empty.jpg"
    empty.touch()
    with pytest.raises(UnreadableError, match=r"empty\.jpg is empty"):
        read_image(empty)
    with pytest.raises(UnreadableError, match="is empty"):
        read_image(b"")
    for data in (b"hello", b"BMW is a maker of cars and not a bitmap", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"<svg/>", b"x"):
        (tmp_path / "text.jpg").write_bytes(data)
        with pytest.raises(UnsupportedError, match=r"text\.jpg is not a picture"):
            read_image(tmp_path / "text.jpg")


def test_a_file_that_may_not_be_read(ordinary_folder):
    path = ordinary_folder / "secret.png"
    path.write_bytes(encoded(PilImage.new("RGB", (2, 2)), "PNG"))
    path.chmod(0)
    with pytest.raises(UnreadableError, match="may not be read"):
        read_image(path)


def test_arrays():
    rgb = scene()
    assert read_image(rgb) is rgb or np.shares_memory(read_image(rgb), rgb)
    turned = rgb[:, ::-1]
    assert read_image(turned).flags.c_contiguous
    np.testing.assert_array_equal(read_image(turned), turned)
    np.testing.assert_array_equal(read_image(rgb[:, :, 0]), np.dstack([rgb[:, :, 0]] * 3))
    for wrong in (
        np.zeros((2, 2, 4), np.uint8),
        np.zeros((2, 2, 1), np.uint8),
        np.zeros((3, 2, 2), np.uint8),
        np.zeros((1, 2, 2, 3), np.uint8),
        np.zeros(3, np.uint8),
        np.zeros((0, 2, 3), np.uint8),
        np.zeros((2, 2, 3), np.float32),
        np.zeros((2, 2), np.uint16),
    ):
        with pytest.raises(InputError, match=r"\(height, width, 3\)") as caught:
            read_image(wrong)
        assert str(wrong.shape) in caught.value.message
        assert str(wrong.dtype) in caught.value.message
    with pytest.raises(InputError, match="not list"):
        read_image([[0]])


def claiming_png(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header tells any size."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(9))) + chunk(b"IEND", b"")


def test_too_many_pixels_are_refused_from_the_header():
    with pytest.raises(TooLargeError, match="100000 x 100000"):
        read_image(claiming_png(100_000, 100_000))
    with pytest.raises(TooLargeError, match="64 x 48 pixels; at most 3,071"):
        read_image(encoded(PilImage.fromarray(scene()), "JPEG"), max_pixels=64 * 48 - 1)
    with pytest.raises(TooLargeError):
        read_image(PilImage.new("L", (64, 48)), max_pixels=100)
    assert read_image(encoded(PilImage.fromarray(scene()), "JPEG"), max_pixels=64 * 48).shape == (48, 64, 3)


@pytest.mark.parametrize("options", [{"lossless": True}, {"lossless": False}, {"exif": b"Exif\0\0"}])
def test_webp_size_is_checked_before_its_canvas_is_made(options):
    data = encoded(PilImage.new("RGB", (3000, 2000)), "WEBP", **options)
    with pytest.raises(TooLargeError, match="3000 x 2000"):
        read_image(data, max_pixels=1_000_000)


def test_pillows_own_limit_neither_warns_nor_refuses(monkeypatch):
    # pytest turns warnings into errors
    monkeypatch.setattr(PilImage, "MAX_IMAGE_PIXELS", 2000)
    monkeypatch.setattr(pixels, "_STRIP_PIXELS", 500)  # as far below the limit as it is in earnest
    for kind in ("JPEG", "PNG", "GIF", "BMP", "WEBP"):
        assert read_image(encoded(PilImage.fromarray(scene()), kind)).shape == (48, 64, 3)
    for options in ({}, {"compression": "tiff_lzw"}):
        assert read_image(encoded(PilImage.fromarray(scene()), "TIFF", **options)).shape == (48, 64, 3)


def test_a_picture_that_claims_100_megapixels_costs_no_memory(tmp_path):
    path = tmp_path / "bomb.png"
    path.write_bytes(claiming_png(10_000, 10_000))
    script = (
        "import resource, sys\n"
        "from knownface.errors import TooLargeError\n"
        "from knownface.media import read_image\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n"
        "    read_image(sys.argv[1], max_pixels=50_000_000)\n"
        "except TooLargeError:\n"
        "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    result = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    unit = 1 if sys.platform == "darwin" else 1024
    assert int(result.stdout) * unit < 20 * 2**20  # 300 MB of pixels were not made


def test_errors_are_those_of_knownface_from_several_threads_too():
    from concurrent.futures import ThreadPoolExecutor

    good = encoded(PilImage.fromarray(scene()), "JPEG")
    with ThreadPoolExecutor(8) as pool:
        shapes = {image.shape for image in pool.map(read_image, [good] * 200)}
    assert shapes == {(48, 64, 3)}


@given(st.binary(max_size=300))
@example(b"BM" + bytes(12) + b"\x28" + bytes(40))
def test_random_bytes_raise_input_errors_only(data):
    _reads_or_refuses(data)


@given(st.sampled_from(STARTS), st.binary(max_size=300))
def test_random_bytes_after_a_real_start_raise_input_errors_only(start, data):
    _reads_or_refuses(start + data)


@given(
    st.sampled_from(["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "PPM", "AVIF"]),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_damaged_pictures_raise_input_errors_only(kind, damage):
    data = bytearray(encoded(PilImage.fromarray(scene(16, 12)), kind))
    for place, value in damage:
        data[int(place * len(data))] = value
    _reads_or_refuses(bytes(data))


def _reads_or_refuses(data: bytes) -> None:
    try:
        image = read_image(data, max_pixels=1_000_000)
    except InputError:
        return
    assert image.ndim == 3
    assert image.shape[2] == 3


def test_real_photos_equal_opencvs_reading(face_data: Path):
    paths = [*sorted((face_data / "lfw62").rglob("*.jpg"))[::90], *(face_data / "portraits_probe").glob("*.jpg")]
    for path in paths:
        image = read_image(path)
        expected = cv2.imread(str(path))[:, :, ::-1]
        assert close(image, expected, 2), path
