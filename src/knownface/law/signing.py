"""Statements signed with Ed25519, as a text that anybody can check."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from filelock import FileLock

from knownface.errors import ReceiptError
from knownface.files import replacing
from knownface.settings import Settings
from knownface.storage import parse_location

KIND, FORMAT = "knownface receipt", 1

_RAW = serialization.Encoding.Raw, serialization.PublicFormat.Raw


@dataclass(frozen=True, slots=True)
class Verified:
    """A statement that is as it was signed.

    Attributes:
        statement: What was signed.
        fingerprint: Of the key that signed it; see :func:`fingerprint_of`.
    """

    statement: Mapping[str, Any]
    fingerprint: str


def key_file(settings: Settings) -> Path:
    """Where the signing key lies: as set, or beside the gallery, or in the data folder for one on a server."""
    if settings.receipt_key is not None:
        return settings.receipt_key.expanduser()
    file = parse_location(settings.gallery).file
    if file is None:
        return platformdirs.user_data_path("knownface") / "receipt-key.pem"
    return file.with_name(f"{file.name}.receipt-key.pem")


def open_key(path: Path) -> Ed25519PrivateKey:
    """The signing key in a file, PKCS #8 in PEM; made where there is none, readable by its owner alone.

    Raises:
        ReceiptError: The file cannot be read or holds no such key; it is left as it is.
        OutputError: It cannot be made.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(f".{path.name}.lock")):
            if not path.exists():
                with replacing(path, private=True) as part:
                    part.write_bytes(_as_pem(Ed25519PrivateKey.generate()))
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise ReceiptError(
            f"{path} cannot be read as a signing key.",
            "Bring the file back from a copy, or set receipt_key to another.",
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ReceiptError(f"{path} holds a key of another kind than Ed25519.", "Set receipt_key to another file.")
    return key


def read_public_key(path: Path) -> Ed25519PublicKey:
    """The public key in a file, which may hold the private one.

    Raises:
        ReceiptError: It cannot be read, or holds no Ed25519 key.
    """
    try:
        text = path.read_bytes()
        key = (
            serialization.load_pem_private_key(text, password=None).public_key()
            if b"PRIVATE KEY" in text
            else serialization.load_pem_public_key(text)
        )
    except (OSError, ValueError, TypeError) as error:
        raise ReceiptError(f"{path} cannot be read as a public key.", "`knownface receipt key` writes one.") from error
    if not isinstance(key, Ed25519PublicKey):
        raise ReceiptError(f"{path} holds a key of another kind than Ed25519.", "`knownface receipt key` writes one.")
    return key


def public_pem(key: Ed25519PublicKey) -> str:
    """A public key as PEM (SubjectPublicKeyInfo)."""
    form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(*form).decode("ascii")


def fingerprint_of(key: Ed25519PublicKey) -> str:
    """The first 16 bytes of SHA-256 over the key's 32 bytes, in hexadecimal groups of four: to be read aloud."""
    digits = hashlib.sha256(key.public_bytes(*_RAW)).hexdigest()[:32]
    return " ".join(digits[i : i + 4] for i in range(0, 32, 4))


def sign(statement: Mapping[str, Any], key: Ed25519PrivateKey) -> str:
    """A statement with its signature, as the text of a JSON file.

    The signature is over everything else that stands in it: its UTF-8 bytes as JSON without spaces, keys in order.
    """
    body = {"kind": KIND, "format": FORMAT, "statement": dict(statement), "public_key": _raw(key.public_key())}
    signature = base64.b64encode(key.sign(_canonical(body))).decode("ascii")
    return _text({**body, "signature": signature})


def verify(text: str, trusted: Ed25519PublicKey | None = None) -> Verified:
    """Check a signed statement: not one character may be another than :func:`sign` wrote.

    Args:
        text: The file's.
        trusted: The key that must have signed it; None believes the one that stands in it, so that whoever asks must
            compare its fingerprint.

    Raises:
        ReceiptError: It was altered, is no receipt, or was signed with another key.
    """
    try:
        found = json.loads(text)
        signature = base64.b64decode(found.pop("signature"), validate=True)
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(found["public_key"], validate=True))
        statement, kind, version = found["statement"], found["kind"], found["format"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
        raise ReceiptError(
            "This is no receipt, or a damaged one.", "Check the JSON file that was handed out."
        ) from error
    if kind == KIND and isinstance(version, int) and version > FORMAT:
        raise ReceiptError("A newer knownface wrote this receipt.", "Check it with that one.")
    try:
        whole = _text({**found, "signature": base64.b64encode(signature).decode("ascii")})
        key.verify(signature, _canonical(found))
    except (InvalidSignature, UnicodeEncodeError) as error:
        raise _altered() from error
    if kind != KIND or whole != text or not isinstance(statement, dict):
        raise _altered()
    if trusted is not None and trusted.public_bytes(*_RAW) != key.public_bytes(*_RAW):
        raise ReceiptError(
            f"This receipt was signed with another key, {fingerprint_of(key)}, than {fingerprint_of(trusted)}.",
            'Ask whoever handed it out for their public key, and check it by that: key="FILE".',
        )
    return Verified(statement, fingerprint_of(key))


def _altered() -> ReceiptError:
    return ReceiptError(
        "This receipt was altered: it is not what was signed.", "Ask whoever handed it out for the file as it was."
    )


def _as_pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _raw(key: Ed25519PublicKey) -> str:
    return base64.b64encode(key.public_bytes(*_RAW)).decode("ascii")


def _canonical(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8")


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"
