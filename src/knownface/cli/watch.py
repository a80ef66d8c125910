"""``knownface watch``."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape

from knownface.cli.common import err, open_recognizer, recognizer_options, rule_options, say
from knownface.cli.outputs import OutputFile, bom_option, byte_order_mark, overwrite_option
from knownface.cli.seen import when
from knownface.cli.watched import say_alert, say_challenge, show_rows, status_line
from knownface.errors import OutputError, UnsupportedError

if TYPE_CHECKING:
    from knownface.live import Sink, Watcher, WatchOptions
    from knownface.live.challenges import Challenges
    from knownface.live.recording import Recorder
    from knownface.liveness.challenge import Challenge
    from knownface.media import Source
    from knownface.recognizer import FaceRecognizer

_LIVE_FPS = 30.0
"""Of a video that is written from a live source; frames are repeated and left out to keep in step."""
_STATUS_EVERY = 0.5


class PixelAspect(click.ParamType[float]):
    """A number, or two with a colon between: 1.42 or 64:45."""

    name = "W:H"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The ratio."""
        if isinstance(value, float):
            return value
        across, _, down = str(value).partition(":")
        try:
            aspect = float(across) / float(down or 1)
        except (ValueError, ZeroDivisionError):
            aspect = 0.0
        if not 0.25 <= aspect <= 4:
            self.fail(f"{value!r} is no number or ratio such as 2 or 64:45, from 0.25 to 4.", param, ctx)
        return aspect


def one_source(_ctx: click.Context, _param: click.Parameter, value: tuple[str, ...]) -> str:
    """The only source.

    Raises:
        UsageError: There are several.
    """
    if len(value) > 1:
        raise click.UsageError(
            f"One command watches one source, and these are {len(value)}: run one for each, or add them on the page "
            "Live of `knownface serve`, which watches all of them."
        )
    return value[0]


@click.command(name="watch", short_help="Follow and name the faces of a camera, stream or video, live.")
@click.argument("source", nargs=-1, required=True, metavar="SOURCE", callback=one_source)
@recognizer_options
@rule_options
@click.option("--show", is_flag=True, help="Show the labelled picture to a browser on this machine.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port of --show; default: any that is free.")
@click.option("--out", "out_file", type=OutputFile(".mp4"), help="Write a labelled MP4.")
@click.option(
    "--timeline",
    "timeline_file",
    type=OutputFile(".csv", ".json", fields=("name", "from")),
    help="Write a row a stretch: .csv or .json.",
)
@overwrite_option
@bom_option
@click.option("--events", is_flag=True, help="Write what happens to standard output, a JSON object a line.")
@click.option("--every", type=click.FloatRange(0.001, 86_400), help="Seconds of the stream between frames examined.")
@click.option("--max-fps", type=click.FloatRange(0.01, 1000), help="Frames a second to examine, at most.")
@click.option(
    "--fps", type=click.FloatRange(0.01, 1000), default=25.0, show_default=True, help="Of a folder of frames."
)
@click.option(
    "--pixel-aspect",
    type=PixelAspect(),
    default=1.0,
    help="Width of a pixel over its height, such as 2 or 64:45, where a recorder does not say it: faces look squeezed.",
)
@click.option(
    "--turn",
    type=click.Choice(["auto", "0", "90", "180", "270"]),
    default="auto",
    show_default=True,
    help="Degrees, clockwise; `auto` turns what lies on its side, as its first faces tell.",
)
@click.option("--detect-side", type=click.IntRange(64, 8192), help="Look for faces at this longest side in pixels.")
@click.option("--detect-every", type=click.IntRange(1, 100), help="Look for faces in every N-th frame.")
@click.option("--name", metavar="NAME", help="What events and sightings call the source, such as 'front door'.")
@click.option(
    "--record/--no-record",
    default=None,
    help="Write sightings into the gallery. Default: of live sources, not of files.",
)
@click.option("--keep-pictures", is_flag=True, default=None, help="Keep the best picture of each sighting.")
@click.option("--began", metavar="TIME", help="When a file was recorded (ISO 8601); default: by its file time.")
@click.option(
    "--challenge",
    type=click.Choice(["off", "turn"]),
    default="off",
    show_default=True,
    help="turn: ask each face for a turn of the head before it is named, as at a check-in.",
)
@click.option("--keep-trying", is_flag=True, help="Wait for a camera or stream that is not there yet.")
def command(source: str, **options: Any) -> int:
    """Follow and name the faces of a camera, stream, video or folder of frames.

    SOURCE is the number of a camera, an rtsp:// or http:// address, a video file, or a folder whose pictures are the
    frames. Ctrl-C ends it; everything is finished and written then.
    """
    from knownface.live import Watcher
    from knownface.live.sinks import EventCalls, EventLines, Timeline
    from knownface.media import kind_of, parse_source
    from knownface.mqtt import delivering
    from knownface.settings import MqttSettings

    parsed = parse_source(source)
    if parsed.kind == "video" and kind_of(source) == "image":
        raise UnsupportedError(f"{source} is a picture, not a video.", f"Name its faces: knownface identify {source}")
    chosen = {key: options.pop(key) for key in _OWN}
    record = parsed.live if chosen["record"] is None else chosen["record"]
    watch_options = _watch_options(parsed, chosen, record=record)
    name = chosen["name"] or parsed.name
    with open_recognizer(create=False, **options) as recognizer:
        if not len(recognizer.gallery):
            say("Nobody is enrolled yet: every face will be Unknown.", style="yellow")
        if recognizer.settings.show_accuracy:
            say(recognizer.accuracy.overall.sentence)
        lines = EventLines(sys.stdout) if chosen["events"] else None
        timeline = Timeline(chosen["timeline_file"], bom=bool(byte_order_mark()))
        sinks: list[Sink] = [timeline, *([lines] if lines else []), *_video(parsed, chosen["out_file"], watch_options)]
        new_number = None
        if record:
            recorder = _recorder(recognizer, name)
            sinks += recorder.sinks(name, lines.write if lines else say_alert)
            new_number = recorder.new_unknown_number
        challenges = None
        if chosen["challenge"] == "turn":
            challenges = _challenges(recognizer, name)
            sinks += [] if lines else [EventCalls("challenge", say_challenge)]
        watcher = Watcher(
            parsed, recognizer, watch_options, sinks, name=name, new_number=new_number, challenges=challenges
        )
        told = recognizer.settings.mqtt if record else MqttSettings()
        with delivering(recognizer.gallery, told):
            interrupted = _watch(watcher, chosen)
        status = watcher.status()
        if status.frames:
            say(status_line(status))
        if watcher.error is None and not lines:
            show_rows(timeline)
    watcher.raise_error()
    return 130 if interrupted and not parsed.live else 0


