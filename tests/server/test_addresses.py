"""Where the service connects to for others: the some addresses are refused, in every disguise."""

from __future__ import annotations

import ipaddress
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knownface.errors import BadRequestError, SourceUnavailableError, UnsupportedError
from knownface.media import parse_source
from knownface.server.addresses import refused
from knownface.server.source_rules import SourceRules

BAD = ("169.254.169.254", "100.100.100.200", "0.0.0.0", "224.0.0.1", "168.63.129.16")
GOOD = ("127.0.0.1", "192.168.1.20", "10.0.0.5", "93.184.216.34", "::1", "fd12:3456::1", "2001:db8::7")
DISGUISES = ("::ffff:{}", "64:ff9b::{}", "64:ff9b:1::{}", "::ffff:0:{}")


def test_what_is_refused() -> None:
    for text in BAD:
        for form in ("{}", *DISGUISES):
            assert refused(ipaddress.ip_address(form.format(text))), (form, text)
    for text in ("fe80::1", "fd00:ec2::254", "ff02::1", "::", "2002:a9fe:a9fe::1"):
        assert refused(ipaddress.ip_address(text)), text
    for text in GOOD:
        assert not refused(ipaddress.ip_address(text)), text
    assert not refused(ipaddress.ip_address("100.64.0.9"), ["100.64.0.0/10"])
    assert not refused(ipaddress.ip_address("::ffff:100.64.0.9"), ["100.64.0.0/10"])


@given(st.integers(0, 2**32 - 1), st.sampled_from(DISGUISES))
def test_a_disguise_changes_nothing(number: int, form: str) -> None:
    plain = ipaddress.IPv4Address(number)
    assert refused(ipaddress.ip_address(form.format(plain))) == refused(plain)


def test_a_name_is_resolved_anew_and_what_was_checked_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    leads_to = "192.168.1.20"

    def resolver(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (leads_to, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    rules, address = SourceRules(None), "rtsp://viewer:se%40cret@camera.example:8554/live?x=1"
    source = parse_source(rules.admit(address))
    assert rules.resolve(source).address == "rtsp://viewer:se%40cret@192.168.1.20:8554/live?x=1"
    assert rules.resolve(source).name == source.name
    leads_to = "169.254.169.254"
    with pytest.raises(SourceUnavailableError):
        rules.resolve(source)
    with pytest.raises(BadRequestError):
        rules.admit("http://camera.example/")


def test_files_lie_below_one_folder_whatever_links_say(tmp_path: Path) -> None:
    root = tmp_path / "videos"
    root.mkdir()
    (tmp_path / "private.mp4").write_bytes(b"x")
    rules = SourceRules(root)
    clip = parse_source(rules.admit("day/clip.mp4"))
    assert (clip.address, rules.shown(clip)) == (str(root / "day" / "clip.mp4"), "day/clip.mp4")
    (root / "link.mp4").symlink_to(tmp_path / "private.mp4")
    for address in ("../private.mp4", str(tmp_path / "private.mp4"), "link.mp4", "/nowhere/at/all", "a\0b"):
        with pytest.raises(UnsupportedError, match="Only files below"):
            rules.admit(address)
    with pytest.raises(UnsupportedError, match="Only files below"):
        rules.resolve(parse_source(root / "link.mp4"))
    with pytest.raises(UnsupportedError, match="Only files below"):
        SourceRules(None).admit(str(root / "day" / "clip.mp4"))
