from __future__ import annotations

from knownface.tracking.requests import Requests


def test_a_request_waits_until_it_is_answered_and_settles_a_check() -> None:
    requests = Requests(check=True)
    requests.sent(1.0, 0.6, scored=True)
    requests.sent(1.2, 0.4, scored=True)
    assert (requests.waiting, requests.last, requests.check, requests.best_score) == (2, 1.2, False, 0.6)
    for _ in range(3):
        requests.answered()
    assert requests.waiting == 0


def test_who_took_the_place_gets_the_answers() -> None:
    requests = Requests()
    requests.sent(1.0, 0.6, scored=True)
    other = requests.split()
    assert (requests.waiting, other.waiting, other.last, other.best_score) == (0, 1, 1.0, None)
    assert (requests.scored, other.scored) == (1, 0), "whoever it is has not been scored"


def test_of_two_tracks_of_one_face_the_newer_one_asked_last() -> None:
    old, newer = Requests(), Requests()
    old.sent(1.0, 0.6, scored=True)
    newer.sent(2.0, 0.4, scored=True)
    old.merge(newer)
    assert (old.last, old.waiting, old.best_score) == (2.0, 2, 0.6)
    old.merge(Requests(last=3.0))
    assert old.best_score == 0.6
