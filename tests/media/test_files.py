from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PilImage

from knownface.errors import UnreadableError
from knownface.media import IMAGE_SUFFIXES, VIDEO_SUFFIXES, expand_paths, kind_of
from knownface.media.files import natural_key


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    PilImage.new("RGB", (2, 2)).save(path, "PNG")
    return path


def test_kind_by_suffix_then_by_content(tmp_path):
    assert kind_of("anything.JPG") == "image"
    assert kind_of("x/clip.MoV") == "video"
    assert kind_of(picture(tmp_path / "no_suffix")) == "image"
    assert kind_of(picture(tmp_path / "photo.backup")) == "image"
    (tmp_path / "film.bin").write_bytes(b"\0\0\0\x18ftypisom" + bytes(100))
    assert kind_of(tmp_path / "film.bin") == "video"
    (tmp_path / "labels.csv").write_text("file,name\n")
    assert kind_of(tmp_path / "labels.csv") is None
    assert kind_of(tmp_path / "missing") is None
    assert kind_of(tmp_path) is None
    assert not IMAGE_SUFFIXES & VIDEO_SUFFIXES


def test_folders_are_searched_to_the_bottom_in_natural_order(tmp_path):
    names = ["b/2.jpg", "b/10.jpg", "b/c/1.png", "A/x.jpg", "1.jpg", "a b é.jpg"]
    for name in names:
        picture(tmp_path / name)
    for clutter in (".hidden.jpg", "._1.jpg", ".git/1.jpg", "__MACOSX/1.jpg", "b/._2.jpg", "b/.thumbs/x.jpg"):
        picture(tmp_path / clutter)
    for clutter in ("Thumbs.db", "desktop.ini", ".DS_Store", "labels.csv", "notes.txt"):
        (tmp_path / clutter).write_bytes(b"something")
    found = [path.relative_to(tmp_path).as_posix() for path in expand_paths([str(tmp_path)])]
    assert found == ["1.jpg", "A/x.jpg", "a b é.jpg", "b/2.jpg", "b/10.jpg", "b/c/1.png"]


def test_named_files_keep_their_order_and_come_once(tmp_path, monkeypatch):
    first, second = picture(tmp_path / "z.jpg"), picture(tmp_path / "a.jpg")
    text = tmp_path / "notes.txt"
    text.write_text("named, so it is taken")
    (tmp_path / "link.jpg").symlink_to(first)
    monkeypatch.chdir(tmp_path)
    assert expand_paths(["z.jpg", str(text), str(second), str(first), "./z.jpg", "."]) == [Path("z.jpg"), text, second]


def test_hidden_things_that_are_named_are_taken(tmp_path):
    inside = picture(tmp_path / ".hidden" / "1.jpg")
    dotted = picture(tmp_path / ".me.jpg")
    assert expand_paths([str(dotted), str(tmp_path / ".hidden")]) == [dotted, inside]


def test_patterns(tmp_path, monkeypatch):
    for name in ("1.jpg", "2.jpg", "10.jpg", "a/3.jpg", "a/b/4.jpg", ".5.jpg"):
        picture(tmp_path / name)
    (tmp_path / "6.txt").write_text("no picture")
    monkeypatch.chdir(tmp_path)
    assert [p.as_posix() for p in expand_paths(["*.jpg"])] == ["1.jpg", "2.jpg", "10.jpg"]
    assert [p.name for p in expand_paths([str(tmp_path / "**/*.jpg")])] == [
        "1.jpg",
        "2.jpg",
        "10.jpg",
        "3.jpg",
        "4.jpg",
    ]
    assert [p.as_posix() for p in expand_paths(["[!1]*"])] == ["2.jpg", "a/3.jpg", "a/b/4.jpg"]
    with pytest.raises(UnreadableError, match=r"\*\.gif matches no file"):
        expand_paths(["1.jpg", "*.gif"])


def test_brackets_in_a_real_name_are_no_pattern(tmp_path):
    path = picture(tmp_path / "photo[1].jpg")
    assert expand_paths([str(path)]) == [path]
    inside = picture(tmp_path / "me [2020]" / "1.jpg")
    assert expand_paths([str(inside.parent)]) == [inside]


def test_a_missing_path_is_named(tmp_path):
    with pytest.raises(UnreadableError, match=r"nowhere\.jpg does not exist"):
        expand_paths([str(tmp_path / "nowhere.jpg")])
    broken = tmp_path / "broken.jpg"
    broken.symlink_to(tmp_path / "gone.jpg")
    assert expand_paths([str(broken)]) == [broken]  # reading it will say what is wrong
    assert expand_paths([str(tmp_path)]) == []


def test_loops_of_links_end(tmp_path):
    path = picture(tmp_path / "a" / "1.jpg")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "self").symlink_to("self")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    found = expand_paths([str(tmp_path)])
    assert [os.path.realpath(p) for p in found] == [os.path.realpath(path)]


def test_folders_that_may_not_be_read(ordinary_folder, caplog):
    kept = picture(ordinary_folder / "a" / "1.jpg")
    locked = picture(ordinary_folder / "locked" / "1.jpg").parent
    locked.chmod(0)
    try:
        with caplog.at_level(logging.WARNING):
            assert expand_paths([str(ordinary_folder)]) == [kept]
        assert str(locked) in caplog.text
        with pytest.raises(UnreadableError, match="may not be read"):
            expand_paths([str(locked)])
    finally:
        locked.chmod(0o700)


@given(st.lists(st.integers(0, 10**6), unique=True))
def test_numbers_sort_by_value(numbers):
    paths = [Path(f"a/photo{n}.jpg") for n in numbers]
    assert sorted(paths, key=natural_key) == [Path(f"a/photo{n}.jpg") for n in sorted(numbers)]


@given(st.lists(st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), min_size=1)))
def test_any_names_can_be_sorted(names):
    paths = [Path(name) for name in names]
    backwards = paths[::-1]
    assert sorted(paths, key=natural_key) == sorted(backwards, key=natural_key)
