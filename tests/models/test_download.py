from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from loopback import Loopback, file_size_limit, serve

from knownface.errors import ModelUnavailableError, OutputError
from knownface.models import download
from knownface.models.download import transfer
from knownface.models.entry import HubSource

CONTENT = np.random.default_rng(0).bytes(3_000_000)
SOURCE = HubSource("owner/network", "0123456789abcdef0123456789abcdef01234567", "onnx/network.onnx")


@pytest.fixture
def server() -> Iterator[Loopback]:
    with serve(CONTENT) as state:
        yield state


@pytest.fixture(autouse=True)
def _online(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("KNOWNFACE_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(download, "ATTEMPTS", 2)


def test_a_whole_file(server: Loopback, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    transfer(f"{server.url}/blob", tmp_path / "f", on_progress=lambda done, total: seen.append((done, total)))
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_a_cut_connection_goes_on_where_it_broke(server: Loopback, tmp_path: Path) -> None:
    server.cuts = [1_000_000, 500_000]
    transfer(f"{server.url}/blob", tmp_path / "f", byte_count=len(CONTENT))
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert [asked[2] for asked in server.asked] == [None, "bytes=1000000-", "bytes=1500000-"]


def test_a_later_run_goes_on(server: Loopback, tmp_path: Path) -> None:
    server.cuts = [700_000, 0, 0, 0]
    with pytest.raises(ModelUnavailableError, match=r"the connection was cut\. 700000 bytes are here") as caught:
        transfer(f"{server.url}/blob", tmp_path / "f")
    assert "goes on where it stopped" in caught.value.hint
    server.cuts, server.asked = [], []
    transfer(f"{server.url}/blob", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert server.asked[0][2] == "bytes=700000-"


def test_a_server_that_ignores_range_starts_again(server: Loopback, tmp_path: Path) -> None:
    server.ignores_range = True
    (tmp_path / "f").write_bytes(CONTENT[:1000])
    transfer(f"{server.url}/blob", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT


@pytest.mark.parametrize("extra", [0, 10])
def test_a_part_that_is_already_whole_or_too_long(server: Loopback, tmp_path: Path, extra: int) -> None:
    (tmp_path / "f").write_bytes(CONTENT + b"x" * extra)
    transfer(f"{server.url}/blob", tmp_path / "f", byte_count=len(CONTENT))
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert len(server.asked) == (1 if extra else 0)


def test_a_part_longer_than_what_the_server_has(server: Loopback, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(CONTENT + b"x")
    transfer(f"{server.url}/blob", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_a_busy_server_is_asked_again(server: Loopback, tmp_path: Path) -> None:
    server.statuses = [503]
    transfer(f"{server.url}/blob", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_is_final(server: Loopback, tmp_path: Path, status: int) -> None:
    server.statuses = [status] * 9
    with pytest.raises(ModelUnavailableError, match=f"it answers {status}"):
        transfer(f"{server.url}/blob", tmp_path / "f")
    assert len(server.asked) == 1


def test_nobody_there(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ModelUnavailableError, match="could not be fetched"):
        transfer(f"http://127.0.0.1:{port}/blob", tmp_path / "f")


def test_no_address(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailableError, match="is no address"):
        transfer("hub.example/blob", tmp_path / "f")


def test_the_token_is_not_sent_to_another_host(server: Loopback, tmp_path: Path) -> None:
    transfer(f"{server.url}/o/n/resolve/x/y", tmp_path / "f", headers={"Authorization": "Bearer secret"})
    assert [asked[3] for asked in server.asked] == ["Bearer secret", None]
    assert (tmp_path / "f").read_bytes() == CONTENT


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_told(server: Loopback, tmp_path: Path) -> None:
    (tmp_path / "f").symlink_to("/dev/full")
    with pytest.raises(OutputError, match="cannot be written"):
        transfer(f"{server.url}/blob", tmp_path / "f")


def test_a_limit_of_the_system_leaves_a_beginning_to_go_on_from(server: Loopback, tmp_path: Path) -> None:
    part = tmp_path / "f"
    with file_size_limit(2_000_000), pytest.raises(OutputError, match="cannot be written"):
        transfer(f"{server.url}/blob", part)
    assert part.read_bytes() == CONTENT[:2_000_000]
    transfer(f"{server.url}/blob", part)
    assert part.read_bytes() == CONTENT


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("YES", True), ("true", True), ("0", False), ("", False)])
@pytest.mark.parametrize("variable", ["KNOWNFACE_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline_variables(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, expected: bool) -> None:
    monkeypatch.setenv(variable, value)
    assert download.offline() is expected
    if expected:
        assert download.hub_answers(SOURCE) is False


def test_a_hub_that_answers(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    assert download.hub_answers(SOURCE, timeout=30) is True
    assert server.asked[0][:2] == ("HEAD", f"/{SOURCE.repo}/resolve/{SOURCE.revision}/{SOURCE.path}")


@pytest.mark.parametrize(("status", "answers"), [(401, True), (403, False), (404, False), (503, False)])
def test_an_address_that_refuses(server: Loopback, status: int, answers: bool) -> None:
    server.statuses_of_head = [status]
    assert download.url_answers(f"{server.url}/blob", timeout=30) is answers


def test_the_hubs_address_and_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    monkeypatch.setenv("HF_TOKEN", "secret")
    path = f"owner/network/resolve/{SOURCE.revision}/onnx/network.onnx"
    assert download.hub_address(SOURCE) == f"https://huggingface.co/{path}"
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example/")
    assert download.hub_address(SOURCE) == f"https://mirror.example/{path}"
    assert download.hub_headers() == {"Authorization": "Bearer secret"}
    monkeypatch.setenv("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")
    assert download.hub_headers() == {}


def test_the_token_of_a_login(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HOME", "HF_TOKEN_PATH"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert download.hub_headers() == {}
    for folder, setting in ((tmp_path / "huggingface", None), (tmp_path / "home", "HF_HOME")):
        folder.mkdir()
        (folder / "token").write_text(f"{folder.name}\n")
        if setting:
            monkeypatch.setenv(setting, str(folder))
        assert download.hub_headers() == {"Authorization": f"Bearer {folder.name}"}
    (tmp_path / "elsewhere").write_text("third")
    monkeypatch.setenv("HF_TOKEN_PATH", "$XDG_CACHE_HOME/elsewhere")
    assert download.hub_headers() == {"Authorization": "Bearer third"}


@pytest.mark.slow
def test_a_hub_that_accepts_and_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert download.hub_answers(SOURCE, timeout=1.0) is False


@pytest.mark.parametrize("endpoint", ["http://no-such-host.invalid", "nonsense", "http://127.0.0.1:1"])
def test_a_hub_that_is_not_there(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    assert download.hub_answers(SOURCE, timeout=30) is False


def test_names_that_never_resolve_do_not_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    resolved = threading.Event()

    def never(*args: object, **kwargs: object) -> None:
        resolved.wait(30)
        raise OSError("no such name")

    # No resolver that hangs can be had on loopback without changing the system's settings.
    monkeypatch.setattr(socket, "getaddrinfo", never)
    try:
        assert download.hub_answers(SOURCE, timeout=0.3) is False
        assert not resolved.is_set()
    finally:
        resolved.set()
        for thread in threading.enumerate():
            if thread.name == "url-answers":
                thread.join(10)
