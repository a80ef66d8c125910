from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PilImage

from knownface.media.signatures import image_format, is_video, webp_size


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "PPM", "AVIF"])
def test_pictures_are_known_by_their_first_bytes(kind):
    stream = io.BytesIO()
    PilImage.new("RGB", (5, 4)).save(stream, kind)
    assert image_format(stream.getvalue()[:512]) == kind
    assert not is_video(stream.getvalue()[:512])


def test_iso_files_are_told_apart_by_their_brands():
    assert image_format(b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif") == "AVIF"
    assert image_format(b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic") == "HEIF"
    # a brand of the next box, and HEVC video in a brand list of a film
    assert image_format(b"\0\0\0\x14ftypheic\0\0\0\0mif1avif") == "HEIF"
    film = b"\0\0\0\x18ftypisom\0\0\0\0mif1avif"
    assert image_format(film) is None
    assert is_video(film)


@pytest.mark.parametrize(
    ("start", "video"),
    [
        ("00000001 0910", True),  # delimiter of H.264
        ("000001 6742001e", True),  # parameter set of H.264
        ("00000001 06050e", True),  # enhancement information of H.264
        ("00000001 40010c", True),  # parameter set of HEVC
        ("000001 460110", True),  # delimiter of HEVC
        ("00000001 4600", False),
        ("00000001 87", False),
        ("060e2b34 02050101 0d010201 01020400", True),  # MXF
        ("1f07003f", True),  # DV
        ("1f070000", False),
    ],
)
def test_videos_without_a_container_are_known_by_their_first_bytes(start, video):
    assert is_video(bytes.fromhex(start)) == video


@pytest.mark.parametrize(("width", "height"), [(1, 1), (300, 200), (16383, 5)])
@pytest.mark.parametrize("options", [{"lossless": True}, {}, {"exif": b"Exif\0\0"}])
def test_webp_size(width, height, options):
    stream = io.BytesIO()
    PilImage.new("RGB", (width, height)).save(stream, "WEBP", **options)
    assert webp_size(stream.getvalue()[:64]) == (width, height)


@given(st.binary(max_size=600))
def test_any_bytes_are_judged_without_an_error(head):
    assert not (image_format(head) and is_video(head))
    webp_size(head)
