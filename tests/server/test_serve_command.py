"""The program itself: first start, keys by command line, TLS of its own, a kill at any moment."""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import httpx
import pytest
from service_tools import png

import toy_plugin
from knownface.client import Client, RemoteError
from knownface.gallery import Gallery
from knownface.storage.checks import check_file

SERVE = [sys.executable, "-m", "knownface", "serve", "--port", "0"]

pytestmark = pytest.mark.usefixtures("toy_engine")


class Ran(Protocol):
    """What a command left."""

    status: int
    out: str
    err: str


@contextmanager
def program(*options: str) -> Iterator[tuple[subprocess.Popen[str], str, str | None]]:
    """``knownface serve`` in a process; its address and, at the first start, the key that it shows."""
    with subprocess.Popen(
        [*SERVE, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ.copy()
    ) as run:
        assert run.stdout is not None
        address = run.stdout.readline()
        if "answers at" not in address:
            _, told = run.communicate(timeout=60)
            raise AssertionError(address + told)
        key = None
        if not (Path(os.environ["KNOWNFACE_GALLERY"]).with_name("keys-made")).exists():
            found = re.search(r"kf_\S+", run.stdout.readline())
            key = found[0] if found else None
            assert "sign-in#key=kf_" in run.stdout.readline()
        try:
            yield run, re.findall(r"https?://\S+", address)[0].rstrip("/"), key
        finally:
            if run.poll() is None:
                run.terminate()
            run.communicate(timeout=60)


@pytest.mark.slow
def test_the_first_start_shows_a_key_once_and_sigterm_ends_it_well(alone: Path) -> None:
    gallery = os.environ["KNOWNFACE_GALLERY"]
    with program() as (run, address, key):
        assert key is not None
        assert address.startswith("http://127.0.0.1:")
        headers = {"Authorization": f"Bearer {key}"}
        assert httpx.get(f"{address}/v1/session", headers=headers).json()["role"] == "admin"
        run.terminate()
        out, err = run.communicate(timeout=60)
        assert run.returncode == 0, err
        assert "Traceback" not in err
    Path(gallery).with_name("keys-made").touch()
    with program() as (run, address, _):
        assert httpx.get(f"{address}/v1/session", headers=headers).status_code == 200
        run.send_signal(signal.SIGTERM)
        out, _ = run.communicate(timeout=60)
        assert "kf_" not in out


def test_keys_and_audit_by_command_line(alone: Path, knownface: Callable[..., Ran]) -> None:
    made = knownface("keys", "create", "front [b]door", "--role", "viewer", "--days", 30)
    assert made.status == 0
    token = made.out.strip()
    assert re.fullmatch(r"kf_[0-9a-f]{10}_[\w-]{43}", token)
    listed = knownface("keys", "list")
    assert "front [b]door" in listed.out
    assert token not in listed.out
    rotated = knownface("keys", "rotate", 1).out.strip()
    assert rotated != token
    assert "is void" in knownface("keys", "revoke", 1).out
    assert knownface("keys", "rotate", 1).status == 14
    assert knownface("keys", "revoke", 99).status == 14
    log = knownface("audit", "--json", "-").out
    assert [word for word in ("key.revoke", "key.rotate", "key.create") if word in log] == [
        "key.revoke",
        "key.rotate",
        "key.create",
    ]
    assert "key.revoke" in knownface("audit", "--action", "key.").out


@pytest.mark.parametrize(
    "options",
    [
        ["--tls-cert", "missing.pem", "--tls-key", "missing.pem"],
        ["--tls-cert", "only.pem"],
        ["--host", "no.such.host.invalid"],
        ["--host", "192.0.2.1"],
    ],
)
def test_what_cannot_be_served_is_said_in_a_sentence(
    alone: Path, knownface: Callable[..., Ran], options: list[str]
) -> None:
    ran = knownface("serve", *options)
    assert ran.status == 8, ran.err
    assert ran.err.count("Error:") == 1
    assert "kf_" not in ran.out + ran.err


def test_a_port_that_is_taken(alone: Path, knownface: Callable[..., Ran]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = knownface("serve", "--port", port)
    assert ran.status == 8
    assert str(port) in ran.err


@pytest.mark.slow
def test_tls_of_its_own_is_trusted_by_its_certificate_and_marks_cookies(alone: Path) -> None:
    with program("--tls", "self-signed", "--name", "faces.example.org") as (_, address, key):
        certificate = Path(os.environ["KNOWNFACE_CACHE"]) / "tls" / "certificate.pem"
        assert oct((certificate.parent / "key.pem").stat().st_mode)[-3:] == "600"
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{address}/v1/health")
        assert key is not None
        with Client(address.replace("127.0.0.1", "localhost"), key, verify=str(certificate)) as client:
            assert client.request("GET", "session")["role"] == "admin"
        context = ssl.create_default_context(cafile=certificate)
        begun = httpx.post(f"{address}/v1/session", json={"key": key}, verify=context)
        cookie = begun.headers["set-cookie"]
        assert cookie.startswith("__Host-knownface=")
        assert "Secure" in cookie
        assert "strict-transport-security" not in begun.headers  # browsers would not let the warning be accepted


@pytest.mark.slow
def test_behind_a_proxy_its_word_counts_and_nobody_elses(alone: Path) -> None:
    told = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
    with program("--behind-proxy", "127.0.0.1") as (_, address, key):
        begun = httpx.post(f"{address}/v1/session", json={"key": key}, headers=told)
        assert begun.headers["set-cookie"].startswith("__Host-knownface=")
        headers = {"Authorization": f"Bearer {key}", **told}
        httpx.post(f"{address}/v1/people", json={"name": "A"}, headers=headers)
        log = httpx.get(f"{address}/v1/audit", headers=headers).json()["items"]
        assert log[0]["actor"]["address"] == "203.0.113.9"


def enrol_until_it_ends(address: str, key: str, prefix: str, faces: list[bytes], answered: dict[str, int]) -> None:
    """Make people and teach their faces as fast as the service answers; note what it said is enrolled."""
    with Client(address, key, patience=0) as client:
        for number in range(10_000):
            name = f"{prefix} {number}"
            try:
                person = client.create_person(name)["id"]
                done = client.add_templates(person, [faces[number % len(faces)]], insist=True)
            except RemoteError:
                return
            answered[name] = done["added"]


@pytest.mark.slow
def test_kill_under_load_loses_nothing_that_was_answered(alone: Path) -> None:
    """Two kills here; ``benchmarks/service_kill.py`` does twenty."""
    gallery = Path(os.environ["KNOWNFACE_GALLERY"])
    answered: dict[str, int] = {}
    pictures = [png(toy_plugin.picture(person, 0)) for person in range(8)]
    keys: list[str] = []
    for turn in range(2):
        with program() as (run, address, key):
            keys += [key] if key else []
            gallery.with_name("keys-made").touch()
            threads = [
                threading.Thread(
                    target=enrol_until_it_ends,
                    args=(address, keys[0], f"{turn} {worker}", pictures, answered),
                )
                for worker in range(4)
            ]
            for thread in threads:
                thread.start()
            before = len(answered)
            for _ in range(600):
                if len(answered) >= before + 4 + 5 * turn:
                    break
                threads[0].join(0.05)
            run.kill()
            for thread in threads:
                thread.join()
        assert check_file(gallery, whole=True)
        with Gallery.open(gallery, create=False) as opened:
            there = {person.name: person.templates for person in opened.people()}
        assert answered.items() <= there.items()
    assert len(answered) >= 13
    assert set(answered.values()) == {1}
