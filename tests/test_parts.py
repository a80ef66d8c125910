"""Parts of other packages and of scripts, by name, wherever knownface is used."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import toy_plugin
from knownface import FaceRecognizer
from knownface.client import Client
from knownface.detection import choose_detector
from knownface.embedding import load_embedder
from knownface.errors import NoFaceError, PartError, UnknownModelError
from knownface.evaluation.bench import open_bench
from knownface.evaluation.protocol import evaluate
from knownface.evaluation.runs import EvaluateOptions, embed_folder
from knownface.media import VideoWriter
from knownface.models import ModelStore
from knownface.models.kinds import kind_of, weightless_parts
from knownface.parts import COMMANDS, DETECTORS, EMBEDDERS, registered
from knownface.settings import load_settings


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that Python looks for packages in, with nothing in it."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    # Bytecode is recognised by the second of its source, within which a test may change it.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    yield folder
    for name, module in list(sys.modules.items()):
        if str(folder) in (getattr(module, "__file__", None) or ""):
            del sys.modules[name]


@pytest.fixture
def toy(site: Path) -> Path:
    return toy_plugin.install(site)


def detector(name: str, tmp_path: Path) -> Any:
    return choose_detector(load_settings(detector=name), ModelStore(None, tmp_path))[0]


def test_our_own_parts_are_registered_as_others_are(alone: Path) -> None:
    assert list(registered(DETECTORS)) == ["dlib-hog", "yunet"]
    assert list(registered(EMBEDDERS)) == ["clip", "dlib-resnet", "face-network"]
    assert {"enroll", "identify", "watch"} <= set(registered(COMMANDS))


def test_every_entry_of_the_catalogue_is_what_its_kind_asks_for(tmp_path: Path) -> None:
    for entry in ModelStore(None, tmp_path).catalog.values():
        assert kind_of(entry).make


@pytest.mark.usefixtures("toy")
def test_an_installed_part_is_found_by_its_name_and_listed(alone: Path) -> None:
    assert detector("toy", alone).name == "toy"
    assert load_embedder("toy", ModelStore(None, alone)).contract.dim == 64
    listed = {(part.name, part.task): part for part in weightless_parts()}
    assert listed["toy", "detector"].licence == "CC0-1.0"
    assert listed["dlib-hog", "detector"].licence == "BSL-1.0"
    assert ("toy", "embedder") in listed


def test_of_two_parts_of_one_name_ours_counts(site: Path, alone: Path) -> None:
    toy_plugin.install(site, entry_points="[knownface.detectors]\ndlib-hog = knownface_toy:Detector\n")
    assert type(detector("dlib-hog", alone)).__module__ == "knownface.detection.hog"


@pytest.mark.parametrize(
    ("module", "name", "told"),
    [
        ("import nothing_of_the_kind", "toy", "importing it raises ModuleNotFoundError"),
        ("Detector = 3", "toy", "it is not callable"),
        ("class Detector:\n    def __init__(self, path): ...", "toy", "making it raises TypeError"),
        ("class Detector:\n    name = 'toy'", "toy", "it lacks gives_landmarks and detect"),
        ("", "toy", "importing it raises AttributeError"),
        ("", "nowhere:Detector", "importing it raises ModuleNotFoundError"),
        ("", "knownface_toy:", "cannot be used"),
    ],
)
def test_a_part_that_cannot_be_used_is_named(site: Path, alone: Path, module: str, name: str, told: str) -> None:
    toy_plugin.install(site, module=module)
    with pytest.raises(PartError, match=told) as caught:
        detector(name, alone)
    assert name in caught.value.message
    assert ("PYTHONPATH" in caught.value.hint) == (name == "nowhere:Detector")


def test_a_broken_package_does_not_break_the_lists(site: Path, knownface: Callable[..., Any]) -> None:
    toy_plugin.install(site, module="import nothing_of_the_kind")
    for words in (["--help"], ["models", "list"]):
        ran = knownface(*words)
        assert ran.status == 0
        assert "nothing_of_the_kind" in " ".join(ran.out.split())


def test_an_embedder_is_registered_by_the_name_that_it_writes_into_galleries(site: Path, alone: Path) -> None:
    toy_plugin.install(site, entry_points="[knownface.embedders]\nother = knownface_toy:Embedder\n")
    with pytest.raises(PartError, match="has the name 'toy' in its contract"):
        load_embedder("other", ModelStore(None, alone))


def test_an_embedder_without_a_contract_is_named(site: Path, alone: Path) -> None:
    toy_plugin.install(site, module=toy_plugin.MODULE + "Embedder.contract = None\n")
    with pytest.raises(PartError, match="The embedder toy has None for its contract, expected an EmbedderContract"):
        load_embedder("toy", ModelStore(None, alone))


def test_a_name_in_a_gallery_is_never_imported(toy: Path, alone: Path) -> None:
    module = (
        (toy / "knownface_toy.py").read_text(encoding="utf-8").replace('Contract("toy"', 'Contract("evil:Embedder"')
    )
    (toy / "mine.py").write_text(module, encoding="utf-8")
    with FaceRecognizer.open(embedder="mine:Embedder", detector="toy") as recognizer:
        assert recognizer.add_known_face("Ada", toy_plugin.picture(0, 0)) == 1
    (toy / "evil.py").write_text("raise SystemExit('imported')", encoding="utf-8")
    with pytest.raises(UnknownModelError, match="The embedder 'evil:Embedder' is neither in the catalogue"):
        FaceRecognizer.open(detector="toy")
    FaceRecognizer.open(embedder="mine:Embedder", detector="toy").close()


BLIND = toy_plugin.MODULE.replace("image.std() < 5", "True")
TOY = ("--embedder", "toy", "--detector", "toy")


@pytest.fixture
def knownface_anew(knownface: Callable[..., Any]) -> Callable[..., Any]:
    """``knownface``, with the toy's module read anew each time."""

    def run(*words: object) -> Any:
        toy_plugin.forget()
        return knownface(*words)

    return run


