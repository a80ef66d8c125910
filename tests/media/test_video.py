from __future__ import annotations

import contextlib
import logging
import shutil
import subprocess

import cv2
import numpy as np
import pytest
from PIL import Image as PilImage

from knownface.errors import UnreadableError, UnsupportedError
from knownface.media import read_video, video_info
from knownface.media.probing import _probe

CONTAINERS = [
    ("a.mp4", ["-pix_fmt", "yuv420p"]),
    ("a.mov", []),
    ("a.mkv", []),
    ("a.webm", ["-c:v", "libvpx", "-b:v", "1M"]),
    ("a.avi", ["-c:v", "mpeg4"]),
    ("a.mpg", ["-c:v", "mpeg2video"]),
    ("a.ts", ["-c:v", "mpeg2video"]),
    ("a.m2ts", ["-c:v", "mpeg2video"]),
    ("a.wmv", ["-c:v", "wmv2"]),
    ("a.flv", []),
    ("a.ogv", ["-c:v", "libtheora"]),
    ("a.3gp", ["-c:v", "mpeg4"]),
]


@pytest.mark.parametrize(("name", "options"), CONTAINERS)
def test_every_container_is_read_with_its_times(make_video, name, options):
    path = make_video(name, *options)
    frames = list(read_video(path))
    assert len(frames) == 50
    np.testing.assert_allclose([f.time for f in frames], np.arange(50) / 25, atol=0.001)
    assert frames[0].image.shape == (96, 160, 3)
    assert frames[0].image.dtype == np.uint8
    assert frames[0].image.flags.c_contiguous
    info = video_info(path)
    assert (info.width, info.height) == (160, 96)
    assert info.fps == pytest.approx(25)
    assert info.duration == pytest.approx(2, abs=0.1)


def test_colours_are_rgb(make_video):
    path = make_video("red.mp4", "-pix_fmt", "yuv420p", source="color=c=red:size=64x64:rate=5:duration=1")
    red, green, blue = next(read_video(path)).image[32, 32].astype(int)
    assert red > 230
    assert max(green, blue) < 30


def test_frames_are_not_overwritten_by_the_next(make_video):
    first, second, *_ = list(read_video(make_video("a.mp4", "-pix_fmt", "yuv420p"), every=1.0))
    assert not np.array_equal(first.image, second.image)


@pytest.mark.parametrize("name", ["vfr.mp4", "vfr.mkv"])
def test_variable_frame_rate_keeps_real_times(make_video, name):
    select = ["-vf", "select='lt(n,30)+not(mod(n,7))'", "-vsync", "vfr", "-pix_fmt", "yuv420p"]
    path = make_video(name, *select, source="testsrc=size=160x96:rate=25:duration=4")
    kept = [n for n in range(100) if n < 30 or n % 7 == 0]
    np.testing.assert_allclose([f.time for f in read_video(path)], np.array(kept) / 25, atol=0.001)
    # the first frame at or after each half second
    expected = sorted({min(n for n in kept if n / 25 >= due) for due in np.arange(0, 3.9, 0.5)})
    np.testing.assert_allclose([f.time for f in read_video(path, 0.5)], np.array(expected) / 25, atol=0.001)


@pytest.mark.parametrize("every", [0.04, 0.1, 0.2, 1 / 3, 0.5, 1.0, 1.9, 100.0])
def test_samples_are_the_first_frames_at_or_after_the_multiples(make_video, every):
    for path in (make_video("a.mp4", "-pix_fmt", "yuv420p"), make_video("a.mkv", "-pix_fmt", "yuv420p")):
        times = [round(f.time * 25) for f in read_video(path, every)]
        grid = np.arange(0, 2, every)
        expected = sorted({int(np.ceil(due * 25 - 0.03)) for due in grid if np.ceil(due * 25 - 0.03) < 50})
        assert times == expected


def test_a_gap_longer_than_the_interval_gives_one_frame(make_video):
    path = make_video("gap.mp4", "-vf", "select='lt(n,3)+gt(n,46)'", "-vsync", "vfr", "-pix_fmt", "yuv420p")
    assert [round(f.time * 25) for f in read_video(path, 0.2)] == [0, 47]


