"""The address for a phone: how the page was opened, unless that names this very machine."""

from __future__ import annotations

from knownface.server.phone import phone_address, qr_code

OWN = ["127.0.0.1", "fd00::5", "fe80::1", "192.168.7.3"]


def test_a_phone_is_led_to_where_it_reaches_the_service() -> None:
    assert phone_address("https://faces.example.org/settings?x", "127.0.0.1", OWN) == "https://faces.example.org/"
    assert phone_address("http://localhost:8420/settings", "127.0.0.1", OWN) is None
    assert phone_address("https://localhost:8420/settings", "0.0.0.0", OWN) == "https://192.168.7.3:8420/"
    assert phone_address("https://[::1]:8420/settings", "fd00::5", OWN) == "https://[fd00::5]:8420/"
    assert str(qr_code("https://192.168.7.3:8420/")).startswith("<svg")