def test_what_a_detector_missed_is_examined_again_once_it_is_mended(
    site: Path, alone: Path, knownface_anew: Callable[..., Any]
) -> None:
    people = toy_plugin.people(alone / "people", 2, 2)
    toy_plugin.install(site, module=BLIND)
    assert "0 templates" in knownface_anew("enroll", people, *TOY).out
    toy_plugin.install(site)
    assert "4 templates of 2 people" in knownface_anew("enroll", people, *TOY).out


def named_share(people: Path, embedder: str = "toy") -> float:
    """As `knownface evaluate` measures it, with the toy's module read anew."""
    toy_plugin.forget()
    with open_bench(embedder=embedder, detector="toy") as bench:
        return evaluate(embed_folder(bench, people, EvaluateOptions())[1]).report.accuracy


def test_evaluation_forgets_what_a_detector_missed_once_it_is_mended(site: Path, alone: Path) -> None:
    people = toy_plugin.people(alone / "people", 3, 4)
    toy_plugin.install(site, module=BLIND)
    with pytest.raises(NoFaceError):
        named_share(people)
    toy_plugin.install(site)
    assert named_share(people) == 1


MUDDLED = toy_plugin.MODULE.replace("cvtColor(c,", "cvtColor(0 * c,")
FUNCTION = """
def make():
    from knownface import FunctionEmbedder

    return FunctionEmbedder(lambda crops: Embedder().embed(list(crops)), dim=64, crop="square", name="mine")
"""


@pytest.mark.parametrize("factory", ["Embedder", "make"])
def test_evaluation_forgets_what_an_embedder_returned_once_it_is_mended(site: Path, alone: Path, factory: str) -> None:
    people = toy_plugin.people(alone / "people", 3, 4)
    toy_plugin.install(site, module=MUDDLED + FUNCTION)
    assert named_share(people, f"knownface_toy:{factory}") == pytest.approx(1 / 3)
    toy_plugin.install(site, module=toy_plugin.MODULE + FUNCTION)
    assert named_share(people, f"knownface_toy:{factory}") == 1


@pytest.mark.parametrize("bad", [BLIND, MUDDLED], ids=["detector", "embedder"])
def test_a_stopped_identification_begins_anew_once_its_part_is_mended(
    site: Path, alone: Path, knownface_anew: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, bad: str
) -> None:
    people = toy_plugin.people(alone / "people", 2, 1)
    words = ("identify", people, *TOY, "--csv", alone / "found.csv")
    toy_plugin.install(site)
    assert knownface_anew("enroll", people, *TOY).status == 0
    toy_plugin.install(site, module=bad)
    with monkeypatch.context() as patch:
        patch.setattr("knownface.cli.identify.write_tables", _stopped)
        assert knownface_anew(*words).status == 130
    assert (alone / "found.csv.partial").exists()
    toy_plugin.install(site)
    ran = knownface_anew(*words)
    assert ran.status == 0
    assert {"p0", "p1"} <= set((alone / "found.csv").read_text(encoding="utf-8").replace("\n", ",").split(","))


def _stopped(*_: object) -> None:
    raise KeyboardInterrupt


def names_in(file: Path) -> list[str | None]:
    """Of the rows that a command wrote as JSON."""
    return [row["name"] for row in json.loads(file.read_text(encoding="utf-8"))]