_OWN = (
    "show", "port", "out_file", "timeline_file", "events", "every", "max_fps", "fps", "pixel_aspect", "turn",
    "detect_side", "detect_every", "name", "record", "began", "challenge", "keep_trying",
)  # fmt: skip


def _watch_options(source: Source, chosen: dict[str, Any], *, record: bool) -> WatchOptions:
    from knownface.live import WatchOptions

    if source.live and chosen["began"]:
        raise click.BadParameter("a live source begins when it is watched.", param_hint="--began")
    if not source.live and chosen["keep_trying"]:
        raise click.BadParameter("a file is there or not.", param_hint="--keep-trying")
    if not source.live and chosen["challenge"] == "turn":
        raise click.BadParameter("in a recording nobody can be asked for anything.", param_hint="--challenge")
    began = None if source.live else _began(source, chosen["began"], record=record)
    return WatchOptions(
        every=chosen["every"],
        max_fps=chosen["max_fps"],
        fps=chosen["fps"],
        pixel_aspect=chosen["pixel_aspect"],
        turn=None if chosen["turn"] == "auto" else int(chosen["turn"]),
        began=began,
        # At a pace of its own a file stands for a camera, and is told as it happens.
        hindsight=not source.live and chosen["max_fps"] is None,
        keep_trying=chosen["keep_trying"],
        detect_side=chosen["detect_side"],
        # A head that turns must be seen on its way.
        detect_every=chosen["detect_every"] or (1 if chosen["challenge"] == "turn" else None),
    )


def _began(source: Source, given: str | None, *, record: bool) -> datetime | None:
    """When a file was recorded: as given, else, where sightings need it, by the time of the file."""
    from knownface.media import video_info

    if given is not None:
        began = when(given, None, option="--began")
        return None if began is None else began.astimezone(UTC)
    if not record:
        return None
    path = Path(source.address)
    info = video_info(path) if source.kind == "video" else None
    length = info.start + (info.duration or 0.0) if info else 0.0
    began = datetime.fromtimestamp(path.stat().st_mtime, UTC) - timedelta(seconds=length)
    say(f"Taken to be recorded from {began.astimezone():%Y-%m-%d %H:%M:%S} on (time of the file; --began sets it).")
    return began


def _video(source: Source, path: Path | None, options: WatchOptions) -> list[Sink]:
    from knownface.live.sinks import LabelledVideo
    from knownface.media import video_info

    if path is None:
        return []
    if source.kind == "video":
        if path.exists() and path.samefile(source.address):
            raise OutputError(f"{path} is the video that is watched: it would be lost.", "Choose another name.")
        return [LabelledVideo(path, video_info(source.address).fps, sound_from=Path(source.address))]
    fps = options.fps if source.kind == "folder" else min(_LIVE_FPS, options.max_fps or _LIVE_FPS)
    return [LabelledVideo(path, fps)]


def _recorder(recognizer: FaceRecognizer, name: str) -> Recorder:
    from knownface.live.recording import Recorder

    recorder = Recorder(recognizer)
    pictures = "with their best pictures" if recorder.sightings.retention.pictures else "without pictures"
    say(f"Sightings are recorded in the gallery as {name!r}, {pictures}.")
    return recorder


def _challenges(recognizer: FaceRecognizer, name: str) -> Challenges:
    from knownface.law.audit import note_local
    from knownface.live.challenges import Challenges

    def note(track_id: int, ended: Challenge) -> None:
        facts: dict[str, Any] = {"passed": ended.state == "passed", "side": ended.side, "why": ended.why}
        note_local(recognizer.gallery.database, "watch.challenge", source=name, track=track_id, **facts)

    return Challenges(note)


def _watch(watcher: Watcher, chosen: dict[str, Any]) -> bool:
    """Watches to the end; returns whether a signal brought it."""
    from knownface.live.show import ShowServer
    from knownface.pipeline import opencv_on_one_thread

    server = ShowServer(watcher, chosen["port"]) if chosen["show"] else contextlib.nullcontext()
    with _stopped_by_signals(watcher) as interrupted, server, err().status("Connecting") as line:
        if isinstance(server, ShowServer):
            say(f"Picture: {server.url}", style="bold")
        with opencv_on_one_thread(), watcher:
            while not watcher.wait(_STATUS_EVERY):
                line.update(escape(status_line(watcher.status())))
    return interrupted.is_set()


@contextlib.contextmanager
def _stopped_by_signals(watcher: Watcher) -> Iterator[threading.Event]:
    """Ctrl-C and SIGTERM end watching in order; the second one ends the program."""
    interrupted = threading.Event()

    def stop(_number: int, _frame: object) -> None:
        if interrupted.is_set():
            raise KeyboardInterrupt
        interrupted.set()
        watcher.request_stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
