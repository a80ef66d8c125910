"""Who is in an uploaded video and when, as a job; the video is gone when the job is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import UploadFile

from knownface.errors import InputError, UnsupportedError
from knownface.live import Watcher, WatchOptions
from knownface.live.sinks import Timeline
from knownface.live.sinks.timeline import TimelineRow
from knownface.media import Source, kind_of
from knownface.media.video import VideoInfo, video_info
from knownface.server.context import Service
from knownface.server.job_spool import KeptJob
from knownface.server.jobs import Job

KIND = "video"
_TOLD_EVERY = 0.3
"""Seconds."""


def start_video_job(service: Service, upload: UploadFile, label: str) -> Job:
    """Have the faces of a video followed and named, in the background.

    Args:
        service: That runs it.
        upload: The video.
        label: What it is called.

    Raises:
        UnreadableError: It is damaged, or holds no pictures.
        UnsupportedError: It is no video.
        BusyError: Too many jobs are waiting.
    """
    with service.jobs.keep(KIND, {"label": label}, upload.file) as kept:
        return go_on_with_video(service, kept)


def go_on_with_video(service: Service, kept: KeptJob) -> Job:
    """Begin, or begin again, with a video that is kept.

    Raises:
        UnreadableError, UnsupportedError, BusyError: As :func:`start_video_job`.
    """
    label = kept.facts["label"]
    info = _info(kept.upload, label)
    return service.jobs.start(KIND, lambda: _timeline(service, kept.upload, label, info), kept)


def _info(file: Path, label: str) -> VideoInfo:
    if kind_of(file) != "video":
        raise UnsupportedError(f"{label} is no video.", "MP4, MOV, MKV, WebM and AVI are taken.")
    try:
        return video_info(file)
    except InputError as error:
        error.message = error.message.replace(str(file), label)
        raise


def _timeline(service: Service, file: Path, label: str, info: VideoInfo) -> dict[str, Any]:
    timeline = Timeline()
    source = Source(kind="video", address=str(file), name=label)
    with Watcher(source, service.recognizer, WatchOptions(hindsight=True), [timeline], name=label) as watcher:
        while not watcher.wait(_TOLD_EVERY):
            frames = watcher.status().frames
            service.jobs.report(frames, max(frames, info.frames or 0))
    watcher.raise_error()
    rows = timeline.rows
    last = max((row.last_time for row in rows), default=0.0)
    return {
        "file": label,
        "seconds": round(max(info.duration or 0.0, last), 3),
        "frames": watcher.status().frames,
        "doubts": [
            {"kind": doubt.kind, "from": round(doubt.since, 3), "to": round(doubt.until, 3)}
            for doubt in watcher.doubts.found.values()
        ],
        "people": [
            {
                "name": None if total.person_id is None else total.label,
                "person_id": total.person_id,
                "unknown": None if total.person_id is not None else own[0].unknown,
                "seconds": round(total.seconds, 3),
                "stretches": [_stretch(row) for row in own],
            }
            for total in timeline.totals
            for own in [[row for row in rows if row.label == total.label and row.person_id == total.person_id]]
        ],
    }


def _stretch(row: TimelineRow) -> dict[str, Any]:
    told = row.as_dict()
    return {name: told[name] for name in ("from", "to", "best_distance", "frames")}
