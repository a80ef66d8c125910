"""Fixtures that every room's tests share."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import hypothesis
import numpy as np
import pytest
from milvus_server import milvus_server  # noqa: F401
from postgres_server import postgres, postgres_empty, postgres_template, postgres_url  # noqa: F401

import toy_plugin
from dlib_parts import dlib_recognizer
from knownface import FaceRecognizer
from knownface.gallery import Gallery
from knownface.media import write_image
from knownface.models.session import usable_processors
from knownface.types import Image

# How long an example takes says more about the machine than about the code.
hypothesis.settings.register_profile("knownface", deadline=None)
hypothesis.settings.load_profile("knownface")


def pytest_configure(config: pytest.Config) -> None:
    """Keep pip off the network and bytecode; let temporary files lie in memory where Linux has room."""
    os.environ.setdefault("PIP_NO_INDEX", "1")  # nothing is fetched from a Python index unless a test has its own
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each program that a test starts compiles all anew
    sys.dont_write_bytecode = False
    memory = Path("/dev/shm")
    if "TMPDIR" in os.environ or not memory.is_dir() or os.statvfs(memory).f_flag & os.ST_NOEXEC:
        return
    if shutil.disk_usage(memory).free > 4e9:
        os.environ["TMPDIR"] = str(memory)
        tempfile.tempdir = None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """What ``-n auto`` means: one more than there are processors, since a seventh of the suite's time is waiting."""
    return usable_processors() + 1


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what starts a program: a PostgreSQL, a browser, or ffmpeg to make a video."""
    for item in items:
        given = set(getattr(item, "fixturenames", ()))
        if hasattr(item, "callspec"):
            given |= {value for value in item.callspec.params.values() if isinstance(value, str)}
        if given & {"postgres", "postgresql", "pgvector", "milvus_server", "browser", "make_video"}:
            item.add_marker("slow")


class Ran(NamedTuple):
    """What a command left."""

    status: int
    out: str
    err: str


def _folder(variable: str) -> Path:
    value = os.environ.get(variable)
    if not value:
        pytest.skip(f"{variable} is not set, so there are no such files to test with")
    path = Path(value).resolve()
    if not path.is_dir():
        pytest.skip(f"{variable} names {path}, which is no folder")
    return path


@pytest.fixture(scope="session")
def face_data() -> Path:
    """The folder of real photos and videos."""
    return _folder("KNOWNFACE_FACE_DATA")


@pytest.fixture(scope="session")
def model_folder() -> Path:
    """The folder of real weight files."""
    return _folder("KNOWNFACE_MODELS")


@pytest.fixture(scope="session")
def astronaut() -> Image:
    """A real face, 512 x 512: Eileen Collins, as scikit-image ships her."""
    data = pytest.importorskip("skimage.data", reason="scikit-image, which ships a real face, is not installed")
    image: Image = data.astronaut()
    return image


@pytest.fixture(scope="session")
def strangers() -> list[Image]:
    """Real faces of strangers, 90 x 90, one face in each, from scikit-image's ``lfw_subset``."""
    from knownface.detection import HogDetector

    data = pytest.importorskip("skimage.data", reason="scikit-image, which ships real faces, is not installed")
    detector = HogDetector()
    pictures = []
    for face in (data.lfw_subset()[:60] * 255).astype(np.uint8):
        enlarged = cv2.cvtColor(cv2.resize(face, (64, 64), interpolation=cv2.INTER_CUBIC), cv2.COLOR_GRAY2RGB)
        picture = np.pad(enlarged, ((13, 13), (13, 13), (0, 0)), mode="edge")
        if len(detector.detect(picture)) == 1:
            pictures.append(picture)
    return pictures


