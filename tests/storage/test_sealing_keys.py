"""Where the key of an encrypted gallery comes from."""

from __future__ import annotations

import os
import stat

import pytest

from knownface.errors import GalleryKeyError, OutputError
from knownface.storage.sealing import keys
from knownface.storage.sealing.keys import make_key_file, read_secret


def test_a_key_file_is_made_once_for_its_owner_alone(tmp_path):
    source = f"file:{tmp_path / 'a.key'}"
    assert make_key_file(source)
    secret = read_secret(source)
    assert secret.is_key
    assert len(secret.data) == 32
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "a.key").stat().st_mode) == 0o600
    assert not make_key_file(source)
    assert read_secret(source).data == secret.data
    with pytest.raises(OutputError, match="cannot be written"):
        make_key_file(f"file:{tmp_path / 'no folder' / 'a.key'}")


def test_a_passphrase_is_the_same_however_it_is_typed(monkeypatch):
    monkeypatch.setenv("SECRET", " Zoe\u0308 \n")
    assert read_secret("env:SECRET").data == "Zoë".encode()
    assert not read_secret("env:SECRET").is_key
    assert read_secret("command:printf Zoë").data == "Zoë".encode()
    assert "Zo" not in repr(read_secret("env:SECRET"))


def test_who_types_a_new_passphrase_types_it_twice(monkeypatch):
    typed = iter(["right", "right", "right", "wrong", "right"])
    monkeypatch.setattr(keys.sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(keys.getpass, "getpass", lambda _: next(typed))
    assert read_secret("prompt", new=True).data == b"right"
    with pytest.raises(GalleryKeyError, match="differ"):
        read_secret("prompt", new=True)
    assert read_secret("prompt").data == b"right"


@pytest.mark.parametrize("source", ["env:NOT_SET", "file:/no/such/file", "command:false", "command:", "nonsense", ""])
def test_what_tells_no_key_says_so_in_a_sentence(source):
    with pytest.raises(GalleryKeyError) as told:
        read_secret(source)
    assert told.value.message.endswith(".")
    assert told.value.hint
