"""``Sealer``: seals and opens records; and the seal of a gallery, by which its data key is kept with it.

Records are sealed with AES-256-GCM (NIST SP 800-38D) under a random nonce each; texts that are looked up by their value
with AES-SIV (RFC 5297), which seals equal texts equally. Both keys are made by HKDF (RFC 5869) of a random data key,
which lies in the gallery, wrapped by the user's key; one of a passphrase is made by scrypt (RFC 7914).
"""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from knownface.errors import GalleryKeyError, MissingExtraError
from knownface.storage.failures import UnplacedError
from knownface.storage.sealing.keys import KEY_BYTES, Secret

MAGIC = b"\xff\xff\xff\xff\x01"
"""What a sealed record begins with. As the first number of a vector it would be none, and no JPEG begins with it."""
TEXT_MAGIC = "sealed:1:"

_NONCE, _ID = 12, 8
_HEAD = len(MAGIC) + _ID
_START = _HEAD + _NONCE
_SCRYPT = {"n": 1 << 17, "r": 8, "p": 1}
"""128 MB and about 0.4 s for each try, as OWASP's cheat sheet on password storage advises."""


class Sealer:
    """Seals and opens the records of one gallery.

    Args:
        data_key: 32 random bytes.
        gallery: What tells this gallery from others: records of another one are not taken for its.
        names: Whether names are sealed too.
    """

    def __init__(self, data_key: bytes, gallery: bytes, *, names: bool = False) -> None:
        ciphers = aead()
        self.names = names
        self._data_key, self._gallery = data_key, gallery
        self.id = _derived(data_key, b"id", _ID)
        self._head = MAGIC + self.id
        self._invalid = (ciphers.InvalidTag, ValueError)
        self._records = ciphers.AESGCM(_derived(data_key, b"records", KEY_BYTES))
        self._texts = ciphers.AESSIV(_derived(data_key, b"texts", 2 * KEY_BYTES))
        self._bindings: dict[str, bytes] = {}

    def seal(self, record: bytes, kind: str) -> bytes:
        """Seal a record; ``kind`` is bound to it, so that a picture is never opened as a vector."""
        nonce = secrets.token_bytes(_NONCE)
        sealed: bytes = self._records.encrypt(nonce, record, self._bound(kind))
        return self._head + nonce + sealed

    def open(self, sealed: bytes, kind: str) -> bytes | None:
        """What :meth:`seal` was given; None where a bit was changed, or it is of another gallery, kind or key."""
        if not sealed.startswith(self._head):
            return None
        try:
            opened: bytes = self._records.decrypt(sealed[_HEAD:_START], sealed[_START:], self._bound(kind))
        except self._invalid:
            return None
        return opened

    def seal_text(self, text: str, kind: str) -> str:
        """Seal a text; equal texts of a kind are sealed equally, so that they are found again and stay unique."""
        sealed = self._texts.encrypt(text.encode("utf-8", "surrogatepass") or b"\0", [self._bound(kind)])
        return TEXT_MAGIC + base64.b64encode(sealed).decode()

    def open_text(self, sealed: str, kind: str) -> str | None:
        """What :meth:`seal_text` was given; None as for :meth:`open`."""
        if not sealed.startswith(TEXT_MAGIC):
            return None
        try:
            raw = base64.b64decode(sealed[len(TEXT_MAGIC) :], validate=True)
            opened = self._texts.decrypt(raw, [self._bound(kind)])
        except self._invalid:
            return None
        return "" if opened == b"\0" else opened.decode("utf-8", "surrogatepass")

    def _bound(self, kind: str) -> bytes:
        bound = self._bindings.get(kind)
        if bound is None:
            bound = self._bindings[kind] = self._gallery + kind.encode()
        return bound

    def locked(self, secret: Secret) -> str:
        """The seal: the data key, wrapped by a key or passphrase, as the gallery keeps it; JSON."""
        kdf = "none" if secret.is_key else "scrypt"
        head = _Head(self._gallery.hex(), self.id.hex(), kdf, names=self.names)
        nonce = secrets.token_bytes(_NONCE)
        wrapped = aead().AESGCM(head.key_of(secret)).encrypt(nonce, self._data_key, head.bound())
        return json.dumps({**head.fields(), "wrapped": base64.b64encode(nonce + wrapped).decode()})


