"""The commands, run as a user runs them: status, output, files."""

from __future__ import annotations

import ast
import csv
import importlib.resources
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from knownface.cli.common import with_options
from knownface.media import read_image, write_image
from knownface.types import Image

Run = Callable[..., Any]
OFFLINE = ("--embedder", "dlib-resnet", "--detector", "dlib-hog")


@pytest.mark.slow
def test_enroll_says_what_it_took_and_what_it_did(knownface: Run, people: Path) -> None:
    ran = knownface("enroll", people)
    assert ran.status == 0
    assert "4 templates of 3 people" in ran.out
    assert "dlib-resnet" in ran.err
    again = knownface("enroll", people)
    assert again.status == 0
    assert "0 templates" in again.out
    assert "4 files known already" in again.out


def test_enroll_lists_what_it_did_not_use_and_says_so_by_its_status(
    knownface: Run, toy_people: Path, tmp_path: Path
) -> None:
    (toy_people / "Ben" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    report = tmp_path / "report.csv"
    ran = knownface("enroll", toy_people, "--report", report)
    assert ran.status == 1
    assert "broken.jpg" in ran.out
    rows = list(csv.DictReader(io.StringIO(report.read_text(encoding="utf-8"))))
    assert len(rows) == 5
    assert {row["status"] for row in rows} == {"enrolled", "refused"}


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["enroll", "missing"], 3, "no folder missing"),
        (["identify", "missing.jpg"], 3, "missing.jpg"),
        (["identify", "empty"], 3, "no photo and no video in empty"),
        (["enroll", "people", "--embedder", "clap"], 5, "clap"),
        (["enroll", "people", "--embedder", "mobilefacenet"], 5, "mobilefacenet"),
        (["identify", "people", "--gallery", "none.db"], 7, "none.db"),
        (["identify", "people", "--k1", "3", "--k2", "2"], 8, "k1"),
        (["people", "show", "Nobody"], 7, "gallery"),
        (["enroll"], 2, "PEOPLE"),
        (["watch", "0", "1"], 2, "run one for each"),
        (["nonsense"], 2, "nonsense"),
    ],
)
def test_what_goes_wrong_is_one_sentence_a_hint_and_a_status(
    knownface: Run, toy_people: Path, arguments: list[str], status: int, told: str
) -> None:
    Path("empty").mkdir()
    ran = knownface(*arguments)
    assert ran.status == status, ran
    assert told in ran.err
    assert "Traceback" not in ran.out + ran.err


def test_identify_names_and_writes(
    knownface: Run, enrolled_people: Path, tmp_path: Path, strangers: list[Image]
) -> None:
    write_image(enrolled_people / "Ben" / "stranger.png", strangers[9])
    table, objects, copies = tmp_path / "o" / "a.csv", tmp_path / "o" / "a.json", tmp_path / "copies"
    ran = knownface("identify", enrolled_people, "--csv", table, "--json", objects, "--annotate", copies, "--top", 2)
    assert ran.status == 0
    assert "Eileen Collins" in ran.out
    faces = json.loads(objects.read_text(encoding="utf-8"))
    assert len(faces) == 5
    named = {Path(face["file"]).name: face["name"] for face in faces if "Collins" not in face["file"]}
    assert named["stranger.png"] is None
    face = faces[0]
    assert set(face) == {"file", "time", "box", "name", "distance", "votes", "stage", "reason", "candidates"}
    assert len(face["box"]) == 4
    assert len(face["candidates"]) == 2
    rows = list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8"))))
    assert [row["name"] for row in rows] == [face["name"] or "Unknown" for face in faces]
    assert sorted(p.name for p in copies.rglob("*.png")) == sorted(p.name for p in enrolled_people.rglob("*.png"))
    original = read_image(enrolled_people / "Ben" / "one.png")
    labelled = read_image(copies / "Ben" / "one.png")
    assert original.shape == labelled.shape
    assert (original != labelled).any()


