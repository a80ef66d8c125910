"""Enrolling one person, following a folder, taking photos out, counter-examples: a mistake is one step to put right."""

from __future__ import annotations

import io
import shutil
import sys
from types import SimpleNamespace

import pytest

import toy_plugin
from knownface.gallery import Gallery
from knownface.media import write_image
from knownface.settings import load_settings


@pytest.fixture
def templates():
    """How many templates everybody has."""

    def read():
        with Gallery.open_by(load_settings()) as gallery:
            return {person.name: person.templates for person in gallery.people()}

    return read


def test_one_person_is_enrolled_from_files_and_from_standard_input(
    knownface, toy_people, templates, tmp_path, monkeypatch
):
    shots = [tmp_path / "shots" / f"{shot}.png" for shot in range(3)]
    for number, shot in enumerate(shots):
        write_image(shot, toy_plugin.picture(7, number))
    assert knownface("enroll", "--as", "Eve", *shots[:2]).status == 0
    assert templates() == {"Eve": 2}
    pipe = SimpleNamespace(buffer=io.BytesIO(shots[2].read_bytes()), isatty=lambda: False)
    monkeypatch.setattr(sys, "stdin", pipe)
    assert knownface("enroll", "--as", "Eve", "-").status == 0
    assert templates() == {"Eve": 3}
    assert "--as NAME" in knownface("enroll", *shots).err


def test_who_was_renamed_is_remembered_by_the_folder(knownface, enrolled_toys, templates):
    before = templates()
    knownface("people", "rename", "Ben", "Benjamin")
    write_image(enrolled_toys / "Ben" / "deeper" / "new.png", toy_plugin.picture(2, 5))
    assert "1 template of 1 person" in knownface("enroll", enrolled_toys).out
    assert templates() == {"Benjamin": before["Ben"] + 1, **{name: n for name, n in before.items() if name != "Ben"}}
    assert "formerly Ben" in knownface("people", "show", "Benjamin").out


def test_what_was_taken_out_stays_out_until_it_is_let_in_again(knownface, enrolled_toys, templates):
    before = templates()
    photo = next((enrolled_toys / "Ben").iterdir())
    assert "1 templates gone" in knownface("people", "forget", "Ben", "--file", photo, "--yes").out
    assert templates() == {**before, "Ben": before["Ben"] - 1}
    again = knownface("enroll", enrolled_toys)
    assert (again.status, "taken out of Ben's" in again.out) == (1, True)
    assert str(photo) in knownface("people", "allow").out
    knownface("people", "allow", "Ben", "--file", photo)
    knownface("enroll", enrolled_toys)
    assert templates() == before
    assert "has no template of 99" in knownface("people", "forget", "Ben", "--template", "99").err


def test_a_sync_shows_then_follows_what_was_deleted_moved_and_renamed(knownface, enrolled_toys, templates):
    write_image(enrolled_toys / "Cy" / "1.png", toy_plugin.picture(3, 0))
    write_image(enrolled_toys / "Cy" / "2.png", toy_plugin.picture(3, 1))
    write_image(enrolled_toys / "Dan" / "1.png", toy_plugin.picture(4, 0))
    for number in (3, 4):
        write_image(enrolled_toys / "Dan" / f"{number}.png", toy_plugin.picture(4, number))
    knownface("enroll", enrolled_toys)
    before = templates()
    assert (before["Cy"], before["Dan"]) == (2, 3)
    (enrolled_toys / "Cy").rename(enrolled_toys / "Cyrus")
    for number in (3, 4):
        (enrolled_toys / "Dan" / f"{number}.png").rename(enrolled_toys / "Cyrus" / f"{number}.png")
    shutil.rmtree(enrolled_toys / "Ben")
    without = knownface("enroll", enrolled_toys)
    assert "This very file is enrolled as 'Cy'. If the folder was renamed" in without.out
    assert templates() == before, "nobody new who waits for what is known"
    shown = knownface("enroll", enrolled_toys, "--sync", "--dry-run")
    assert "1 person to rename, 2 files to move" in shown.out
    assert templates() == before
    done = knownface("enroll", enrolled_toys, "--sync", "--yes")
    assert "Ben is left without a template" in done.err
    after = templates()
    assert (after["Cyrus"], after["Dan"], after["Ben"]) == (4, 1, 0)
    assert knownface("history").out.count("moved") == 1, "one edit, to be undone at once"
    assert "Cy" not in after
    again = knownface("enroll", enrolled_toys, "--sync", "--dry-run").out
    assert "0 people to rename, 0 files to move, 0 templates to remove" in again
    with Gallery.open_by(load_settings()) as gallery:
        assert {t.source for t in gallery.templates("Cyrus")} == {
            str(path.absolute()) for path in (enrolled_toys / "Cyrus").iterdir()
        }


def test_a_counter_example_is_one_face_and_not_the_persons_own_photo(knownface, enrolled_toys, tmp_path):
    own = next((enrolled_toys / "Ben").iterdir())
    refused = knownface("people", "not", "Ben", own)
    assert (refused.status, "own template" in refused.err) == (9, True)
    write_image(tmp_path / "stranger.png", toy_plugin.picture(9, 0))
    assert "There is no face 2" in knownface("people", "not", "Ben", tmp_path / "stranger.png", "--face", "2").err
    assert "1 counter-examples" in knownface("people", "not", "Ben", tmp_path / "stranger.png", "--face", "1").out
    assert "is not this person" in knownface("people", "show", "Ben").out
    gone = knownface("people", "forget", "Ben", "--file", tmp_path / "stranger.png", "--yes")
    assert gone.status == 0
    assert "is not this person" not in knownface("people", "show", "Ben").out


def test_templates_move_to_whom_they_show_and_back(knownface, enrolled_toys, templates):
    write_image(enrolled_toys / "Ben" / "more.png", toy_plugin.picture(2, 3))
    knownface("enroll", enrolled_toys)
    before = templates()
    moved = knownface("people", "move", "Ben", "--file", "more.png", "--to", "Zoë")
    assert moved.status == 0, moved.err
    assert templates() == {**before, "Ben": before["Ben"] - 1, "Zoë": before["Zoë"] + 1}
    assert knownface("undo").status == 0
    assert templates() == before