@pytest.mark.usefixtures("toy")
def test_a_gallery_of_an_installed_embedder_opens_again_by_itself(knownface: Callable[..., Any], alone: Path) -> None:
    people = toy_plugin.people(alone / "people", 2, 2)
    assert "4 templates of 2 people" in knownface("enroll", people, *TOY).out
    ran = knownface("identify", people / "p1", "--detector", "toy", "--json", alone / "found.json")
    assert names_in(alone / "found.json") == ["p1", "p1"]
    assert "since it filled this gallery" in ran.err
    assert knownface("doctor", "--detector", "toy").status == 0
    with FaceRecognizer.open(detector="toy") as recognizer:
        assert recognizer.identify(toy_plugin.picture(1, 7))[0].name == "p1"


@pytest.mark.usefixtures("toy")
def test_an_installed_command_is_run_and_listed(knownface: Callable[..., Any]) -> None:
    assert knownface("greet").out == "Hello from the toy.\n"
    assert "Greet from outside." in knownface("--help").out


@pytest.mark.usefixtures("toy")
def test_a_video_is_watched_with_installed_parts(knownface: Callable[..., Any], alone: Path) -> None:
    assert knownface("enroll", toy_plugin.people(alone / "people", 2, 2), *TOY).status == 0
    with VideoWriter(alone / "door.mp4", 10.0) as writer:
        for shot in range(20):
            writer.write(toy_plugin.picture(1, shot, 4.0), shot / 10)
    ran = knownface("watch", alone / "door.mp4", *TOY, "--timeline", alone / "seen.json")
    assert ran.status == 0, ran.err
    assert set(names_in(alone / "seen.json")) == {"p1"}


@pytest.mark.slow
@pytest.mark.usefixtures("toy")
def test_installed_parts_are_measured(knownface: Callable[..., Any], alone: Path) -> None:
    people = toy_plugin.people(alone / "people", 3, 4)
    ran = knownface("experiment", "compare", people, "--out", alone / "report", *TOY)
    assert "1 of 1 systems could be run" in ran.out, ran.err
    ran = knownface("bench", *TOY, "--data", people, "--size", 10, "--dim", 8, "--seconds", "0.01")
    assert "toy, batch 32, a face" in ran.out, ran.err


@pytest.mark.slow
def test_a_service_answers_with_installed_parts(toy: Path, knownface: Callable[..., Any], alone: Path) -> None:
    assert knownface("enroll", toy_plugin.people(alone / "people", 2, 2), *TOY).status == 0
    environment = {**os.environ, "PYTHONPATH": str(toy)}
    command = [sys.executable, "-m", "knownface", "serve", "--port", "0", *TOY]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as service:
        try:
            assert service.stdout is not None
            told = service.stdout.readline() + service.stdout.readline()
            address, key = re.search(r"http://[\d.:]+", told), re.search(r"kf_\S+", told)
            assert address is not None
            assert key is not None
            with Client(address[0], key[0]) as client:
                picture = alone / "people" / "p0" / "0.png"
                assert [face["name"] for face in client.identify(picture)["faces"]] == ["p0"]
                in_use = [model["name"] for model in client.request("GET", "/models") if model["in_use"]]
                assert in_use == ["toy", "toy"]
        finally:
            service.terminate()
            service.communicate(timeout=60)


def test_parts_of_a_script_in_the_working_folder(knownface: Callable[..., Any], site: Path, alone: Path) -> None:
    toy_plugin.install(alone, entry_points="")
    people = toy_plugin.people(alone / "people", 2, 2)
    script = ("--embedder", "knownface_toy:Embedder", "--detector", "knownface_toy:Detector")
    assert "4 templates of 2 people" in knownface("enroll", people, *script).out
    ran = knownface("models", "verify", "knownface_toy:Embedder", "knownface_toy:Detector")
    assert "knownface_toy:Embedder: gives 64 numbers a face" in ran.out
    assert "knownface_toy:Detector finds 1 faces" in ran.err
    ran = knownface("identify", people / "p1", *script, "--json", alone / "found.json")
    assert ran.status == 0
    assert names_in(alone / "found.json") == ["p1", "p1"]
    # Its name alone does not lead to it.
    ran = knownface("identify", people / "p1")
    assert ran.status == 5
    assert "The embedder 'toy' is neither in the catalogue" in ran.err
    assert "--embedder module:Factory" in ran.err


@pytest.mark.slow
def test_a_settings_file_in_the_working_folder_imports_nothing_from_there(
    alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy_plugin.install(alone, module="raise SystemExit('imported')")
    (alone / "knownface.toml").write_text('detector = "knownface_toy:Detector"\n', encoding="utf-8")
    script = Path(sysconfig.get_path("scripts")) / "knownface"
    ran = subprocess.run([script, "doctor"], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "importing it raises ModuleNotFoundError" in " ".join(ran.stdout.split())