def test_names_are_written_beside_photos_but_not_over_what_others_wrote(knownface: Run, enrolled_toys: Path) -> None:
    foreign = enrolled_toys / "Ben" / "one.png.xmp"
    foreign.write_text("<darktable/>")
    ran = knownface("identify", enrolled_toys, "--sidecars")
    assert ran.status == 0
    assert "1 sidecar of other programs stayed" in ran.err
    assert foreign.read_text() == "<darktable/>"
    assert "Zoë" in (enrolled_toys / "Zoë" / "one.png.xmp").read_text(encoding="utf-8")
    again = knownface("enroll", enrolled_toys)
    assert again.status == 0, "sidecars are no pictures that could not be used"


def test_strangers_are_sorted_into_folders_that_can_be_named_and_learnt(knownface: Run, toy_people: Path) -> None:
    ran = knownface("cluster", toy_people, "--out", "faces")
    assert ran.status == 0
    assert "2 faces of 1 stranger in faces, from 4 photos. Left out: 0 faces of people" in ran.out
    assert "2 of people with fewer than 2" in ran.out
    assert sorted(str(p.relative_to("faces")) for p in Path("faces").rglob("*.jpg")) == [
        "Unknown 1/mirror.jpg",
        "Unknown 1/portrait.jpg",
    ]
    assert not [p for p in Path("faces").iterdir() if p.name not in {"Unknown 1", ".knownface"}]
    assert "may have been sorted by hand" in knownface("cluster", toy_people, "--out", "faces").err
    Path("faces/Unknown 1").rename("faces/Eileen")
    Path("faces/Unknown 2").mkdir()
    assert "'Unknown 2' is what a stranger is called" in knownface("enroll", "faces").out
    again = knownface("cluster", toy_people, "--out", "others", "--least", 1)
    assert "2 faces of 2 strangers in others, from 4 photos. Left out: 2 faces of people who are enrolled" in again.out


