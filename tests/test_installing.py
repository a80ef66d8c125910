"""How an extra is installed, by how this package was: from an index, a clone, a repository or a file."""

from __future__ import annotations

import importlib.metadata
import json
import re
import sys
import tomllib
from pathlib import Path

import pytest

from knownface.errors import MissingExtraError
from knownface.installing import install_command

ROOT = Path(__file__).parents[1]


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A function that makes a package of this name the one that Python finds, as an installer writes it."""

    def install(origin):
        folder = tmp_path / "knownface-9.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text("Metadata-Version: 2.4\nName: knownface\nVersion: 9\n")
        if origin is not None:
            (folder / "direct_url.json").write_text(json.dumps(origin))
        monkeypatch.syspath_prepend(str(tmp_path))
        assert importlib.metadata.version("knownface") == "9"

    return install


def test_from_an_index(installed):
    installed(None)
    assert install_command("server") == 'pip install "knownface[server]"'


@pytest.mark.parametrize(("editable", "how"), [(True, "--editable "), (False, "")])
def test_from_a_clone(installed, tmp_path, editable, how):
    clone = tmp_path / "a clone"
    installed({"url": clone.as_uri(), "dir_info": {"editable": editable}})
    assert install_command("server") == f'pip install {how}"{clone}[server]"'


def test_from_a_repository(installed):
    installed({"url": "https://git.example/k.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}})
    assert install_command("xlsx") == 'pip install "knownface[xlsx] @ git+https://git.example/k.git@abc"'


def test_from_a_file(installed):
    installed({"url": "file:///tmp/knownface-9-py3-none-any.whl", "archive_info": {}})
    assert install_command("heif") == 'pip install "knownface[heif] @ file:///tmp/knownface-9-py3-none-any.whl"'


def test_where_it_is_not_installed_at_all(monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    assert install_command("heif") == 'pip install "knownface[heif]"'


def test_the_error_names_the_command():
    assert MissingExtraError("No.", "server").hint == f"Install it: {install_command('server')}"


def test_every_extra_that_an_error_names_exists():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    raised = re.compile(r'MissingExtraError\([^)]*?"(\w+)"\s*\)')
    named = {name for path in (ROOT / "src").rglob("*.py") for name in raised.findall(path.read_text("utf-8"))}
    assert {"server", "evaluation"} <= named <= set(extras)
