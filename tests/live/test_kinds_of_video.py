"""One scene as cameras, phones, recorders and broadcasters would have written it: the same name at the same times."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from knownface import FaceRecognizer
from knownface.errors import InputError
from knownface.live import FrameResult, Watcher, WatchOptions
from knownface.media import read_image

pytestmark = pytest.mark.slow

H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "16")
HEVC = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:crf=14")
MPEG2 = ("-c:v", "mpeg2video", "-q:v", "2")
VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "2M")
FIELDS = ("-flags", "+ilme+ildct")
GREY = ("-f", "lavfi", "-i", "color=c=gray:size=64x64:rate=12.5:duration=1.2")

SEEN = (0.48, 1.12)
"""Seconds from when to when the singer is named in the plain one."""


@dataclass(frozen=True)
class Kind:
    """How a kind of video is made of the plain one.

    Attributes:
        suffix: Of the file.
        options: Of ffmpeg, behind ``-i PLAIN``.
        before: Of ffmpeg, before it.
        later: Seconds by which everything is seen later.
    """

    suffix: str
    options: tuple[str, ...]
    before: tuple[str, ...] = ()
    later: float = 0.0


KINDS = {
    "interlaced H.264": Kind(".ts", (*H264, *FIELDS, "-x264opts", "tff=1")),
    "interlaced MPEG-2": Kind(".mpg", (*MPEG2, "-r", "25", *FIELDS)),
    "DV": Kind(".dv", ("-vf", "setdar=16/9", "-target", "pal-dv", "-an")),
    "pixels that are not square": Kind(".mp4", ("-vf", "scale=200:180,setsar=8/5", *H264)),
    "AV1": Kind(".mp4", ("-c:v", "libaom-av1", "-cpu-used", "8", "-usage", "realtime", "-b:v", "2M")),
    "variable frame rate": Kind(".mp4", ("-vf", "select='lt(n,8)+not(mod(n,2))'", "-vsync", "vfr", *H264)),
    "edit list": Kind(".mp4", ("-c", "copy"), ("-ss", "0.24"), -0.24),
    "clock that wraps": Kind(".ts", ("-c", "copy", "-output_ts_offset", "95442.5", "-muxdelay", "0")),
    "picture later than sound": Kind(
        ".mp4", ("-map", "1", "-map", "0", "-c:v", "copy"), ("-f", "lavfi", "-i", "sine=d=2.4", "-itsoffset", "1"), 1.0
    ),
    "rotation": Kind(".mov", ("-vf", "transpose=1", *H264)),
    "HEVC, 10 bits": Kind(".mp4", (*HEVC, "-pix_fmt", "yuv420p10le", "-tag:v", "hvc1")),
    "odd sizes": Kind(".webm", ("-vf", "scale=319:179", *VP9)),
    "several videos": Kind(".mkv", ("-map", "0", "-map", "1", "-disposition:v:0", "0", *H264), GREY),
    "a cover": Kind(
        ".mp4", ("-map", "0", "-map", "1", "-c:v:0", "mjpeg", "-disposition:v:0", "attached_pic", "-c:v:1", "copy")
    ),
    "MJPEG": Kind(".avi", ("-c:v", "mjpeg", "-q:v", "2", "-pix_fmt", "yuvj420p")),
    "ProRes": Kind(".mov", ("-c:v", "prores_ks", "-profile:v", "0")),
    "VP9 with transparency": Kind(".webm", ("-vf", "format=yuva420p", *VP9)),
    "H.264 4:2:2, 10 bits": Kind(".mp4", (*H264, "-pix_fmt", "yuv422p10le")),
    "grey": Kind(".mp4", (*H264, "-pix_fmt", "gray")),
    "MXF": Kind(".mxf", (*MPEG2, "-r", "25")),
    "raw H.264": Kind(".h264", (*H264, "-r", "25")),
}


@pytest.fixture(scope="module")
def plain(face_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1.2 seconds of the concert; after a cut at 0.48 s the singer is seen close."""
    if shutil.which("ffmpeg") is None or shutil.which("ffprobe") is None:
        pytest.skip("ffmpeg is not installed, so no test videos can be made")
    path = tmp_path_factory.mktemp("kinds") / "plain.mp4"
    clip = face_data / "hamilton" / "clip.mp4"
    ffmpeg("-ss", "3.1", "-i", clip, "-t", "1.2", "-an", "-vf", "scale=320:180,fps=12.5", *H264, path)
    ffmpeg(*GREY, "-frames:v", "1", path.with_name("cover.jpg"))
    return path


@pytest.fixture(scope="module")
def recognizer(face_data: Path, model_folder: Path) -> Iterator[FaceRecognizer]:
    """One who knows the singer."""
    with FaceRecognizer.open(":memory:", embedder="sface-int8bq", detector="yunet") as opened:
        opened.add_known_face("Singer", read_image(face_data / "hamilton/people/lin_manuel_miranda/portrait.png"))
        yield opened


def ffmpeg(*options: object) -> None:
    command = ["ffmpeg", "-loglevel", "error", "-y", *map(str, options)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Stretches:
    wants_frames = False

    def __init__(self) -> None:
        self.named: list[tuple[float, float]] = []

    def __enter__(self) -> Stretches:
        return self

    def take(self, result: FrameResult) -> None:
        segments = [segment for track in result.ended for segment in track.segments]
        self.named += [(s.first_time, s.last_time) for s in segments if s.identity.name == "Singer"]

    def __exit__(self, *_: object) -> None: ...


def seen(recognizer: FaceRecognizer, path: Path) -> tuple[float, float]:
    """From when to when the singer is named."""
    sink = Stretches()
    Watcher(path, recognizer, WatchOptions(hindsight=True, detect_every=1, turn=0), [sink]).run()
    return min(sink.named)[0], max(sink.named)[1]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_video_tells_what_its_plain_twin_tells(
    recognizer: FaceRecognizer, plain: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    begins, ends = SEEN
    made = KINDS[kind]
    path = tmp_path / f"video{made.suffix}"
    before = ("-i", plain.with_name("cover.jpg")) if kind == "a cover" else made.before
    try:
        ffmpeg(*before, "-i", plain, *made.options, path)
    except subprocess.CalledProcessError:
        pytest.skip("this ffmpeg does not write it")
    if kind == "rotation":
        turned = path.with_name("turned.mov")
        ffmpeg("-i", path, "-c", "copy", "-metadata:s:v", "rotate=90", turned)
        path = turned
    assert seen(recognizer, path) == pytest.approx((begins + made.later, ends + made.later), abs=0.1)
    assert not caplog.records


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("cut.mp4", ("-c", "copy", "-movflags", "+faststart"), r"cut\.mp4 ends early: (0\.9|1\.\d) of 1\.2 seconds"),
        ("lost.mp4", ("-c", "copy"), "lost.mp4 cannot be read as a video: it is damaged or cut off"),
        ("film.gif", (), "film.gif is a picture, not a video"),
        ("film.nut", ("-c", "copy"), "film.nut is not a video of a kind that is read here"),
    ],
)
def test_what_is_not_read_to_its_end_is_said(
    recognizer: FaceRecognizer,
    plain: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    name: str,
    options: tuple[str, ...],
    sentence: str,
) -> None:
    path = tmp_path / name
    ffmpeg("-i", plain, *options, path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 9 // 10])
    try:
        assert seen(recognizer, path)[0] == pytest.approx(SEEN[0], abs=0.1)
        told = caplog.text
    except InputError as error:
        told = error.message
    assert re.search(sentence, told)
