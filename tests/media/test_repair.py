"""Pictures whose pixels are sound are read, whatever else their files lack or carry."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PilImage
from PIL import PngImagePlugin

from knownface.errors import UnreadableError
from knownface.media import expand_paths, read_image


def scene(width: int = 96, height: int = 80) -> PilImage.Image:
    generator = np.random.default_rng(1)
    small = PilImage.fromarray(generator.integers(0, 256, (10, 12, 3), np.uint8))
    return small.resize((width, height), PilImage.Resampling.BICUBIC)


def saved(picture: PilImage.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("lacking", [1, 2])
def test_a_jpeg_without_its_end_mark_is_read(progressive, lacking):
    whole = saved(scene(), "JPEG", quality=90, progressive=progressive)
    np.testing.assert_array_equal(read_image(whole[:-lacking]), read_image(whole))


@pytest.mark.parametrize("lacking", [6, 20, 200, 1000])
def test_a_jpeg_without_its_last_pixels_is_refused(lacking):
    whole = saved(scene(), "JPEG", quality=90)
    with pytest.raises(UnreadableError, match="truncated"):
        read_image(whole[:-lacking])


def test_a_png_with_very_long_texts_and_a_broken_profile_is_read():
    picture = scene()
    texts = PngImagePlugin.PngInfo()
    texts.add_text("XML:com.adobe.xmp", "x" * 1_500_000, zip=True)
    np.testing.assert_array_equal(read_image(saved(picture, "PNG", pnginfo=texts)), np.asarray(picture))


def test_a_truncated_png_with_long_texts_is_refused():
    texts = PngImagePlugin.PngInfo()
    texts.add_text("comment", "x" * 1_500_000, zip=True)
    with pytest.raises(UnreadableError):
        read_image(saved(scene(), "PNG", pnginfo=texts)[:-2000])


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_line_breaks_before_the_picture_are_passed_over(kind):
    content = saved(scene(), kind)
    np.testing.assert_array_equal(read_image(b"\r\n\n" + content), read_image(content))


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_grey_of_fewer_bits_in_sixteen_is_read_by_its_range(bits):
    top = 2**bits - 1
    grey = np.linspace(0, top, 256).round().astype(np.uint16).reshape(16, 16)
    read = read_image(saved(PilImage.fromarray(grey), "PNG"))
    np.testing.assert_allclose(read[..., 0].ravel(), np.arange(256), atol=1)


def test_the_largest_page_of_a_tiff_is_read():
    picture = scene()
    pages = saved(picture.resize((20, 16)), "TIFF", save_all=True, append_images=[picture, picture.resize((8, 8))])
    np.testing.assert_array_equal(read_image(pages), np.asarray(picture))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipes_devices_and_links_to_themselves_end_no_run(tmp_path: Path):
    (tmp_path / "picture.png").write_bytes(saved(scene(), "PNG"))
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "itself").symlink_to(tmp_path / "itself")
    (tmp_path / "zero.jpg").symlink_to("/dev/zero")
    assert expand_paths([tmp_path]) == [tmp_path / "picture.png"]
    for name in ("pipe.jpg", "zero.jpg", "itself"):
        with pytest.raises(UnreadableError):
            read_image(tmp_path / name)
