from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from knownface.errors import UnreadableError, UnsupportedError
from knownface.media import parse_source, read_source, write_image


@pytest.mark.parametrize(
    ("text", "kind", "address", "name"),
    [
        ("0", "camera", "0", "camera 0"),
        (2, "camera", "2", "camera 2"),
        ("007", "camera", "7", "camera 7"),
        ("/dev/video3", "camera", "3", "camera 3"),
        ("rtsp://10.0.0.7/live", "stream", "rtsp://10.0.0.7/live", "rtsp://10.0.0.7/live"),
        ("HTTP://cam:8080/video", "stream", "HTTP://cam:8080/video", "http://cam:8080/video"),
        ("rtsp://[::1]:8554/a", "stream", "rtsp://[::1]:8554/a", "rtsp://[::1]:8554/a"),
        ("clip.mp4", "video", "clip.mp4", "clip.mp4"),
        (Path("0.mp4"), "video", "0.mp4", "0.mp4"),
    ],
)
def test_what_is_meant(text, kind, address, name):
    source = parse_source(text)
    assert (source.kind, source.address, source.name) == (kind, address, name)
    assert source.live == (kind in {"camera", "stream"})


@pytest.mark.parametrize(
    "address",
    [
        *(
            "rtsp://admin:s3cret@cam/live",
            "http://cam/video?user=admin&password=s3cret",
            "https://x:s3cret@[::1]:1/#s3cret",
        ),
        *("rtsp://cam/user=admin_password=s3cret_1_channel=1_stream=0.sdp", "rtsp://cam/user=admin&pwd=s3cret"),
        "rtsp://cam/Token=s3cret/live",
    ],
)
def test_a_password_is_in_no_name(address):
    source = parse_source(address)
    assert source.address == address
    assert "s3cret" not in source.name
    assert "admin" not in source.name


def test_cameras_stay_apart_without_their_secrets():
    names = {parse_source(f"rtsp://cam/user=a_password=b_channel={channel}_stream=0.sdp").name for channel in (1, 2)}
    assert len(names) == 2


@pytest.mark.parametrize(
    "address",
    [
        *("ftp://cam/x", "rtsp://", "rtsp://:554/x", "rtsp://u:s3cret@cam:port/x", "x://"),
        *(f"rtsp://admin:12{mark}s3cret@cam/live" for mark in "/#?"),
        *(f"rtsp://admin:s3cret{mark}w@cam/live" for mark in "/#?"),
    ],
)
def test_an_address_that_is_none_is_refused_without_telling_it(address):
    with pytest.raises(UnsupportedError) as caught:
        parse_source(address)
    assert "s3cret" not in str(caught.value)


def test_a_folder_is_read_in_natural_order_with_times(tmp_path):
    for number in (10, 2, 1):
        write_image(tmp_path / f"{number}.png", np.full((8, 8, 3), number, np.uint8))
    (tmp_path / "notes.txt").write_text("no picture")
    source = parse_source(tmp_path)
    assert source.kind == "folder"
    frames = list(read_source(source, fps=4))
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [1, 2, 10]
    assert [frame.time for frame in frames] == [0, 0.25, 0.5]
    assert [frame.time for frame in read_source(source, every=0.5, fps=4)] == [0, 0.5]


def test_a_damaged_frame_is_passed_over_and_its_time_passes(tmp_path, caplog):
    for number in range(3):
        write_image(tmp_path / f"{number}.png", np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "1.png").write_bytes((tmp_path / "0.png").read_bytes()[:40])
    assert [frame.time for frame in read_source(parse_source(tmp_path), fps=10)] == [0, 0.2]
    assert "1.png" in caplog.text


def test_folders_without_a_frame(tmp_path):
    with pytest.raises(UnreadableError, match="holds no picture"):
        read_source(parse_source(tmp_path))
    (tmp_path / "x.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(UnreadableError, match="No picture of the folder"):
        list(read_source(parse_source(tmp_path)))


def test_a_live_source_is_not_read_as_a_file():
    with pytest.raises(ValueError, match="live"):
        read_source(parse_source("0"))
    with pytest.raises(ValueError, match="positive"):
        read_source(parse_source("."), fps=0)