@pytest.mark.parametrize("every", [0, -1.0, float("nan"), float("inf")])
def test_an_interval_must_be_positive(make_video, every):
    with pytest.raises(ValueError, match="every must be a positive number"):
        read_video(make_video("a.mp4"), every)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotation_is_applied(make_video, degrees):
    source = make_video("flat.mp4", "-pix_fmt", "yuv420p", source="color=c=white:size=160x96:rate=5:duration=1")
    marked = make_video(
        "marked.mp4", "-vf", "drawbox=w=60:h=30:c=black:t=fill", "-pix_fmt", "yuv420p", source=str(source)
    )
    turned = make_video("turned.mp4", "-c", "copy", "-metadata:s:v", f"rotate={degrees}", source=str(marked))
    image = next(read_video(turned)).image
    upright = np.rot90(next(read_video(marked)).image, degrees // 90)  # as ffmpeg itself turns it
    assert image.shape == upright.shape
    assert np.abs(image.astype(int) - upright.astype(int)).max() < 40
    assert (video_info(turned).height, video_info(turned).width) == image.shape[:2]


INTERLACED = [
    ("h264.ts", ["-c:v", "libx264", "-flags", "+ilme+ildct", "-x264opts", "tff=1", "-pix_fmt", "yuv420p"]),
    ("mpeg2.mpg", ["-c:v", "mpeg2video", "-flags", "+ilme+ildct", "-q:v", "3"]),
    ("mpeg4.avi", ["-c:v", "mpeg4", "-flags", "+ilme+ildct", "-q:v", "3"]),
]


@pytest.mark.parametrize(("name", "options"), INTERLACED)
def test_interlaced_videos_show_what_their_plain_twins_show(make_video, name, options, caplog):
    path = make_video(name, *options)
    frames, plain = list(read_video(path)), list(read_video(make_video("plain.mp4", "-pix_fmt", "yuv420p")))
    np.testing.assert_allclose([f.time for f in frames], [f.time for f in plain], atol=0.001)
    assert frames[0].image.flags.c_contiguous
    for frame, twin in zip(frames[5::10], plain[5::10], strict=True):
        assert np.abs(frame.image.astype(int) - twin.image).mean() < 12
    info = video_info(path)
    assert (info.width, info.height, info.fps) == (160, 96, 25)
    assert [round(f.time, 2) for f in read_video(path, 0.5)] == [0, 0.52, 1, 1.52]
    assert not caplog.records


def test_damage_of_an_interlaced_video_is_told(make_video, caplog):
    path = make_video("hurt.mp4", *INTERLACED[0][1], "-g", "10")
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 600] = bytes(600)
    path.write_bytes(data)
    times = [f.time for f in read_video(path)]
    assert times == sorted(set(times))
    assert 30 <= len(times) < 50
    assert f"hurt.mp4 is damaged: {50 - len(times)} of its frames are missing (ffmpeg: " in caplog.text


def test_a_broadcast_that_becomes_interlaced_is_read_on(make_video, caplog):
    mpeg2 = ["-c:v", "mpeg2video", "-q:v", "3", "-g", "12"]
    film = make_video("film.ts", *mpeg2, source="testsrc=size=160x96:rate=25:duration=3")
    later = ["-flags", "+ilme+ildct", "-output_ts_offset", "3"]
    news = make_video("news.ts", *mpeg2, *later, source="testsrc=size=160x96:rate=25:duration=4")
    film.write_bytes(film.read_bytes() + news.read_bytes())
    frames = list(read_video(film))
    assert [f.time for f in frames] == sorted({f.time for f in frames})
    assert frames[-1].time == pytest.approx(6.96, abs=0.1)
    assert len({f.image.tobytes() for f in frames if f.time > 4.2}) == len([f for f in frames if f.time > 4.2]) > 60
    assert "becomes interlaced" in caplog.text


@pytest.mark.parametrize("tool", ["ffmpeg", "ffprobe"])
def test_interlaced_videos_without_the_programs_are_refused_or_doubted(make_video, tmp_path, monkeypatch, caplog, tool):
    path = make_video(INTERLACED[0][0], *INTERLACED[0][1])
    programs = tmp_path / "programs"
    programs.mkdir()
    if tool == "ffmpeg":  # ffprobe alone is there
        (programs / "ffprobe").symlink_to(str(shutil.which("ffprobe")))
    monkeypatch.setenv("PATH", str(programs))
    _probe.cache_clear()
    if tool == "ffmpeg":
        with pytest.raises(UnsupportedError, match=r"h264\.ts is interlaced: it is read through the program ffmpeg"):
            read_video(path)
    else:
        same = {frame.image.tobytes() for frame in read_video(path)}
        # What cannot be converted is black, or whatever lay in memory, over and over.
        assert ("from 0.0 to 2.0 seconds" in caplog.text) == (len(same) == 1)
    _probe.cache_clear()


