"""A labelled copy carries what its original says of itself."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, ImageCms
from PIL import Image as PilImage

from knownface.media import read_image, write_image

TAKEN = "2026:03:14 09:26:53"
GPS = {1: "N", 2: (52.0, 31.0, 12.0)}


def photo(path: Path, **more: object) -> Path:
    exif = PilImage.Exif()
    exif[ExifTags.Base.Make] = "Phone"
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.IFD.Exif] = {
        ExifTags.Base.DateTimeOriginal: TAKEN,
        ExifTags.Base.ExifImageWidth: 40,
        ExifTags.Base.ExifImageHeight: 30,
    }
    exif[ExifTags.IFD.GPSInfo] = GPS
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = PilImage.fromarray(np.full((30, 40, 3), 90, np.uint8))
    picture.save(path, exif=exif.tobytes(), icc_profile=profile, **more)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    return path


@pytest.mark.parametrize("original", ["a.jpg", "a.png", "a.webp", "a.tif"])
@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_a_copy_keeps_exif_profile_and_date_and_is_upright(tmp_path: Path, original: str, suffix: str) -> None:
    source = photo(tmp_path / original)
    copy = tmp_path / f"copy{suffix}"
    write_image(copy, read_image(source), like=source)
    with PilImage.open(source) as before, PilImage.open(copy) as after:
        assert after.size == (30, 40)
        exif = after.getexif()
        assert (exif[ExifTags.Base.Make], exif[ExifTags.Base.Orientation]) == ("Phone", 1)
        details = exif.get_ifd(ExifTags.IFD.Exif)
        assert details[ExifTags.Base.DateTimeOriginal] == TAKEN
        assert (details[ExifTags.Base.ExifImageWidth], details[ExifTags.Base.ExifImageHeight]) == (30, 40)
        assert exif.get_ifd(ExifTags.IFD.GPSInfo)[1] == "N"
        assert after.info["icc_profile"] == before.info["icc_profile"]
    assert copy.stat().st_mtime == 1_700_000_000
    assert (read_image(copy).shape) == (40, 30, 3)


def test_damaged_metadata_are_left_out(tmp_path: Path) -> None:
    source = tmp_path / "odd.jpg"
    PilImage.fromarray(np.zeros((9, 9, 3), np.uint8)).save(
        source, exif=b"Exif\0\0II*\0\xff\xff\xff\x7f", icc_profile=b"short"
    )
    copy = tmp_path / "copy.jpg"
    write_image(copy, read_image(source), like=source)
    with PilImage.open(copy) as after:
        assert not after.getexif()
        assert "icc_profile" not in after.info