def test_a_bad_file_among_good_ones_is_passed_over(knownface: Run, enrolled_toys: Path) -> None:
    (enrolled_toys / "Ben" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    ran = knownface("identify", enrolled_toys)
    assert ran.status == 1
    assert "Eileen Collins" in ran.out
    assert "broken.jpg" in ran.err


def test_every_file_has_a_row_in_csv_and_json(knownface: Run, enrolled_toys: Path) -> None:
    (enrolled_toys / "Ben" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    write_image(enrolled_toys / "Ben" / "blank.png", np.full((90, 90, 3), 200, np.uint8))
    ran = knownface("identify", enrolled_toys / "Ben", "--csv", "faces.csv", "--json", "faces.json", "--bom")
    assert ran.status == 1
    rows = list(csv.DictReader(io.StringIO(Path("faces.csv").read_text(encoding="utf-8-sig"))))
    assert Path("faces.csv").read_bytes()[:3] == b"\xef\xbb\xbf"
    told = [(Path(row["file"]).name, row["name"], row["reason"], row["x"] != "") for row in rows]
    assert told == [
        ("blank.png", "", "no face", False), ("broken.jpg", "", "unreadable", False), ("one.png", "Ben", "named", True)
    ]  # fmt: skip
    blank, broken, ben = json.loads(Path("faces.json").read_text(encoding="utf-8"))
    assert blank["box"] is None
    assert "broken.jpg" in broken["error"]
    assert all(isinstance(side, int) for side in ben["box"])
    height, width, _ = read_image(enrolled_toys / "Ben" / "one.png").shape
    x, y, w, h = ben["box"]
    assert 0 <= x < x + w <= width
    assert 0 <= y < y + h <= height


@pytest.mark.slow
def test_a_picture_comes_on_standard_input(enrolled_toys: Path) -> None:
    call = [sys.executable, "-m", "knownface", "identify", "-", "--json"]
    content = (enrolled_toys / "Ben" / "one.png").read_bytes()
    ran = subprocess.run(call, input=content, capture_output=True, check=True)
    [face] = json.loads(ran.stdout)
    assert (face["file"], face["name"]) == ("-", "Ben")
    empty = subprocess.run(call, input=b"", capture_output=True, check=False)
    assert json.loads(empty.stdout)[0]["reason"] == "unreadable"
    video = subprocess.run(call, input=b"\0\0\0\x18ftypmp42" + b"\0" * 99, capture_output=True, check=False)
    assert b"A video cannot be read from standard input" in video.stderr


def test_faces_go_into_an_excel_file(knownface: Run, enrolled_toys: Path) -> None:
    pytest.importorskip("xlsxwriter", reason="the extra xlsx is not installed")
    assert knownface("identify", enrolled_toys, "--csv", "faces.xlsx").status == 0
    assert Path("faces.xlsx").read_bytes()[:2] == b"PK"


def test_people_of_odd_names_come_back_from_an_export(knownface: Run, enrolled_toys: Path) -> None:
    assert knownface("people", "rename", "Ben", '=HYPERLINK("x")').status == 0
    assert knownface("people", "export", "people.csv", "--bom").status == 0
    assert "'=HYPERLINK" in Path("people.csv").read_text(encoding="utf-8-sig")
    assert "0 people added and 0 updated" in knownface("people", "import", "people.csv").out


def test_a_picture_without_a_face_is_no_error(knownface: Run, enrolled_toys: Path, tmp_path: Path) -> None:
    write_image(tmp_path / "blank.png", np.full((90, 90, 3), 200, np.uint8))
    ran = knownface("identify", tmp_path / "blank.png")
    assert ran.status == 0
    assert "no face" in ran.out


def test_a_video_whose_frames_cannot_be_used_is_passed_over_by_name(
    knownface: Run, enrolled_toys: Path, astronaut: Image, tmp_path: Path
) -> None:
    clip = tmp_path / "clip.mp4"
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter.fourcc(*"mp4v"), 10, (512, 512))
    writer.write(astronaut[..., ::-1])
    writer.release()
    clip.write_bytes(clip.read_bytes()[:400])
    ran = knownface("identify", clip)
    assert ran.status == 1
    assert "clip.mp4" in ran.err


def test_results_go_to_standard_output_too(knownface: Run, enrolled_toys: Path) -> None:
    ran = knownface("identify", enrolled_toys / "Ben", "--csv", "-")
    assert ran.status == 0
    [header, row] = ran.out.splitlines()
    assert header.startswith("file,time,x,y")
    assert ",Ben," in row
    assert not Path("-").exists()
    ran = knownface("identify", enrolled_toys / "Ben", "--json", "-")
    assert [face["name"] for face in json.loads(ran.out)] == ["Ben"]


def test_verify_does_not_make_a_gallery(knownface: Run, people: Path) -> None:
    picture = people / "Ben" / "one.png"
    assert knownface("verify", picture, picture, "--gallery", "none.db").status == 7
    assert not Path("none.db").exists()


@pytest.mark.parametrize("every", ["inf", "nan", "0", "-1"])
def test_a_senseless_rate_is_refused(knownface: Run, every: str) -> None:
    assert knownface("identify", "people", "--every", every).status == 2


def test_files_that_are_no_pictures_and_people_nothing_was_learnt_of_are_told(knownface: Run, toy_people: Path) -> None:
    (toy_people / "Ben" / "notes.txt").write_text("no picture")
    (toy_people / "Cleo").mkdir()
    (toy_people / "Cleo" / "gone.jpg").symlink_to("nowhere.jpg")
    ran = knownface("enroll", toy_people)
    assert ran.status == 1
    assert "notes.txt" in ran.out
    assert "gone.jpg" in ran.out
    assert "Nothing was learnt of: Cleo" in ran.out


def test_globs_and_names_that_look_like_markup(knownface: Run, enrolled_toys: Path, tmp_path: Path) -> None:
    write_image(tmp_path / "[bold] x.png", read_image(enrolled_toys / "Ben" / "one.png"))
    ran = knownface("identify", str(tmp_path / "*.png"))
    assert ran.status == 0
    assert "[bold] x.png" in ran.out


@pytest.mark.slow
def test_identify_a_video(knownface: Run, enrolled_people: Path, astronaut: Image, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter.fourcc(*"mp4v"), 10, (512, 512))
    for i in range(20):
        writer.write(astronaut[..., ::-1] if i < 10 else np.full((512, 512, 3), 90, np.uint8))
    writer.release()
    ran = knownface("identify", clip, "--json", tmp_path / "v.json", "--annotate", tmp_path / "out", "--every", "0.5")
    assert ran.status == 0
    faces = json.loads((tmp_path / "v.json").read_text())
    assert [(face["time"], face["name"]) for face in faces] == [(0.0, "Eileen Collins"), (0.5, "Eileen Collins")]
    capture = cv2.VideoCapture(str(tmp_path / "out" / "clip.mp4"))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 20


@pytest.mark.slow
def test_verify_answers_by_its_status(knownface: Run, people: Path) -> None:
    eileen = people / "Eileen Collins"
    same = knownface("verify", eileen / "portrait.png", eileen / "mirror.png", *OFFLINE)
    assert (same.status, same.out.startswith("same person")) == (0, True)
    other = knownface("verify", eileen / "portrait.png", people / "Ben" / "one.png", *OFFLINE)
    assert (other.status, other.out.startswith("not the same person")) == (1, True)
    assert "threshold" in other.out
    assert knownface("verify", eileen / "portrait.png", people / "missing.png", *OFFLINE).status == 3


def test_people_are_listed_shown_and_edited(knownface: Run, enrolled_toys: Path, tmp_path: Path) -> None:
    assert "Zoë" in knownface("people", "list").out
    shown = knownface("people", "show", "Eileen Collins").out
    assert "portrait.png" in shown
    assert knownface("people", "rename", "Ben", "Benjamin").status == 0
    assert knownface("people", "set", "Benjamin", "--group", "staff", "--external-id", "0042").status == 0
    listed = knownface("people", "list", "--group", "staff").out
    assert "Benjamin" in listed
    assert "0042" in listed
    assert "Zoë" not in listed
    assert knownface("people", "merge", "Benjamin", "--into", "Zoë").status == 0
    assert "Benjamin" not in knownface("people", "list").out
    assert knownface("people", "split", "Zoë", "--to", "Ben", "--source", "*/Ben/*").status == 0
    assert "Ben" in knownface("people", "list").out
    assert knownface("people", "remove", "Ben", "--yes").status == 0
    assert knownface("people", "show", "Ben").status == 9
    assert knownface("people", "rename", "Zoë", "Unknown").status == 9


def test_removal_asks_first(knownface: Run, enrolled_toys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert knownface("people", "remove", "Ben").status != 0
    assert "Ben" in knownface("people", "list").out


def test_people_as_csv(knownface: Run, enrolled_toys: Path, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    assert knownface("people", "export", file).status == 0
    text = file.read_text(encoding="utf-8-sig")
    file.write_text(text.replace("Ben,,", "Ben,17,staff;night") + "Dora,18,staff\n", encoding="utf-8")
    assert knownface("people", "import", file).status == 0
    assert "night" in knownface("people", "list").out
    assert "Dora" in knownface("people", "list", "--group", "staff").out


@pytest.mark.slow
def test_a_counter_example_by_command(knownface: Run, enrolled_people: Path, tmp_path: Path) -> None:
    mirror = enrolled_people / "Eileen Collins" / "mirror.png"
    other = tmp_path / "other.png"
    write_image(other, (read_image(mirror) * 0.7).astype(np.uint8))
    assert "Eileen Collins" in knownface("identify", other).out
    assert knownface("people", "not", "Eileen Collins", other).status == 0
    assert "not this person" in knownface("identify", other).out


def test_gallery_info_backup_and_restore(knownface: Run, enrolled_toys: Path, tmp_path: Path) -> None:
    info = knownface("gallery", "info").out
    assert "toy" in info
    backup = tmp_path / "backup.db"
    assert knownface("gallery", "backup", backup).status == 0
    assert knownface("gallery", "backup", backup).status == 11
    assert knownface("people", "remove", "Zoë", "--yes").status == 0
    assert knownface("gallery", "restore", backup).status == 0
    assert "Zoë" in knownface("people", "list").out
    assert knownface("gallery", "index").status == 0


def test_models_are_listed_with_their_licences(knownface: Run, alone: Path) -> None:
    listed = knownface("models", "list")
    assert listed.status == 0
    for word in ("clip-vit-b32", "dlib-resnet", "CC0", "MIT", "non-commercial"):
        assert word in listed.out
    assert knownface("models", "verify", "dlib-resnet").status == 0
    assert knownface("models", "get", "clip-vit-b32").status == 5


def test_doctor(knownface: Run, enrolled_people: Path) -> None:
    ran = knownface("doctor")
    assert ran.status == 0
    for word in ("dlib-resnet", "dlib-hog", "3 people", "flat: every template is compared", "CUDA"):
        assert word in ran.out


@pytest.mark.slow
def test_demo(knownface: Run, tmp_path: Path) -> None:
    ran = knownface("demo", "--out", tmp_path / "demo")
    assert ran.status == 0
    assert "8 of 8 pictures right" in ran.out
    assert len(list((tmp_path / "demo").glob("*.jpg"))) == 8


def test_demo_with_own_folder(knownface: Run, toy_people: Path, tmp_path: Path) -> None:
    ran = knownface("demo", "--data", toy_people, "--out", tmp_path / "demo")
    assert ran.status == 0
    assert "1 of 1 pictures right" in ran.out


def test_help_of_every_command(knownface: Run) -> None:
    listed = knownface("--help").out
    for command in ("enroll", "identify", "verify", "people", "gallery", "models", "doctor", "demo"):
        assert command in listed
        assert "Usage" in knownface(command, "--help").out


def test_a_misspelt_command_is_answered_with_what_may_be_meant(knownface: Run) -> None:
    assert "Did you mean identify?" in knownface("identfy", "x.jpg").err
    assert "Did you mean" not in knownface("zzz").err


def test_hints_speak_the_language_of_whoever_calls() -> None:
    assert with_options('Choose faces="largest", or not_them=True, or fpir=0.05.') == (
        "Choose --faces largest, or --not-them, or --fpir 0.05."
    )
    source = Path(str(importlib.resources.files("knownface")))
    told = []
    for file in source.rglob("*.py"):
        if file.is_relative_to(source / "cli"):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            raised = isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Error")
            hint = isinstance(node, ast.Assign) and "hint" in ast.unparse(node.targets[0]).lower()
            texts = [n.value for n in ast.walk(node) if isinstance(n, ast.Constant)] if raised or hint else []
            told += [
                (file.name, text) for text in map(str, texts) if re.search(r"--[a-z]", re.sub(r"`[^`]*`", "", text))
            ]
    assert told == [], "an exception names arguments as Python has them; with_options shows them as options"


@pytest.mark.parametrize(
    ("shell", "path"), [("bash", "bash-completion/completions/knownface"), ("zsh", "zsh/site-functions/_knownface")]
)
def test_completion_is_installed_where_the_shell_looks(
    knownface: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shell: str, path: str
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("SHELL", f"/usr/bin/{shell}")
    assert knownface("completion", "--install").status == 0
    installed = (tmp_path / "data" / path).read_text(encoding="utf-8")
    assert installed.strip() == knownface("completion", shell).out.strip()
    assert "_KNOWNFACE_COMPLETE" in installed


def test_a_picture_is_not_watched(knownface: Run, enrolled_toys: Path) -> None:
    ran = knownface("watch", enrolled_toys / "Ben" / "one.png")
    assert ran.status == 3
    assert "knownface identify" in ran.err