def test_a_codec_that_opencv_lacks_is_read_by_ffmpeg_or_named(make_video, tmp_path, monkeypatch):
    try:
        path = make_video("a.mp4", "-c:v", "libaom-av1", "-cpu-used", "8", "-frames:v", "5", "-pix_fmt", "yuv420p")
    except subprocess.CalledProcessError:
        pytest.skip("this ffmpeg does not write AV1")
    frames = list(read_video(path))
    np.testing.assert_allclose([f.time for f in frames], np.arange(5) / 25, atol=0.001)
    twin = next(read_video(make_video("plain.mp4", "-pix_fmt", "yuv420p"))).image
    assert np.abs(frames[0].image.astype(int) - twin).mean() < 12
    monkeypatch.setenv("PATH", str(tmp_path))
    _probe.cache_clear()
    # some builds of OpenCV read it
    with contextlib.suppress(UnreadableError):
        assert len(list(read_video(path))) == 5
        return
    with pytest.raises(UnreadableError, match=r"its codec \(AV01\) is none that OpenCV reads here") as caught:
        next(read_video(path))
    assert "install ffmpeg" in caught.value.hint


@pytest.mark.parametrize("options", [[], INTERLACED[0][1]])
@pytest.mark.parametrize("turned", [False, True])
def test_pixels_come_out_square(make_video, options, turned):
    squeezed = make_video("squeezed.mov", "-vf", "scale=80:96,setsar=2/1", *options, "-pix_fmt", "yuv420p")
    path = squeezed
    if turned:
        path = make_video("turned.mov", "-c", "copy", "-metadata:s:v", "rotate=90", source=str(squeezed))
    info = video_info(path)
    image = next(read_video(path)).image
    assert image.shape == (info.height, info.width, 3)
    assert (info.width, info.height) == ((96, 160) if turned else (160, 96))
    if not turned:
        plain = next(read_video(make_video("plain.mp4", "-pix_fmt", "yuv420p"))).image
        assert np.abs(image.astype(int) - plain).mean() < 12


def test_a_picture_that_starts_after_the_sound_has_the_times_that_players_show(make_video, caplog):
    plain = make_video("plain.mp4", "-pix_fmt", "yuv420p")
    late = ["-itsoffset", "1.5", "-i", str(plain), "-map", "1:v", "-map", "0:a", "-c:v", "copy"]
    for name in ("late.mp4", "late.mkv", "late.ts"):
        path = make_video(name, *late, source="sine=duration=4")
        assert video_info(path).start == pytest.approx(1.5, abs=0.05)
        times = [f.time for f in read_video(path)]
        np.testing.assert_allclose(times, 1.5 + np.arange(50) / 25, atol=0.05)
    assert not caplog.records


def test_edit_lists_and_offsets_do_not_end_early(make_video, caplog):
    plain = make_video("plain.mp4", "-pix_fmt", "yuv420p", "-g", "100")
    cut = ["-ss", "1", "-i", str(plain), "-map", "1:v", "-c", "copy"]
    edited = make_video("edited.mp4", *cut, source=str(plain))
    assert len(list(read_video(edited))) == 25
    assert video_info(edited).duration == pytest.approx(1, abs=0.05)
    for name in ("offset.mkv", "offset.ts"):
        offset = make_video(name, "-c", "copy", "-output_ts_offset", "100", source=str(plain))
        np.testing.assert_allclose([f.time for f in read_video(offset)], np.arange(50) / 25, atol=0.001)
        assert video_info(offset).duration == pytest.approx(2, abs=0.1)
    assert not caplog.records


def test_the_default_one_of_several_tracks_is_read_and_no_cover(make_video):
    plain = make_video("plain.mp4", "-pix_fmt", "yuv420p")
    both = ["-i", str(plain), "-map", "0:v", "-map", "1:v", "-pix_fmt", "yuv420p"]
    default = ["-disposition:v:0", "0", "-disposition:v:1", "default"]
    path = make_video("two.mkv", *both, *default, source="color=c=gray:size=64x64:rate=25:duration=2")
    assert next(read_video(path)).image.shape == (96, 160, 3)
    assert (video_info(path).width, len(list(read_video(path)))) == (160, 50)
    cover = ["-i", str(plain), "-map", "0:a", "-map", "1:v", "-frames:v", "1", "-c:v", "mjpeg"]
    song = make_video("song.m4a", *cover, "-disposition:v", "attached_pic", source="sine=duration=1")
    with pytest.raises(UnreadableError, match="holds only sound"):
        read_video(song)


