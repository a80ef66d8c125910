"""A live session on a gallery that other programs change: on one PostgreSQL database, as service processes share it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from knownface import FaceRecognizer
from knownface.live import LiveSession, SessionOptions
from knownface.types import Image


@pytest.fixture
def watching(alone: object, astronaut: Image, postgres_url: str) -> Iterator[LiveSession]:
    with FaceRecognizer.open(gallery=postgres_url, embedder="dlib-resnet", detector="dlib-hog") as recognizer:
        recognizer.add_known_face("Eileen Collins", astronaut)
        with LiveSession(recognizer, SessionOptions(wait_for_names=True, detect_every=1)) as session:
            yield session


def people(url: str, *arguments: str) -> None:
    """Another program changes the gallery."""
    command = [sys.executable, "-m", "knownface", "people", *arguments, "--gallery", url]
    subprocess.run(command, check=True, capture_output=True)


@pytest.mark.slow
def test_a_live_session_shows_within_a_second_what_another_program_changed(
    watching: LiveSession, walking: list[Image], postgres_url: str
) -> None:
    shown: list[str] = []

    def show_until(done: object) -> None:
        # A second of stream, in which the name must change; what is on the screen is asked of every frame.
        for _ in range(15):
            result = watching.frame(walking[len(shown) % 10], len(shown) / 15)
            shown.extend(face.identity.label for face in result.faces)
            if callable(done) and done(shown[-1]):
                return
            time.sleep(1 / 15)
        raise AssertionError(shown)

    show_until(lambda label: label == "Eileen Collins")
    people(postgres_url, "rename", "Eileen Collins", "E. M. Collins")
    show_until(lambda label: label == "E. M. Collins")
    people(postgres_url, "remove", "E. M. Collins", "--yes")
    time.sleep(0.06)  # the session asks for the gallery's state every 50 ms
    count = len(shown)
    for number in range(3):
        result = watching.frame(walking[number], (count + number) / 15)
        assert all("Collins" not in face.identity.label for face in result.faces)
