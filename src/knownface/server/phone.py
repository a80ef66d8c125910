"""The page on a phone: at which address it is reached, as a QR code."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

import segno
from markupsafe import Markup


def phone_address(page: str, listening: str, own: Iterable[str]) -> str | None:
    """The address at which another machine reaches the page.

    Args:
        page: The address at which it was opened: as good for a phone, unless it names this very machine.
        listening: What the service listens on.
        own: The addresses of this machine.

    Returns:
        None where nothing but this machine reaches it.
    """
    parts = urlsplit(page)
    host = parts.hostname or ""
    if not _is_own(host):
        return f"{parts.scheme}://{parts.netloc}/"
    found = own if listening in {"0.0.0.0", "::"} else [listening]  # noqa: S104 - compared
    reachable = sorted((address for address in found if not _is_own(address)), key=lambda address: ":" in address)
    if not reachable:
        return None
    named = f"[{reachable[0]}]" if ":" in reachable[0] else reachable[0]
    return f"{parts.scheme}://{named}{f':{parts.port}' if parts.port else ''}/"


def qr_code(address: str) -> Markup:
    """A QR code (ISO/IEC 18004) as SVG, dark on light in every colour scheme."""
    return Markup(segno.make(address, micro=False).svg_inline(scale=5, border=4, dark="#000", light="#fff"))  # noqa: S704 - made of squares


def _is_own(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return address.is_loopback or address.is_link_local or address.is_unspecified
