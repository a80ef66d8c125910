"""Where the service may connect to for somebody else: a host is resolved, every address it has checked, and kept."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from typing import Final, TypeAlias

from knownface.errors import BadRequestError

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_REFUSED: Final = [
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # behind carrier-grade NAT (RFC 6598), where a cloud keeps its machines' credentials too
        "168.63.129.16/32",  # the same of another cloud
        "169.254.0.0/16",  # link-local, and of most clouds
        "192.0.0.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/128",
        "fd00:ec2::/32",  # clouds' own, within what is otherwise a house's
        "fd20:ce::/32",
        "fe80::/10",
        "ff00::/8",
    )
]
_EMBEDDING: Final = [
    (ipaddress.ip_network("::/96"), 0),
    (ipaddress.ip_network("::ffff:0:0/96"), 0),
    (ipaddress.ip_network("::ffff:0:0:0/96"), 0),
    (ipaddress.ip_network("64:ff9b::/96"), 0),
    (ipaddress.ip_network("64:ff9b:1::/48"), 0),
    (ipaddress.ip_network("2002::/16"), 80),
]
"""Networks of IPv6 whose addresses stand for one of IPv4, and how far to the right that is shifted: IPv4-compatible and
mapped ones, translated ones, NAT64 (RFC 6052, 8215), 6to4."""


def refused(address: Address, allowed: Sequence[str] = ()) -> bool:
    """Whether the service does not connect to an address, for whoever asks.

    It is link-local, shared behind a carrier's NAT, multicast, unspecified, or one at which a cloud keeps a machine's
    credentials; or it stands for such a one.

    Args:
        address: Of IPv4 or IPv6.
        allowed: Networks that are not refused, such as ``100.64.0.0/10``.
    """
    meant = _meant(address)
    if any(one in ipaddress.ip_network(network, strict=False) for network in allowed for one in (address, meant)):
        return False
    return any(meant in network for network in _REFUSED) or (meant is not address and meant.is_unspecified)


def checked_addresses(host: str, port: int, allowed: Sequence[str] = ()) -> list[str]:
    """The addresses of a host, all of which may be connected to; none where it has none at present.

    Whoever connects must use one of these, and not the name, which may lead elsewhere a moment later (DNS rebinding).

    Args:
        host: A name or an address.
        port: Of it.
        allowed: As for :func:`refused`.

    Raises:
        BadRequestError: One of its addresses is refused.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    texts = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for text in texts:
        if refused(ipaddress.ip_address(text.partition("%")[0]), allowed):
            raise BadRequestError(
                f"{host} leads to an address that the service does not connect to.",
                "Link-local and shared addresses and those of clouds' own are refused, unless the setting "
                "serve.allowed_networks names them.",
            )
    return texts


def _meant(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv6Address) and int(address) > 1:  # ::1 is the machine itself
        for network, shift in _EMBEDDING:
            if address in network:
                return ipaddress.IPv4Address(int(address) >> shift & 0xFFFFFFFF)
    return address
