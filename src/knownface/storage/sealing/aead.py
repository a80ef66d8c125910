"""What is used of the package cryptography for records; imported only where a gallery is encrypted."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV

__all__ = ["AESGCM", "AESSIV", "InvalidTag"]