def new_sealer(*, names: bool = False) -> Sealer:
    """A sealer with a new data key, for a gallery that has none."""
    return Sealer(secrets.token_bytes(KEY_BYTES), secrets.token_bytes(16), names=names)


def another(sealer: Sealer, *, names: bool | None = None) -> Sealer:
    """A sealer of the same gallery with a new data key; ``names`` as before, where it is None."""
    sealed = sealer.names if names is None else names
    return Sealer(secrets.token_bytes(KEY_BYTES), sealer._gallery, names=sealed)


def unlocked(seal: str, secret: Secret) -> Sealer:
    """The sealer that a seal holds.

    Raises:
        UnplacedError: The key or passphrase is another one, or the seal was damaged: a GalleryKeyError or
            GalleryDamagedError.
    """
    try:
        fields: dict[str, Any] = json.loads(seal)
        wrapped = base64.b64decode(fields.pop("wrapped"), validate=True)
        head = _Head(**fields)
        gallery = bytes.fromhex(head.gallery)
        key = head.key_of(secret)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        raise UnplacedError(
            GalleryKeyError,
            "What {place} keeps of its data key is damaged, so that no key opens it.",
            "Restore a backup with `knownface gallery restore`.",
        ) from None
    try:
        data_key = aead().AESGCM(key).decrypt(wrapped[:_NONCE], wrapped[_NONCE:], head.bound())
    except (aead().InvalidTag, ValueError):
        raise UnplacedError(
            GalleryKeyError, "The gallery {place} is encrypted with another key or passphrase.", ""
        ) from None
    return Sealer(data_key, gallery, names=head.names)


def is_sealed(record: bytes) -> bool:
    """Whether a record looks sealed."""
    return bytes(record[: len(MAGIC)]) == MAGIC


@dataclass(frozen=True, slots=True)
class _Head:
    """What a seal says of itself, and what the wrapping of the data key is bound to."""

    gallery: str
    data_key: str
    kdf: str
    salt: str = field(default_factory=lambda: secrets.token_hex(16))
    n: int = _SCRYPT["n"]
    r: int = _SCRYPT["r"]
    p: int = _SCRYPT["p"]
    version: int = 1
    names: bool = False

    def fields(self) -> dict[str, Any]:
        # Galleries from before names could be sealed say nothing of them, and what is wrapped is bound to that.
        left_out = set() if self.names else {"names"}
        return {name: getattr(self, name) for name in self.__slots__ if name not in left_out}

    def bound(self) -> bytes:
        return json.dumps(self.fields(), sort_keys=True).encode()

    def key_of(self, secret: Secret) -> bytes:
        """Of another kind than the gallery's was, a secret makes a key that does not fit."""
        if self.version != 1 or self.kdf not in ("none", "scrypt"):
            raise ValueError(f"a seal of version {self.version} by {self.kdf}")
        if self.kdf == "none":
            return _derived(secret.data, b"wrap" + bytes.fromhex(self.salt), KEY_BYTES)
        if not (1 < self.n <= 1 << 22 and 0 < self.r <= 64 and 0 < self.p <= 64):
            raise ValueError("no sensible cost")
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

        kdf = Scrypt(salt=bytes.fromhex(self.salt), length=KEY_BYTES, n=self.n, r=self.r, p=self.p)
        return kdf.derive(secret.data)


def _derived(key: bytes, purpose: bytes, length: int) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), length, None, b"knownface " + purpose).derive(key)


def aead() -> Any:
    """The module of the ciphers.

    Raises:
        MissingExtraError: cryptography is not installed.
    """
    try:
        from knownface.storage.sealing import aead as ciphers
    except ModuleNotFoundError as error:
        raise MissingExtraError("cryptography is not installed, which encrypts galleries.", "encryption") from error
    return ciphers