@pytest.fixture
def alone(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of one's own: no network, no weights but those of packages, an empty working folder and cache.

    Networks that were made ready are in the cache, since making them takes longer than most of a test.
    """
    for variable in list(os.environ):
        if variable.startswith("KNOWNFACE_") and variable != "KNOWNFACE_FACE_DATA":
            monkeypatch.delenv(variable)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.setenv("KNOWNFACE_OFFLINE", "1")
    (tmp_path / "cache").mkdir()
    ready = tmp_path_factory.getbasetemp() / "ready"
    ready.mkdir(exist_ok=True)
    (tmp_path / "cache" / "ready").symlink_to(ready)
    monkeypatch.setenv("KNOWNFACE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KNOWNFACE_GALLERY", str(tmp_path / "gallery.db"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(work)
    return work


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests that ask for ``place`` run on SQLite and a real PostgreSQL; those that also ask for ``file`` on SQLite."""
    if "place" in metafunc.fixturenames and "file" not in metafunc.fixturenames:
        metafunc.parametrize("place", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(scope="session")
def empty_gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty gallery's file, to copy: a copy takes a hundredth of the time of the migrations."""
    path = tmp_path_factory.mktemp("empty") / "gallery.db"
    Gallery.open(path).close()
    return path


@pytest.fixture
def file(empty_gallery: Path, tmp_path: Path) -> Path:
    """The file of an empty gallery."""
    return shutil.copy(empty_gallery, tmp_path / "gallery.db")


@pytest.fixture
def place(request: pytest.FixtureRequest) -> Path | str:
    """Where an empty gallery lies: a file, or a database's address."""
    if getattr(request, "param", "sqlite") == "sqlite":
        path: Path = request.getfixturevalue("file")
        return path
    url: str = request.getfixturevalue("postgres_url")
    return url


def _write_people(folder: Path, pictures: Sequence[Image]) -> Path:
    for name, picture in zip(
        ("Eileen Collins/portrait.png", "Eileen Collins/mirror.png", "Zoë/one.png", "Ben/one.png"),
        pictures,
        strict=True,
    ):
        write_image(folder / name, picture)
    return folder


@pytest.fixture(scope="session")
def faces_enrolled(tmp_path_factory: pytest.TempPathFactory, astronaut: Image, strangers: list[Image]) -> Path:
    """A folder to copy from: ``people`` of three whom dlib finds, ``gallery.db`` that dlib's network filled of them."""
    folder = tmp_path_factory.mktemp("enrolled")
    mirrored = np.ascontiguousarray(astronaut[:, ::-1])
    _write_people(folder / "people", [astronaut, mirrored, strangers[0], strangers[1]])
    with dlib_recognizer(folder / "gallery.db") as recognizer:
        assert recognizer.load_known_faces(folder / "people").templates == 4
    return folder


@pytest.fixture
def people(alone: Path, faces_enrolled: Path) -> Path:
    """A folder of three people whom dlib finds: the astronaut with two pictures, two strangers with one each."""
    return shutil.copytree(faces_enrolled / "people", alone / "people")


@pytest.fixture
def enrolled_people(people: Path, faces_enrolled: Path) -> Path:
    """The same folder, and they are in the gallery."""
    shutil.copy(faces_enrolled / "gallery.db", os.environ["KNOWNFACE_GALLERY"])
    return people


@pytest.fixture(scope="session")
def eileen_enrolled(tmp_path_factory: pytest.TempPathFactory, astronaut: Image) -> Path:
    """A gallery's file, to copy, in which dlib's network knows the astronaut."""
    path = tmp_path_factory.mktemp("eileen") / "gallery.db"
    with dlib_recognizer(path) as recognizer:
        recognizer.add_known_face("Eileen Collins", astronaut)
    return path


@pytest.fixture
def toy_engine(alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The settings name the toy detector and embedder of an installed package, in this process and those it starts.

    For what does not hang on faces: options, files, tables, stops. They take a hundredth of the time of networks.
    """
    site = toy_plugin.install(tmp_path / "site")
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("PYTHONPATH", str(site), prepend=os.pathsep)
    monkeypatch.setenv("KNOWNFACE_EMBEDDER", "toy")
    monkeypatch.setenv("KNOWNFACE_DETECTOR", "toy")
    yield
    sys.modules.pop("knownface_toy", None)


@pytest.fixture
def toy_people(alone: Path, toy_engine: None) -> Path:
    """A folder of the same names as ``people``, of pictures that the toy engine tells apart."""
    shots = [toy_plugin.picture(person, shot) for person, shot in ((0, 0), (0, 1), (1, 0), (2, 0))]
    return _write_people(alone / "people", shots)


@pytest.fixture
def enrolled_toys(toy_people: Path, empty_gallery: Path) -> Path:
    """The same folder, and they are in the gallery."""
    shutil.copy(empty_gallery, os.environ["KNOWNFACE_GALLERY"])
    with FaceRecognizer.open() as recognizer:
        assert recognizer.load_known_faces(toy_people).templates == 4
    return toy_people


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    """What a command in this process does to the log goes with the test."""
    log = logging.getLogger("knownface")
    handlers, level = log.handlers, log.level
    yield
    log.handlers = handlers
    log.setLevel(level)


@pytest.fixture
def knownface(alone: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run the command line in this process; the status, output and error output are returned."""
    from knownface.cli import main

    def run(*arguments: object) -> Ran:
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Ran(end.value.code if isinstance(end.value.code, int) else 1, captured.out, captured.err)

    return run


@pytest.fixture
def ordinary_folder() -> Iterator[Path]:
    """A folder of a user whom permissions bind; where the tests run as root, they are ``nobody`` meanwhile."""
    if os.name != "posix":
        pytest.skip("needs the permissions of POSIX")
    root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as folder:
        if root:
            os.chown(folder, 65534, 65534)
            os.seteuid(65534)
        try:
            yield Path(folder)
        finally:
            if root:
                os.seteuid(0)
