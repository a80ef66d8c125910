"""Follows the faces of a video, writes a labelled copy and prints who is in it, from when to when.

    python examples/label_a_video.py PEOPLE/ talk.mp4 talk-labelled.mp4

A camera's number or a stream's address works in place of the file; end it with Ctrl-C.
"""

from __future__ import annotations

import sys
from pathlib import Path

from knownface import FaceRecognizer, Watcher
from knownface.live.sinks import LabelledVideo, Timeline
from knownface.media import video_info


def main(people: Path, video: Path, labelled: Path) -> None:
    timeline = Timeline()
    fps = video_info(video).fps or 25.0
    with FaceRecognizer.open(":memory:") as recognizer:
        recognizer.load_known_faces(people)
        watcher = Watcher(video, recognizer, sinks=[timeline, LabelledVideo(labelled, fps)])
        watcher.run()
    watcher.raise_error()
    for row in timeline.rows:
        print(f"{row.label}: {row.first_time:.1f} to {row.last_time:.1f} s")


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:4]))
