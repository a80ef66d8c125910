"""``knownface watch`` as a user runs it: real video, real servers on loopback, processes where they are stopped."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import cv2
import numpy as np
import pytest

import toy_plugin
from knownface.events import SightingLog
from knownface.gallery import Gallery
from knownface.law.audit import AuditLog
from knownface.liveness.challenge import Challenge, Pose
from knownface.media import VideoWriter, read_image, read_video, video_info, write_image
from knownface.types import Image

Run = Callable[..., Any]
KNOWNFACE = [sys.executable, "-m", "knownface"]
FPS = 12
SECONDS = 2


@pytest.fixture(scope="session")
def walk(astronaut: Image) -> list[Image]:
    """The astronaut crosses the picture."""
    face = cv2.resize(np.ascontiguousarray(astronaut[0:300, 90:360]), (144, 160), interpolation=cv2.INTER_AREA)
    frames = []
    for n in range(FPS * SECONDS):
        x, y = np.meshgrid(np.arange(320), np.arange(240))
        frame = np.stack([(x + 3 * n) % 200, (y + x) % 180, y % 160], axis=-1).astype(np.uint8)
        frame[60:220, 10 + 6 * n : 154 + 6 * n] = face
        frames.append(frame)
    return frames


@pytest.fixture(scope="session")
def clip(walk: list[Image], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("watch") / "walk.mp4"
    with VideoWriter(path, FPS) as video:
        for frame in walk:
            video.write(frame)
    return path


@pytest.fixture
def gallery(alone: Path, eileen_enrolled: Path) -> Path:
    return Path(shutil.copy(eileen_enrolled, os.environ["KNOWNFACE_GALLERY"]))


@pytest.fixture
def watch(knownface: Run) -> Run:
    """The command in this process, for files, which end by themselves."""
    return partial(knownface, "watch")


@contextmanager
def watching(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    command = [*KNOWNFACE, "watch", *map(str, arguments)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as run:
        try:
            yield run
        finally:
            run.kill()


@contextmanager
def camera(frames: list[Image], fps: float = FPS) -> Iterator[str]:
    """An HTTP camera that shows the frames over and over."""
    import http.server

    pictures = [cv2.imencode(".jpg", frame[:, :, ::-1])[1].tobytes() for frame in frames]
    ended = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            number = 0
            try:
                while not ended.wait(1 / fps):
                    picture = pictures[number % len(pictures)]
                    head = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(picture)
                    self.wfile.write(head + picture + b"\r\n")
                    number += 1
            except OSError:
                return

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/live"
        ended.set()
        server.shutdown()


def events(lines: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.splitlines()]


def next_event(run: subprocess.Popen[str], kind: str) -> dict[str, Any]:
    assert run.stdout is not None
    for line in run.stdout:
        event: dict[str, Any] = json.loads(line)
        if event["event"] == kind:
            return event
    raise AssertionError(f"{kind} never came: {run.stderr.read() if run.stderr else ''}")


@pytest.mark.slow
def test_a_video_with_everything(watch: Run, gallery: Path, clip: Path, tmp_path: Path) -> None:
    video, timeline = tmp_path / "named.mp4", tmp_path / "seen.csv"
    ran = watch(clip, "--out", video, "--timeline", timeline, "--events", "--detect-every", 2)
    assert ran.status == 0, ran.err
    told = events(ran.out)
    assert [event["event"] for event in told] == ["connected", "named", "left", "ended"]
    assert told[1]["name"] == "Eileen Collins"
    assert 0 <= told[1]["distance"] < 0.5
    assert video_info(video).frames == FPS * SECONDS
    labelled, plain = (next(iter(read_video(path, every=1.0))).image.astype(int) for path in (video, clip))
    last = [list(read_video(path))[-1].image.astype(int) for path in (video, clip)]
    assert np.abs(last[0] - last[1]).max() > 100, "a box and a name are drawn"
    assert labelled.shape == plain.shape
    [row] = csv.DictReader(timeline.read_text().splitlines())
    assert row["name"] == "Eileen Collins"
    assert (float(row["from"]), float(row["to"])) == (pytest.approx(0, abs=0.2), pytest.approx(SECONDS, abs=0.3))
    assert int(row["frames"]) >= FPS * SECONDS - 3
    assert max(read_image(tmp_path / row["thumbnail"]).shape) <= 192
    assert f"ended: {FPS * SECONDS} frames" in ran.err
    assert "0 dropped" in ran.err
    assert SightingLog(Gallery.open(gallery)).count() == 0, "a file is not recorded unless asked"


@pytest.mark.slow
def test_people_read_a_table(watch: Run, gallery: Path, clip: Path) -> None:
    ran = watch(clip, "--detect-every", 3)
    assert ran.status == 0, ran.err
    assert "Eileen Collins" in ran.out
    assert ran.out.split()[:5] == ["name", "from", "to", "distance", "frames"]


@pytest.mark.slow
def test_the_same_result_twice(watch: Run, gallery: Path, clip: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert watch(clip, "--timeline", tmp_path / f"{name}.json", "--detect-every", 4).status == 0
    a, b = ((tmp_path / f"{name}.json").read_text().replace(f"{name}-faces", "") for name in ("a", "b"))
    assert json.loads(a)
    assert a == b


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
@pytest.mark.slow
def test_the_sound_is_kept(watch: Run, gallery: Path, clip: Path, tmp_path: Path) -> None:
    sounding, out = tmp_path / "sounding.mp4", tmp_path / "out.mp4"
    sine = ["-f", "lavfi", "-i", f"sine=duration={SECONDS}"]
    command = ["ffmpeg", "-loglevel", "error", "-i", str(clip), *sine, "-c:v", "copy", "-shortest", str(sounding)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    assert watch(sounding, "--out", out, "--detect-every", 12).status == 0
    probe = ["ffprobe", "-loglevel", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0", str(out)]
    assert subprocess.run(probe, capture_output=True, text=True, check=True).stdout.split() == ["h264", "aac"]


@pytest.mark.slow
def test_a_recording_goes_into_the_gallery_where_asked(watch: Run, gallery: Path, clip: Path) -> None:
    began = "2026-03-14T09:00:00+00:00"
    ran = watch(clip, "--record", "--began", began, "--name", "front door", "--keep-pictures", "--detect-every", 3)
    assert ran.status == 0, ran.err
    assert "with their best pictures" in ran.err
    with Gallery.open(gallery) as opened:
        log = SightingLog(opened)
        [sighting] = log.find()
        assert (sighting.label, sighting.source) == ("Eileen Collins", "front door")
        assert sighting.first_seen.isoformat() == began
        assert 1.5 <= (sighting.last_seen - sighting.first_seen).total_seconds() <= SECONDS
        assert read_image(log.picture(sighting.id) or b"").size


@pytest.mark.slow
def test_a_folder_of_frames(watch: Run, gallery: Path, walk: list[Image], tmp_path: Path) -> None:
    for number, frame in enumerate(walk[:10]):
        write_image(tmp_path / "frames" / f"{number}.png", frame)
    ran = watch(tmp_path / "frames", "--fps", 10, "--every", 0.2, "--events", "--detect-every", 1)
    assert ran.status == 0, ran.err
    assert "ended: 5 frames" in ran.err
    assert "Eileen Collins" in ran.out


@pytest.mark.slow
def test_pixels_that_are_not_square_are_said(watch: Run, gallery: Path, walk: list[Image], tmp_path: Path) -> None:
    for number, frame in enumerate(walk[:6]):
        write_image(tmp_path / "frames" / f"{number}.png", np.ascontiguousarray(frame[:, ::2]))
    video = tmp_path / "named.mp4"
    ran = watch(tmp_path / "frames", "--pixel-aspect", "128:64", "--out", video, "--detect-every", 1)
    assert ran.status == 0, ran.err
    assert "Eileen Collins" in ran.out
    height, width = walk[0].shape[:2]
    assert (video_info(video).width, video_info(video).height) == (width, height)
    for wrong in ("0", "1:0", "wide", "5"):
        assert "64:45" in watch(tmp_path / "frames", "--pixel-aspect", wrong).err


@pytest.mark.slow
def test_ctrl_c_ends_cleanly_and_loses_nothing(gallery: Path, walk: list[Image], tmp_path: Path) -> None:
    video, timeline = tmp_path / "named.mp4", tmp_path / "seen.json"
    with camera(walk) as url, watching(url, "--events", "--out", video, "--timeline", timeline) as run:
        named = next_event(run, "named")
        os.killpg(run.pid, signal.SIGINT)  # what a terminal does: ffmpeg gets it too
        out, err = run.communicate(timeout=60)
        assert run.returncode == 0, err
    assert [event["event"] for event in events(out)][-1] == "ended"
    assert "Traceback" not in err
    assert video_info(video).frames
    [row, *_] = json.loads(timeline.read_text())
    assert row["name"] == named["name"] == "Eileen Collins"
    assert not list(tmp_path.glob(".*")), "nothing half-written is left"
    with Gallery.open(gallery) as opened:
        assert "Eileen Collins" in {sighting.label for sighting in SightingLog(opened).find()}


@pytest.mark.slow
def test_sigterm_in_the_middle_of_a_file_writes_what_there_is(gallery: Path, clip: Path, tmp_path: Path) -> None:
    video = tmp_path / "named.mp4"
    with watching(clip, "--events", "--out", video, "--max-fps", 5) as run:
        next_event(run, "named")
        run.send_signal(signal.SIGTERM)
        run.communicate(timeout=60)
        assert run.returncode == 130
    assert 0 < (video_info(video).frames or 0) < FPS * SECONDS


@pytest.mark.slow
def test_kill_loses_nothing_that_was_written_while_the_person_was_there(gallery: Path, walk: list[Image]) -> None:
    def last_seen(log: SightingLog) -> float:
        return max((s.last_seen.timestamp() for s in log.find() if s.label == "Eileen Collins"), default=0.0)

    with camera(walk) as url, watching(url, "--events", "--name", "door") as run:
        named = datetime.fromisoformat(next_event(run, "named")["at"]).timestamp()
        with Gallery.open(gallery) as opened:
            log, end = SightingLog(opened), time.monotonic() + 60
            while last_seen(log) < named + 1:
                assert time.monotonic() < end, "the sighting does not grow while she is there"
                time.sleep(0.05)
            written = last_seen(log)
            run.kill()
            run.communicate(timeout=60)
    with Gallery.open(gallery) as opened:
        assert last_seen(SightingLog(opened)) >= written


@pytest.mark.slow
def test_the_picture_is_shown_to_a_browser_of_this_machine(gallery: Path, walk: list[Image]) -> None:
    with camera(walk) as url, watching(url, "--show", "--events", "--no-record") as run:
        assert run.stderr is not None
        shown = ""
        while not shown:
            line = run.stderr.readline()
            assert line, "the address was never told"
            shown = line.partition("Picture: ")[2].strip()
        next_event(run, "named")
        with urlopen(shown, timeout=30) as page:
            assert b"page.js" in page.read()
        with urlopen(f"{shown}picture.jpg", timeout=30) as picture:
            assert read_image(picture.read()).shape == (240, 320, 3)
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=60)
        assert run.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["63"], 3, "no camera 63"),
        (["http://me:s3cret@127.0.0.1:1/x"], 3, "cannot be reached"),
        (["ftp://x/y"], 3, "not a kind of stream"),
        (["no-such-file.mp4"], 3, "does not exist"),
        (["empty.mp4"], 3, "is empty"),
        (["text.mp4"], 3, "not a video"),
        (["."], 3, "holds no picture"),
        (["text.mp4", "--timeline", "x.xlsx"], 11, ".csv or .json"),
        (["text.mp4", "--out", "x.avi"], 11, "named like a video"),
        (["empty.mp4", "--every", "0"], 2, "--every"),
        (["empty.mp4", "--began", "noon"], 2, "2026-03-31T09:00"),
        (["0", "--began", "2026-01-01"], 2, "--began"),
        (["empty.mp4", "--keep-trying"], 2, "--keep-trying"),
        (["empty.mp4", "--challenge", "turn"], 2, "nobody can be asked"),
    ],
)
def test_what_cannot_be_watched_is_said(
    toy_engine: None, knownface: Run, arguments: list[str], status: int, said: str
) -> None:
    Gallery.open(os.environ["KNOWNFACE_GALLERY"]).close()
    Path("empty.mp4").write_bytes(b"")
    Path("text.mp4").write_text("no video at all")
    ran = knownface("watch", *arguments)
    assert ran.status == status
    assert said in ran.err
    assert "s3cret" not in ran.err
    assert "Traceback" not in ran.err


def test_the_video_that_is_watched_is_not_written_over(
    enrolled_toys: Path, clip: Path, tmp_path: Path, knownface: Run
) -> None:
    own, link = tmp_path / "own.mp4", tmp_path / "link.mp4"
    own.write_bytes(clip.read_bytes())
    link.symlink_to(own)
    for out in (own, link):
        ran = knownface("watch", own, "--out", out, "--overwrite")
        assert (ran.status, "would be lost" in ran.err) == (11, True)
    assert own.read_bytes() == clip.read_bytes()


def test_without_a_gallery(alone: Path, clip: Path, knownface: Run) -> None:
    ran = knownface("watch", clip)
    assert ran.status == 7
    assert "enroll" in ran.err


@pytest.mark.slow
def test_before_a_camera_a_name_comes_with_the_turn_that_is_asked_for(
    enrolled_toys: Path, knownface: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """She looks to the front, turns, and stays so until she was named; then Ctrl-C."""
    turns = [0.0, 0.0, 0.0, 0.0, 0.2, 0.4, 0.4, 0.4] + [0.0] * 20

    def pose_of(_landmarks: object) -> Pose:
        if len(turns) == 1:
            os.kill(os.getpid(), signal.SIGINT)
        return Pose(turns.pop(0) if turns else 0.0, 1.0)

    monkeypatch.setattr("knownface.live.challenges.pose_of", pose_of)
    monkeypatch.setattr("knownface.live.challenges.new_challenge", lambda: Challenge("left"))
    with camera([toy_plugin.picture(0, 2)], fps=50) as url:
        ran = knownface("watch", url, "--challenge", "turn", "--name", "door")
    assert ran.status == 0, ran.err
    assert "Please turn your head to the left." in ran.err
    with Gallery.open(os.environ["KNOWNFACE_GALLERY"]) as opened:
        [entry] = AuditLog(opened.database).page(action="watch.challenge")
        [sighting] = SightingLog(opened).find()
    assert entry.details == {"source": "door", "track": 1, "passed": True, "side": "left", "why": ""}
    assert sighting.person_id is not None
