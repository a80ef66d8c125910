from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from live_tools import walk

from knownface import FaceRecognizer
from knownface.errors import InputError, OutputError, SourceUnavailableError
from knownface.live import FrameResult, Watcher, WatchOptions
from knownface.media import VideoWriter, doubts, read_image, write_image
from knownface.types import Image


class Gathering:
    def __init__(self) -> None:
        self.results: list[FrameResult] = []
        self.left = False

    def __enter__(self) -> Gathering:
        return self

    def take(self, result: FrameResult) -> None:
        self.results.append(result)

    def __exit__(self, *_: object) -> None:
        self.left = True

    @property
    def events(self) -> list[tuple[str, str]]:
        return [(event.kind, event.label) for result in self.results for event in result.events]

    @property
    def frames(self) -> list[FrameResult]:
        return [result for result in self.results if result.frame is not None]


def test_a_file_comes_frame_by_frame_to_its_end(recognizer: FaceRecognizer, clip: Path) -> None:
    sink = Gathering()
    watcher = Watcher(clip, recognizer, WatchOptions(detect_every=3), [sink])
    assert watcher.status().state == "connecting"
    watcher.run()
    assert [round(result.frame.time * 15) for result in sink.frames] == list(range(30))
    assert [result.detected for result in sink.frames] == [True, False, False] * 10
    assert all(len(result.faces) == 1 for result in sink.frames)
    assert sink.events == [
        ("connected", ""),
        ("named", "Eileen Collins"),
        ("left", "Eileen Collins"),
        ("ended", ""),
    ]
    status = watcher.status()
    assert (status.state, status.frames, status.dropped, status.faces) == ("ended", 30, 0, 0)
    assert sink.left


@pytest.mark.slow
@pytest.mark.parametrize(("turn", "named"), [(None, True), (90, True), (0, False)])
def test_a_file_that_lies_on_its_side_is_turned(
    recognizer: FaceRecognizer, astronaut: Image, tmp_path: Path, turn: int | None, named: bool
) -> None:
    with VideoWriter(tmp_path / "side.mp4", 10) as video:
        for number, image in enumerate(walk(astronaut, 1.2, 10)):
            video.write(np.rot90(image), number / 10)
    sink = Gathering()
    Watcher(tmp_path / "side.mp4", recognizer, WatchOptions(detect_every=3, turn=turn), [sink]).run()
    assert (("named", "Eileen Collins") in sink.events) == named
    assert {result.frame.image.shape for result in sink.frames} == {(240, 320, 3) if named else (320, 240, 3)}


def test_in_hindsight_every_face_is_named_from_its_first_frame(recognizer: FaceRecognizer, clip: Path) -> None:
    with_frames, without = Gathering(), Gathering()
    without.wants_frames = False  # type: ignore[attr-defined]
    options = WatchOptions(detect_every=3, hindsight=True)
    numbers = iter(range(100, 200))
    Watcher(clip, recognizer, options, [with_frames], new_number=numbers.__next__).run()
    assert [round(result.frame.time * 15) for result in with_frames.frames] == list(range(30))
    assert [[face.identity.label for face in r.faces] for r in with_frames.frames] == [["Eileen Collins"]] * 30
    assert sum(face.detected for result in with_frames.frames for face in result.faces) == 10
    Watcher(clip, recognizer, options, [without]).run()
    assert without.frames == []
    for sink in (with_frames, without):
        told = [event for result in sink.results for event in result.events]
        assert [event.kind for event in told] == ["connected", "named", "left", "ended"]
        assert told[1].time == 0.0
        [track] = [track for result in sink.results for track in result.ended]
        assert track.picture is not None
        assert track.segments[0].first_time == 0.0
    assert next(numbers) == 100


@pytest.mark.slow
def test_the_same_file_gives_the_same_result(recognizer: FaceRecognizer, clip: Path) -> None:
    def run() -> list[Any]:
        sink = Gathering()
        Watcher(clip, recognizer, WatchOptions(detect_every=4), [sink]).run()
        return [
            (face.track_id, face.box, face.identity.label) for result in sink.results for face in result.faces
        ] + sink.events

    assert run() == run()


def test_a_folder_of_frames_and_every(recognizer: FaceRecognizer, walking: list[Image], tmp_path: Path) -> None:
    for number, frame in enumerate(walking[:12]):
        write_image(tmp_path / f"{number}.png", frame)
    sink = Gathering()
    began = datetime(2026, 3, 1, 9, tzinfo=UTC)
    Watcher(tmp_path, recognizer, WatchOptions(every=0.2, fps=15, began=began), [sink]).run()
    assert [result.frame.time for result in sink.frames] == pytest.approx([0, 0.2, 0.4, 0.6])
    assert [result.began for result in sink.frames] == [began] * 4


