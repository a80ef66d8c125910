from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as PilImage

from knownface.errors import InputError, OutputError
from knownface.media import (
    WRITABLE_SUFFIXES,
    VideoWriter,
    ffmpeg,
    read_image,
    read_video,
    video_info,
    write,
    write_image,
)

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


def scene(width: int = 64, height: int = 48, shift: float = 0.0) -> np.ndarray:
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    return np.stack([255 * ((x + shift) % 1), 255 * y, 128 + 0 * x], axis=-1).astype(np.uint8)


def probe(path: Path) -> list[dict[str, str]]:
    command = ["ffprobe", "-loglevel", "error", "-show_streams", "-of", "json", str(path)]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["streams"]


@pytest.mark.parametrize("suffix", sorted(WRITABLE_SUFFIXES))
def test_pictures_come_back(tmp_path, suffix):
    path = tmp_path / f"a é{suffix.upper()}"
    write_image(path, scene())
    write_image(path, scene())
    difference = np.abs(read_image(path).astype(int) - scene())
    assert difference.mean() < 4 if suffix in {".jpg", ".jpeg", ".webp"} else difference.max() == 0
    assert list(tmp_path.iterdir()) == [path]
    umask = os.umask(0)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask


def test_pictures_that_cannot_be_written(tmp_path):
    with pytest.raises(OutputError, match="its suffix is none of"):
        write_image(tmp_path / "x.gif", scene())
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(OutputError, match=r"folder\.png cannot be written"):
        write_image(tmp_path / "folder.png", scene())
    with pytest.raises(OutputError):
        write_image(tmp_path / "wide.jpg", np.zeros((1, 70_000, 3), np.uint8))
    assert [p.name for p in tmp_path.iterdir()] == ["folder.png"]


def test_a_folder_that_may_not_be_written(ordinary_folder):
    ordinary_folder.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="Permission denied"):
            write_image(ordinary_folder / "x.png", scene())
        with pytest.raises(OutputError, match="Permission denied"), VideoWriter(ordinary_folder / "x.mp4", 25) as video:
            video.write(scene())
    finally:
        ordinary_folder.chmod(0o700)


FULL_DISK = """
import resource, sys
import numpy as np
from knownface.errors import OutputError
from knownface.media import VideoWriter, write_image

resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))  # as if the disk were full after 20 kB
noise = np.random.default_rng(0)
try:
    if sys.argv[1].endswith(".mp4"):
        with VideoWriter(sys.argv[1], 25, ffmpeg=sys.argv[2] or None) as video:
            for _ in range(100):
                video.write(noise.integers(0, 255, (240, 320, 3), np.uint8))
    else:
        write_image(sys.argv[1], noise.integers(0, 255, (400, 400, 3), np.uint8))
except OutputError as error:
    print("refused:", error.message)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs resource limits")
@pytest.mark.parametrize(
    ("name", "program"),
    [("x.jpg", ""), ("x.png", ""), ("x.tif", ""), pytest.param("x.mp4", "ffmpeg", marks=needs_ffmpeg), ("x.mp4", "")],
)
def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, name, program):
    path = tmp_path / name
    path.write_bytes(b"the old one")
    command = [sys.executable, "-c", FULL_DISK, str(path), program]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert result.stdout.startswith("refused:"), result
    assert path.read_bytes() == b"the old one"
    assert list(tmp_path.iterdir()) == [path]


def test_a_helper_that_ends_well_with_half_a_video_does_not_replace_the_old_one(tmp_path):
    real = shutil.which("ffmpeg") or pytest.skip("ffmpeg is not installed")
    program = tmp_path / "ffmpeg"
    # As ffmpeg on a disk that is full when it finishes the file: exit status 0.
    program.write_text(f'#!/bin/sh\n"{real}" "$@"\nfor last; do :; done\ntruncate -s -100 "${{last#file:}}"\nexit 0\n')
    program.chmod(0o755)
    path = tmp_path / "x.mp4"
    path.write_bytes(b"the old one")
    with (  # noqa: PT012
        pytest.raises(OutputError, match="could not be written to its end"),
        VideoWriter(path, 25, ffmpeg=str(program)) as video,
    ):
        for shift in range(10):
            video.write(scene(shift=shift / 10))
    assert path.read_bytes() == b"the old one"


ONTO_A_SMALL_DISK = """
import sys
from knownface.errors import OutputError
from knownface.media import VideoWriter, read_video