def test_a_cut_off_video_yields_what_there_is_and_warns(make_video, caplog):
    path = make_video("whole.mp4", "-pix_fmt", "yuv420p", "-movflags", "+faststart")
    cut = path.with_name("cut.mp4")
    cut.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with caplog.at_level(logging.WARNING):
        assert list(read_video(path, 0.1))
        assert not caplog.records
        count = sum(1 for _ in read_video(cut))
    assert 5 < count < 45
    assert "cut.mp4 ends early" in caplog.text


def test_a_video_cut_before_its_index_is_refused(make_video, capfd):
    path = make_video("whole.mp4", "-pix_fmt", "yuv420p")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UnreadableError, match=r"whole\.mp4 cannot be read as a video"):
        read_video(path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("start", [2000, 4000])
def test_damage_costs_the_damaged_frames_only(make_video, capfd, caplog, start):
    path = make_video("hurt.mp4", "-pix_fmt", "yuv420p", "-g", "10")
    data = bytearray(path.read_bytes())
    data[start : start + 600] = bytes(600)
    path.write_bytes(data)
    times = [f.time for f in read_video(path)]
    assert times == sorted(set(times))
    assert 40 <= len(times) < 50
    assert times[-1] == pytest.approx(49 / 25)
    assert f"{50 - len(times)} of its frames could not be decoded" in caplog.text
    assert capfd.readouterr() == ("", "")


def test_a_container_without_a_frame(make_video):
    path = make_video("none.mp4", "-pix_fmt", "yuv420p", "-frames:v", "0")
    with pytest.raises(UnreadableError):
        list(read_video(path))


@pytest.mark.parametrize("name", ["sound.m4a", "sound.mkv", "sound.ogg", "sound.mp3", "sound.wav"])
def test_sound_alone_is_no_video(make_video, name):
    path = make_video(name, source="sine=duration=1")
    with pytest.raises((UnreadableError, UnsupportedError), match=path.name):
        read_video(path)
    with pytest.raises((UnreadableError, UnsupportedError), match=r"only sound|not a video"):
        video_info(path)


def test_what_is_no_video_is_refused(tmp_path):
    with pytest.raises(UnreadableError, match="does not exist"):
        read_video(tmp_path / "nothing.mp4")
    with pytest.raises(UnreadableError, match="is a folder"):
        read_video(tmp_path)
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(UnreadableError, match=r"empty\.mp4 is empty"):
        read_video(tmp_path / "empty.mp4")
    PilImage.new("RGB", (8, 8)).save(tmp_path / "photo.jpg")
    shutil.copy(tmp_path / "photo.jpg", tmp_path / "photo.mp4")
    with pytest.raises(UnsupportedError, match="is a picture, not a video"):
        read_video(tmp_path / "photo.mp4")
    # FFmpeg would draw the first, and open what the others name
    for text in ("hello\n" * 100, "#EXTM3U\n#EXTINF:1,\nphoto.jpg\n", "ffconcat version 1.0\nfile photo.jpg\n"):
        (tmp_path / "text.txt").write_text(text)
        with pytest.raises(UnsupportedError, match=r"text\.txt is not a video"):
            video_info(tmp_path / "text.txt")


def test_names_that_look_like_addresses_or_patterns(make_video, monkeypatch):
    path = make_video("a.mp4", "-pix_fmt", "yuv420p")
    monkeypatch.chdir(path.parent)
    for name in ("http:x.mp4", "-y.mp4", "frame%03d.mp4", "ü é 王.mp4", "no_suffix"):
        shutil.copy(path, name)
        assert video_info(name).frames == 50


def test_opencvs_log_level_is_put_back(make_video):
    path = make_video("a.mp4", "-pix_fmt", "yuv420p")
    logs = cv2.utils.logging if hasattr(cv2.utils, "logging") else cv2
    before = logs.getLogLevel()
    video_info(path)
    assert logs.getLogLevel() == before


def test_real_clips(face_data):
    info = video_info(face_data / "hamilton" / "clip.mp4")
    assert (info.width, info.height, info.frames) == (640, 360, 275)
    # Its picture begins 0.844 s after its sound.
    times = [f.time for f in read_video(face_data / "hamilton" / "clip.mp4", 1.0)]
    expected = [0.844, *(0.844 + np.ceil((np.arange(1, 10) - 0.844) * 29.97) / 29.97)]
    np.testing.assert_allclose(times, expected, atol=0.002)
    crowd = list(read_video(face_data / "crowd" / "clip.mp4", 2.0))
    assert [f.time for f in crowd] == [0.0, 2.0, 4.0]
    assert crowd[0].image.shape == (1080, 1920, 3)
