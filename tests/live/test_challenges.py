"""Until a face has done what it was asked it is nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

import toy_plugin
from knownface import FaceRecognizer
from knownface.errors import SettingsError
from knownface.live import LiveEvent, LiveSession, SessionOptions
from knownface.live.challenges import AGAIN, Challenges
from knownface.live.preview import face_labels
from knownface.liveness.challenge import Challenge, Pose

PHOTO = toy_plugin.picture(0, 2)


def test_a_name_comes_with_the_turn_and_a_failure_is_asked_again(
    enrolled_toys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[Challenge] = []
    poses: list[Pose] = []
    events: list[LiveEvent] = []
    shown_as: list[str] = []
    monkeypatch.setattr("knownface.live.challenges.pose_of", lambda landmarks: poses[0])
    challenges = Challenges(lambda track, challenge: ended.append(challenge))
    with FaceRecognizer.open(create=False) as recognizer:
        options = SessionOptions(wait_for_names=True, detect_every=1)
        with LiveSession(recognizer, options, challenges=challenges) as session:
            time = 0.0

            def shown(*turns: float) -> list[str]:
                nonlocal time
                labels = []
                for turn in turns:
                    known = challenges.of(1)
                    towards = 1 if known is None or known.side == "left" else -1
                    poses[:] = [Pose(towards * turn, 1.0)]
                    time += 0.1
                    result = session.frame(PHOTO, time)
                    labels.append(result.faces[0].identity.label)
                    events.extend(event for event in result.events if event.kind == "challenge")
                    shown_as.append(face_labels(result)[0].text)
                return labels

            assert set(shown(*[0.0] * 12)) == {""}
            assert set(shown(-0.2, -0.4)) == {""}
            assert (ended[0].state, ended[0].why) == ("failed", "wrong side")
            time += AGAIN
            assert set(shown(0.0, 0.0, 0.0, 0.2)) == {""}
            assert shown(0.4, 0.4)[-1] != ""
    assert [challenge.state for challenge in ended] == ["failed", "passed"]
    asked, failed, again, passed = (event.why for event in events)
    assert asked == f"Please turn your head to the {ended[0].side}."
    assert again == f"Please turn your head to the {ended[1].side}."
    assert ("other side" in failed, "as asked" in passed) == (True, True)
    assert {"Please look into the camera.", asked, failed, again} < set(shown_as), "who stands there can read it"


def test_a_detector_that_does_not_tell_how_heads_are_turned_cannot_be_asked(recognizer: FaceRecognizer) -> None:
    with pytest.raises(SettingsError, match="does not tell how a head is turned"):
        LiveSession(recognizer, challenges=Challenges(lambda track, challenge: None))
