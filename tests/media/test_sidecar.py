"""Names beside photos, as other programs read them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags
from PIL import Image as PilImage

from knownface.media import read_image
from knownface.media.sidecar import is_foreign, sidecar_of, stored_area, write_sidecar
from knownface.types import Box


def marked(path: Path, orientation: int) -> Box:
    """A photo with a white rectangle, stored as some camera does; where it is as shown."""
    stored = np.zeros((60, 100, 3), np.uint8)
    stored[12:24, 20:60] = 255
    exif = PilImage.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    PilImage.fromarray(stored).save(path, exif=exif.tobytes())
    rows, columns = np.nonzero(read_image(path)[..., 0] > 128)
    left, top = int(columns.min()), int(rows.min())
    return Box(left, top, int(columns.max()) + 1 - left, int(rows.max()) + 1 - top)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_regions_are_those_of_the_stored_pixels(tmp_path: Path, orientation: int) -> None:
    shown = marked(tmp_path / "a.png", orientation)
    size = (100, 60) if orientation < 5 else (60, 100)
    assert stored_area(shown, size, orientation) == pytest.approx((0.4, 0.3, 0.4, 0.2))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
def test_exiftool_reads_names_and_places_and_writes_them_into_the_photo(tmp_path: Path) -> None:
    photo = tmp_path / "חתונה 🎉.jpg"
    shown = marked(photo, 6)
    sidecar = write_sidecar(photo, [("Zoë <&> 🎉", shown), ("דוד", shown), ("דוד", shown)], (60, 100))
    assert sidecar == tmp_path / "חתונה 🎉.jpg.xmp"
    subprocess.run(
        ["exiftool", "-q", "-overwrite_original", "-tagsfromfile", sidecar, "-all:all", photo], check=True, timeout=60
    )
    read = ["exiftool", "-json", "-struct", "-n", sidecar, photo]
    for found in json.loads(subprocess.run(read, capture_output=True, check=True, timeout=60).stdout):
        assert found["PersonInImage"] == ["Zoë <&> 🎉", "דוד"]
        regions = found["RegionInfo"]
        assert regions["AppliedToDimensions"] == {"W": 100, "H": 60, "Unit": "pixel"}
        assert [(face["Name"], face["Type"]) for face in regions["RegionList"]] == [
            ("Zoë <&> 🎉", "Face"),
            ("דוד", "Face"),
            ("דוד", "Face"),
        ]
        assert regions["RegionList"][0]["Area"] == {"X": 0.4, "Y": 0.3, "W": 0.4, "H": 0.2, "Unit": "normalized"}


def test_what_another_program_wrote_stays_and_ours_follows_the_names(tmp_path: Path) -> None:
    photo = tmp_path / "a.png"
    box, sidecar = marked(photo, 1), sidecar_of(photo)
    for foreign in ("", "no XML", '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 6.0"><broken>'):
        sidecar.write_text(foreign)
        assert is_foreign(sidecar)
        assert write_sidecar(photo, [("Ann", box)], (100, 60)) is None
        assert sidecar.read_text() == foreign
    sidecar.unlink()
    write_sidecar(photo, [("Ann", box)], (100, 60))
    write_sidecar(photo, [("Ben", box)], (100, 60))
    assert not is_foreign(sidecar)
    assert "Ben" in (text := sidecar.read_text())
    assert "Ann" not in text
    assert write_sidecar(photo, [], (100, 60)) is None
    assert not sidecar.exists()