frames = list(read_video(sys.argv[1]))
try:
    with VideoWriter(sys.argv[2], 25, sound_from=sys.argv[1]) as video:
        for frame in frames:
            video.write(frame.image, frame.time)
except OutputError as error:
    print("refused:", error.message)
"""


@needs_ffmpeg
@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs a disk of its own, mounted by unshare")
@pytest.mark.parametrize("kilobytes", [24, 40, 80, 160])
def test_a_small_disk_holds_the_old_video_or_a_whole_new_one(make_video, tmp_path, kilobytes):
    noise = ["-f", "lavfi", "-i", "anoisesrc=duration=2", "-c:a", "aac", "-b:a", "200k", "-pix_fmt", "yuv420p"]
    source = make_video("source.mp4", *noise, source="mandelbrot=size=160x96:rate=25,trim=duration=2")
    disk, kept = tmp_path / "disk", tmp_path / "kept.mp4"
    disk.mkdir()
    script = (
        'mount -t tmpfs -o size="$1"k none "$2" || exit 77; printf old > "$2/x.mp4"\n'
        'TMPDIR=/tmp "$3" -c "$4" "$5" "$2/x.mp4" || exit 1; cp "$2/x.mp4" "$6"; [ "$(ls -A "$2")" = x.mp4 ]'
    )
    given = [str(kilobytes), str(disk), sys.executable, ONTO_A_SMALL_DISK, str(source), str(kept)]
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", *given]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    if not kept.exists():
        pytest.skip(f"no disk can be mounted here: {result.stderr}")
    assert result.returncode == 0, result
    if kept.read_bytes() == b"old":
        assert result.stdout.startswith("refused:"), result
    else:
        assert sum(1 for _ in read_video(kept)) == 50, result


@pytest.mark.parametrize("program", [pytest.param("ffmpeg", marks=needs_ffmpeg), None, "no-such-program"])
@pytest.mark.parametrize(("width", "height"), [(64, 48), (65, 47), (1, 1), (321, 180)])
def test_videos_come_back(tmp_path, program, width, height):
    path = tmp_path / "a é.mp4"
    frames = [scene(width, height, n / 10) for n in range(10)]
    with VideoWriter(path, 12.5, ffmpeg=program) as video:
        for frame in frames:
            video.write(frame)
        assert not path.exists(), "nothing under the final name before the end"
    assert list(tmp_path.iterdir()) == [path]
    info = video_info(path)
    assert (info.width, info.height) == (width + width % 2, height + height % 2)
    assert (info.frames, info.fps) == (10, pytest.approx(12.5))
    back = list(read_video(path))
    np.testing.assert_allclose([f.time for f in back], np.arange(10) / 12.5, atol=0.001)
    if width > 2:
        assert np.abs(back[3].image[:height, :width].astype(int) - frames[3]).mean() < 12


@needs_ffmpeg
def test_ffmpegs_files_are_what_players_open(tmp_path):
    path = tmp_path / "a.mp4"
    colour = np.full((720, 1280, 3), (200, 60, 30), np.uint8)
    with VideoWriter(path, 30000 / 1001) as video:
        for _ in range(5):
            video.write(colour)
    (stream,) = probe(path)
    assert stream["pix_fmt"] == "yuv420p"
    assert stream["r_frame_rate"] == "30000/1001"
    assert stream["color_space"] == "bt709"
    data = path.read_bytes()
    assert data.find(b"moov") < data.find(b"mdat"), "the index comes first"
    command = ["ffmpeg", "-loglevel", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    pixel = np.frombuffer(subprocess.run(command, check=True, capture_output=True).stdout, np.uint8)[:3]
    assert np.abs(pixel.astype(int) - (200, 60, 30)).max() <= 4, "players see the colours that were written"


@needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "sound", "kept"),
    [
        ("aac.mp4", ["-c:a", "aac"], "aac"),
        ("mp3.mkv", ["-c:a", "libmp3lame"], "mp3"),
        ("pcm.avi", ["-c:a", "pcm_s16le", "-c:v", "mpeg4"], "aac"),
    ],
)
def test_sound_is_taken_over(make_video, tmp_path, name, sound, kept):
    source = make_video(name, "-f", "lavfi", "-i", "sine=duration=3", "-pix_fmt", "yuv420p", *sound)
    path = tmp_path / "out.mp4"
    with VideoWriter(path, 25, sound_from=source) as video:
        for frame in read_video(source):
            video.write(frame.image, frame.time)
    streams = {s["codec_type"]: s for s in probe(path)}
    assert streams["audio"]["codec_name"] == kept
    assert float(streams["audio"]["duration"]) == pytest.approx(2, abs=0.15), "no longer than the pictures"
    assert int(streams["video"]["nb_frames"]) == 50
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["out.mp4", name])


@needs_ffmpeg
def test_sound_that_starts_before_the_pictures_stays_in_step(make_video, tmp_path):
    sound = ["-f", "lavfi", "-i", "sine=duration=2", "-c:a", "aac", "-pix_fmt", "yuv420p"]
    plain = make_video("plain.mp4", *sound)
    late = tmp_path / "late.mp4"
    shifted = ["-itsoffset", "0.8", "-i", str(plain), "-i", str(plain), "-map", "0:v", "-map", "1:a", "-c", "copy"]
    subprocess.run(["ffmpeg", "-loglevel", "error", *shifted, str(late)], check=True)
    path = tmp_path / "out.mp4"
    with VideoWriter(path, 25, sound_from=late) as video:
        for frame in read_video(late):
            video.write(frame.image, frame.time)
    starts = [float(s["start_time"]) for s in probe(path)]
    assert starts == pytest.approx([0, 0], abs=0.05)
    black, pictures = list(read_video(path))[:20], list(read_video(path))[20:]
    assert len(pictures) == 50
    assert max(frame.image.max() for frame in black) < 16
    assert pictures[0].time == pytest.approx(0.8)
    assert np.abs(pictures[0].image.astype(int) - next(read_video(late)).image).mean() < 12


@needs_ffmpeg
def test_a_source_without_usable_sound_is_no_error(make_video, tmp_path, caplog):
    silent = make_video("silent.mp4", "-pix_fmt", "yuv420p")
    junk = tmp_path / "junk.mp4"
    junk.write_bytes(b"junk")
    for source, warned in ((silent, False), (junk, True), (tmp_path / "gone.mp4", True)):
        caplog.clear()
        path = tmp_path / "out.mp4"
        with caplog.at_level(logging.WARNING), VideoWriter(path, 25, sound_from=source) as video:
            video.write(scene())
        assert video_info(path).frames == 1
        assert ("could not be taken over" in caplog.text) == warned


@pytest.mark.parametrize("program", [pytest.param("ffmpeg", marks=needs_ffmpeg), None])
def test_times_repeat_and_leave_out_frames(tmp_path, program):
    path = tmp_path / "a.mp4"
    levels = {0.0: 20, 0.5: 120, 0.51: 0, 1.0: 220}
    with VideoWriter(path, 10, ffmpeg=program) as video:
        for time, level in levels.items():
            video.write(np.full((48, 64, 3), level, np.uint8), time)
    seen = [int(f.image.mean()) for f in read_video(path)]
    expected = [20] * 5 + [120] * 5 + [220]
    np.testing.assert_allclose(seen, expected, atol=6)


@pytest.mark.parametrize("program", [pytest.param("ffmpeg", marks=needs_ffmpeg), None])
def test_an_error_in_the_body_leaves_nothing(tmp_path, program):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"the old one")
    with pytest.raises(KeyboardInterrupt), VideoWriter(path, 25, ffmpeg=program) as video:  # noqa: PT012
        video.write(scene())
        raise KeyboardInterrupt
    assert path.read_bytes() == b"the old one"
    assert list(tmp_path.iterdir()) == [path]


def test_wrong_uses_of_the_video_writer(tmp_path):
    with pytest.raises(OutputError, match=r"must be \.mp4"):
        VideoWriter(tmp_path / "a.avi", 25)
    for fps in (0, -1, float("nan"), 90_000):
        with pytest.raises(ValueError, match="fps"):
            VideoWriter(tmp_path / "a.mp4", fps)
    with pytest.raises(OutputError, match="there was no frame"), VideoWriter(tmp_path / "a.mp4", 25):
        pass
    with (  # noqa: PT012
        pytest.raises(InputError, match=r"expected \(48, 64, 3\), got \(48, 65, 3\)"),
        VideoWriter(tmp_path / "a.mp4", 25) as video,
    ):
        video.write(scene())
        video.write(scene(65))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="needs a shell script")
def test_an_encoder_that_fails_is_quoted_and_one_that_talks_much_does_not_block(tmp_path):
    for name, script in {
        "fails": 'cat > /dev/null; echo "first line" >&2; echo "cannot encode this" >&2; exit 3',
        "dies": 'echo "cannot encode this" >&2; exit 3',
        "talks": "yes talking | head -c 3000000 >&2; cat > /dev/null; echo 'cannot encode this' >&2; exit 3",
    }.items():
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\ncase "$*" in *-encoders*) exit 0;; esac\n{script}\n')
        program.chmod(0o755)
        ffmpeg._best_encoder.cache_clear()
        path = tmp_path / "a.mp4"
        with (  # noqa: PT012
            pytest.raises(OutputError, match="ffmpeg ended with status 3: cannot encode this"),
            VideoWriter(path, 25, ffmpeg=str(program)) as video,
        ):
            for _ in range(50):
                video.write(scene(640, 480))
        assert not path.exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["dies", "fails", "talks"]


def test_without_ffmpeg_on_the_path_a_line_says_so_once(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("PATH", str(tmp_path))
    write._say_without_ffmpeg.cache_clear()
    with caplog.at_level(logging.WARNING):
        for name in ("a.mp4", "b.mp4"):
            with VideoWriter(tmp_path / name, 25, sound_from="whatever.mp4") as video:
                video.write(scene())
            assert video_info(tmp_path / name).frames == 1
    assert [r.message for r in caplog.records] == [
        "ffmpeg is not installed: videos are written without sound, as MPEG-4."
    ]


def test_opencv_that_cannot_write_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(cv2.VideoWriter, "fourcc", staticmethod(lambda *letters: 0x7FFFFFFF))
    with pytest.raises(OutputError, match=r"Install|OpenCV"), VideoWriter(tmp_path / "a.mp4", 25, ffmpeg=None) as video:
        video.write(scene())
    assert list(tmp_path.iterdir()) == []


@needs_ffmpeg
@pytest.mark.slow
def test_real_clip_with_its_sound(face_data, tmp_path):
    source = face_data / "hamilton" / "clip.mp4"
    path = tmp_path / "named.mp4"
    with VideoWriter(path, video_info(source).fps, sound_from=source) as video:
        for frame in read_video(source):
            video.write(frame.image, frame.time)
    streams = {s["codec_type"]: s for s in probe(path)}
    assert int(streams["video"]["nb_frames"]) == 25 + 275, "its picture begins 0.844 s after its sound"
    assert streams["audio"]["codec_name"] == "aac"
    assert PilImage.fromarray(next(read_video(path)).image).size == (640, 360)


def test_what_a_killed_program_left_goes_with_the_next_video_but_not_what_is_being_written(tmp_path):
    stale, fresh, other = (
        tmp_path / f".{name}.part.mp4" for name in ("x-0123456789ab", "x-ba9876543210", "y-0123456789ab")
    )
    for path in (stale, fresh, other):
        path.write_bytes(b"half a video")
    for path in (stale, other):
        os.utime(path, (0, 0))
    with VideoWriter(tmp_path / "x.mp4", 25) as video:
        video.write(scene())
    assert sorted(tmp_path.iterdir()) == sorted([fresh, other, tmp_path / "x.mp4"])


WRITING = """
import os, signal, sys
import numpy as np
from knownface.media import VideoWriter

signal.signal(signal.SIGINT, signal.SIG_IGN)
with VideoWriter(sys.argv[1], 25) as video:
    for shade in range(20):
        if shade == 10:
            os.killpg(0, signal.SIGINT)  # what a terminal does at Ctrl-C: to all programs of the group
        video.write(np.full((48, 64, 3), 10 * shade, np.uint8))
"""


@needs_ffmpeg
@pytest.mark.skipif(os.name != "posix", reason="needs process groups")
def test_ctrl_c_does_not_end_the_encoder_before_the_video_is_finished(tmp_path):
    path = tmp_path / "x.mp4"
    command = [sys.executable, "-c", WRITING, str(path)]
    subprocess.run(command, check=True, timeout=60, start_new_session=True)
    assert video_info(path).frames == 20
