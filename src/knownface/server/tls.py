"""A certificate of our own, so that browsers on the same network give us their cameras."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from knownface.files import replacing

_DAYS = 397
"""Browsers accept no certificate that is valid for longer (CA/Browser Forum, Baseline Requirements 6.3.2)."""
_RENEW_DAYS = 30


def own_addresses() -> list[str]:
    """The addresses by which other machines of the network reach this one, as far as it knows."""
    found: set[str] = set()
    with contextlib.suppress(OSError):
        found |= {str(entry[4][0]) for entry in socket.getaddrinfo(socket.gethostname(), None)}
    for family, target in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        # Nothing is sent: a UDP socket only asks the system which of its addresses it would use.
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((target, 9))
            found.add(str(probe.getsockname()[0]))
    return sorted(address.partition("%")[0] for address in found)


def self_signed(folder: Path, names: tuple[str, ...]) -> tuple[Path, Path, str]:
    """Certificate, key and the certificate's fingerprint; made where there is none that still fits.

    Args:
        folder: Where both are kept; only its owner may read them.
        names: Further host names.

    Raises:
        OutputError: The folder cannot be written.
    """
    host = socket.gethostname()
    wanted = {"localhost", host, f"{host}.local", "127.0.0.1", "::1", *own_addresses(), *names}
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    known = _read(certificate) if key.is_file() else None
    if known is None or not _fits(known, wanted):
        known = _make(certificate, key, wanted)
    digest = known.fingerprint(hashes.SHA256()).hex(":").upper()
    return certificate, key, digest


def _read(path: Path) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return None


def _fits(certificate: x509.Certificate, wanted: set[str]) -> bool:
    if certificate.not_valid_after_utc - datetime.now(UTC) < timedelta(days=_RENEW_DAYS):
        return False
    try:
        named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    addresses = {str(address) for address in named.get_values_for_type(x509.IPAddress)}
    return wanted <= addresses | set(named.get_values_for_type(x509.DNSName))


def _make(certificate: Path, key: Path, wanted: set[str]) -> x509.Certificate:
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"knownface on {socket.gethostname()}"[:64])])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=_DAYS - 1))
        .add_extension(x509.SubjectAlternativeName([_general_name(text) for text in sorted(wanted)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(private, hashes.SHA256())
    )
    secret = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with replacing(key, private=True) as part:
        part.write_bytes(secret)
    with replacing(certificate, private=True) as part:
        part.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    if os.name == "posix":
        key.parent.chmod(0o700)
    return made


def _general_name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