@pytest.mark.slow
def test_stopping_hands_on_what_was_read_and_leaves_every_sink(recognizer: FaceRecognizer, clip: Path, until) -> None:
    sink = Gathering()
    with Watcher(clip, recognizer, WatchOptions(max_fps=10), [sink]) as watcher:
        until(lambda: watcher.status().frames >= 3)
    assert 3 <= len(sink.frames) < 30
    assert sink.events[-1] == ("ended", "")
    assert sink.left
    watcher.stop()


@pytest.mark.parametrize("content", [b"", b"\0\0\0\x20ftypisom" + bytes(200), b"just text"])
def test_a_file_that_is_no_video(recognizer: FaceRecognizer, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.mp4"
    path.write_bytes(content)
    sink = Gathering()
    watcher = Watcher(path, recognizer, sinks=[sink])
    with pytest.raises(InputError, match=r"broken\.mp4"):
        watcher.run()
    assert watcher.status().state == "failed"
    assert "broken.mp4" in watcher.status().last_error
    assert sink.left


def test_a_truncated_file_is_watched_as_far_as_it_goes(recognizer: FaceRecognizer, clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.mp4"
    path.write_bytes(clip.read_bytes()[: clip.stat().st_size * 2 // 3])
    sink = Gathering()
    Watcher(path, recognizer, WatchOptions(detect_every=5), [sink]).run()
    assert 5 < len(sink.frames) < 30


@pytest.mark.slow
def test_a_sink_that_fails_ends_watching_with_its_error(recognizer: FaceRecognizer, clip: Path) -> None:
    class Full(Gathering):
        def take(self, result: FrameResult) -> None:
            if len(self.results) == 5:
                raise OutputError("the disk is full")
            super().take(result)

    full, sink = Full(), Gathering()
    watcher = Watcher(clip, recognizer, WatchOptions(max_fps=15), [full, sink])
    with pytest.raises(OutputError, match="full"):
        watcher.run()
    assert sink.events[-1] == ("ended", "")
    assert 5 <= len(sink.frames) < 30
    assert full.left
    assert sink.left


@pytest.mark.slow
def test_a_live_stream_is_named_and_previewed(
    recognizer: FaceRecognizer, walking: list[Image], serve: Callable[..., Any], until
) -> None:
    server, sink = serve(walking), Gathering()
    with Watcher(server.url, recognizer, WatchOptions(), [sink], name="front door") as watcher:
        until(lambda: "Eileen Collins" in watcher.status().names)
        status = watcher.status()
        assert status.state == "running"
        assert status.source == "front door"
        assert status.latency_p50 is not None
        assert status.fps_in > 1
        picture = watcher.preview.jpeg()
        assert picture is not None
        assert read_image(picture).shape == walking[0].shape
    assert watcher.status().state == "ended"
    assert ("named", "Eileen Collins") in sink.events
    times = [result.frame.time for result in sink.frames]
    assert times == sorted(times)
    assert all(result.began is not None for result in sink.frames)


@pytest.mark.slow
def test_a_stream_that_is_cut_comes_back(
    recognizer: FaceRecognizer, walking: list[Image], serve: Callable[..., Any], until, caplog
) -> None:
    server, sink = serve(walking), Gathering()
    with Watcher(server.url, recognizer, sinks=[sink]) as watcher:
        until(lambda: "Eileen Collins" in watcher.status().names)
        server.close()
        until(lambda: watcher.status().state == "reconnecting")
        assert watcher.status().faces == 0
        before = watcher.status().frames
        serve(walking, port=server.port)
        until(lambda: watcher.status().reconnects == 1 and watcher.status().frames > before + 3)
        until(lambda: "Eileen Collins" in watcher.status().names)
    kinds = [kind for kind, _ in sink.events]
    assert kinds.index("lost") < len(kinds) - 1 - kinds[::-1].index("connected")
    assert kinds.count("connected") == 2
    assert sink.events.count(("named", "Eileen Collins")) >= 2
    assert "Trying again" in caplog.text


def test_a_camera_that_shows_nothing_is_doubted_as_long_as_it_does(
    recognizer: FaceRecognizer, serve: Callable[..., Any], until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doubts, "_LONG", 0.5)
    dark = np.random.default_rng(0).integers(0, 8, (40, 120, 160, 3)).astype(np.uint8)
    light = np.arange(160, dtype=np.uint8)[None, :, None].repeat(120, 0).repeat(3, 2)
    server = serve([*dark, *([light] * 5)], fps=25)
    with Watcher(server.url, recognizer) as watcher:
        until(lambda: watcher.status().doubt == "blank")
        until(lambda: watcher.status().doubt is None)


def test_a_stream_that_was_never_there_is_an_error(recognizer: FaceRecognizer, serve: Callable[..., Any]) -> None:
    server = serve([np.zeros((8, 8, 3), np.uint8)])
    server.close()
    watcher = Watcher(server.url, recognizer)
    with pytest.raises(SourceUnavailableError, match="cannot be reached"):
        watcher.run()
    assert watcher.status().state == "failed"


@pytest.mark.slow
def test_a_stream_that_is_not_there_yet_is_waited_for(
    recognizer: FaceRecognizer, walking: list[Image], serve: Callable[..., Any], until
) -> None:
    gone = serve(walking)
    gone.close()
    with Watcher(gone.url, recognizer, WatchOptions(keep_trying=True)) as watcher:
        until(lambda: watcher.status().state == "reconnecting")
        serve(walking, port=gone.port)
        until(lambda: watcher.status().frames > 3)


def test_a_slow_machine_leaves_frames_out_and_stays_with_the_present(
    recognizer: FaceRecognizer, walking: list[Image], serve: Callable[..., Any], until
) -> None:
    server = serve(walking, fps=200)
    with Watcher(server.url, recognizer) as watcher:
        until(lambda: watcher.status().dropped > 20)
        assert watcher.status().queue < 40


@pytest.mark.slow
def test_at_most_so_many_frames_a_second(
    recognizer: FaceRecognizer, walking: list[Image], serve: Callable[..., Any], until
) -> None:
    server, sink = serve(walking, fps=30), Gathering()
    with Watcher(server.url, recognizer, WatchOptions(max_fps=4), [sink]) as watcher:
        until(lambda: watcher.status().frames >= 5)
    times = [result.frame.time for result in sink.frames]
    # However late one frame is, at most one more comes sooner for it.
    assert len(times) <= 4 * (times[-1] - times[0]) + 2.1


@pytest.mark.slow
def test_several_at_once_on_one_recogniser(
    recognizer: FaceRecognizer, walking: list[Image], clip: Path, serve: Callable[..., Any], until
) -> None:
    server, sink = serve(walking), Gathering()
    with Watcher(server.url, recognizer) as live:
        Watcher(clip, recognizer, WatchOptions(detect_every=6), [sink]).run()
        until(lambda: "Eileen Collins" in live.status().names)
    assert ("named", "Eileen Collins") in sink.events


@pytest.mark.slow
def test_an_rtsp_camera_that_is_cut_for_several_attempts_to_connect(
    recognizer: FaceRecognizer, rtsp: Callable[..., Any], until
) -> None:
    sink = Gathering()
    with rtsp() as port:
        watcher = Watcher(f"rtsp://127.0.0.1:{port}/live", recognizer, sinks=[sink])
        watcher.start()
        until(lambda: "Eileen Collins" in watcher.status().names)
    until(lambda: watcher.status().state == "reconnecting")
    time.sleep(4)  # it tries after one second, and after two more
    assert watcher.status().state == "reconnecting"
    before = watcher.status().frames
    with rtsp(port):
        until(lambda: watcher.status().frames > before + 5)
        until(lambda: "Eileen Collins" in watcher.status().names)
        watcher.stop()
    assert watcher.error is None
    assert watcher.status().reconnects == 1
    kinds = [kind for kind, _ in sink.events]
    assert [kind for kind in kinds if kind in {"connected", "lost", "ended"}] == [
        "connected",
        "lost",
        "connected",
        "ended",
    ]


@pytest.mark.slow
def test_a_program_that_forgets_to_stop_ends_all_the_same(clip: Path) -> None:
    forgetful = f"""
from knownface import FaceRecognizer
from knownface.live import Watcher, WatchOptions
recognizer = FaceRecognizer.open(":memory:", embedder="dlib-resnet", detector="dlib-hog")
Watcher({str(clip)!r}, recognizer, WatchOptions(max_fps=0.5)).start()
"""
    subprocess.run([sys.executable, "-c", forgetful], check=True, timeout=120, capture_output=True)
