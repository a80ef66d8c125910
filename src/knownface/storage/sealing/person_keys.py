"""Keys of people, by which a backup is sealed a second time; and the file that keeps them apart from it."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from knownface.errors import GalleryKeyError
from knownface.storage.sealing.keys import KEY_BYTES, Secret
from knownface.storage.sealing.sealer import Sealer, aead, unlocked

_MAGIC = b"\xff\xff\xff\xff\x02"
_NONCE = 12
_FORMAT = "knownface person keys 1"
_KIND = "person keys"


@dataclass(frozen=True, slots=True)
class OwnKey:
    """What a person's records are sealed by in a backup.

    Attributes:
        key: Which it is: 32 hexadecimal digits, the same in every copy.
        secret: 32 random bytes.
    """

    key: str
    secret: bytes

    def __repr__(self) -> str:
        """Says nothing of the secret, so that no log does."""
        return f"<OwnKey {self.key}>"

    @classmethod
    def new(cls) -> OwnKey:
        """A random one."""
        return cls(secrets.token_hex(16), secrets.token_bytes(KEY_BYTES))

    def seal(self, record: bytes) -> bytes:
        """Seal a record."""
        nonce = secrets.token_bytes(_NONCE)
        sealed: bytes = aead().AESGCM(self.secret).encrypt(nonce, record, self.key.encode())
        return _MAGIC + nonce + sealed

    def open(self, sealed: bytes) -> bytes | None:
        """What :meth:`seal` was given; None where a bit was changed, or it is sealed by another key."""
        start = len(_MAGIC) + _NONCE
        if sealed[: len(_MAGIC)] != _MAGIC:
            return None
        try:
            opened: bytes = (
                aead().AESGCM(self.secret).decrypt(sealed[len(_MAGIC) : start], sealed[start:], self.key.encode())
            )
        except (aead().InvalidTag, ValueError):
            return None
        return opened


def key_file(keys: Mapping[str, bytes], sealer: Sealer, secret: Secret) -> str:
    """The text of a key store: every secret by its key, sealed; opened by the gallery's key of now."""
    record = json.dumps({key: value.hex() for key, value in keys.items()}).encode()
    sealed = base64.b64encode(sealer.seal(record, _KIND)).decode()
    return json.dumps({"format": _FORMAT, "seal": sealer.locked(secret), "keys": sealed}, indent=1) + "\n"


def read_key_file(text: str, secret: Secret) -> dict[str, bytes]:
    """What :func:`key_file` was given.

    Raises:
        GalleryKeyError: It is no key store, or was altered.
        UnplacedError: It was sealed with another key or passphrase.
    """
    try:
        read = json.loads(text)
        sealed_by = {_FORMAT: str(read["seal"])}[read["format"]]
        sealed = base64.b64decode(read["keys"], validate=True)
    except (ValueError, TypeError, KeyError) as error:
        raise GalleryKeyError(
            "This file holds no keys of people.", "Name the one that `gallery backup --keys` wrote."
        ) from error
    record = unlocked(sealed_by, secret).open(sealed, _KIND)
    if record is None:
        raise GalleryKeyError("The keys of people are damaged.", "Take another copy of the file.")
    return {key: bytes.fromhex(value) for key, value in json.loads(record).items()}
