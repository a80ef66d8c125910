"""Until a face has done what it was asked it is nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

import toy_plugin
from knownface import FaceRecognizer
from knownface.live import LiveSession, SessionOptions
from knownface.live.challenges import AGAIN, Challenges
from knownface.liveness.challenge import Challenge, Pose

PHOTO = toy_plugin.picture(0, 2)


def test_a_name_comes_with_the_turn_and_a_failure_is_asked_again(
    enrolled_toys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[Challenge] = []
    poses: list[Pose] = []
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
                    labels.append(session.frame(PHOTO, time).faces[0].identity.label)
                return labels

            assert set(shown(*[0.0] * 12)) == {""}
            assert set(shown(-0.2, -0.4)) == {""}
            assert (ended[0].state, ended[0].why) == ("failed", "wrong side")
            time += AGAIN
            assert set(shown(0.0, 0.0, 0.0, 0.2)) == {""}
            assert shown(0.4, 0.4)[-1] != ""
    assert [challenge.state for challenge in ended] == ["failed", "passed"]
