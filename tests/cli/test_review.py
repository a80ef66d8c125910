"""``knownface review``, and what ``knownface enroll`` holds back."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from knownface.media import write_image

sys.path.insert(0, str(Path(__file__).parent.parent))
import toy_plugin


@pytest.fixture
def mixed(alone, toy_engine):
    """Five pictures of Ada, one of which shows somebody else."""
    for shot in range(5):
        write_image(alone / "people" / "Ada" / f"{shot}.png", toy_plugin.picture(0, shot))
    write_image(alone / "people" / "Ada" / "odd.png", toy_plugin.picture(1, 0))
    return alone / "people"


def test_what_is_odd_waits_for_a_decision(mixed, knownface):
    told = knownface("enroll", mixed, "--report", "report.csv")
    assert (told.status, "5 templates of 1 person" in told.out, "1 held back" in told.out) == (1, True, True)
    assert "odd.png,Ada,held,odd-picture,\"It does not look like the other pictures of 'Ada'" in (
        mixed.parent / "report.csv"
    ).read_text(encoding="utf-8-sig")
    listed = knownface("review", "list", "--pictures", "faces").out
    assert "odd.png" in listed
    assert (mixed.parent / "faces" / "1.jpg").read_bytes()[:2] == b"\xff\xd8"
    assert "1 held back" in knownface("enroll", mixed).out
    assert knownface("review", "accept", "1").out == "1 template added.\n"
    assert "held back" not in knownface("enroll", mixed).out


def test_what_was_rejected_is_not_taken_again(mixed, knownface):
    knownface("enroll", mixed)
    assert knownface("review", "reject", "1").out == "1 rejected.\n"
    assert knownface("review", "reject", "1").status == 9
    assert "Somebody rejected it" in " ".join(knownface("enroll", mixed).out.split())
    assert "odd.png" not in knownface("review", "list").out


@pytest.mark.parametrize(("mode", "told"), [("refuse", "; 1 not used"), ("off", "; 0 not used")])
def test_the_setting_decides_what_becomes_of_it(mixed, knownface, monkeypatch, mode, told):
    monkeypatch.setenv("KNOWNFACE_REVIEW", mode)
    assert told in " ".join(knownface("enroll", mixed).out.split())
    assert "odd.png" not in knownface("review", "list").out
