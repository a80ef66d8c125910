"""Where the key of an encrypted gallery comes from: a file, the environment, a command, or a person at the terminal."""

from __future__ import annotations

import getpass
import os
import re
import secrets
import shlex
import subprocess
import sys
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from knownface.errors import GalleryKeyError, OutputError

COMMAND_SECONDS = 60.0
"""How long a command may take that tells the key; it may ask somebody for a fingerprint or a smart card."""

KEY_BYTES = 32

_FORMS = "Name it as file:PATH, env:VARIABLE, command:COMMAND or prompt."
_HEX = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True)
class Secret:
    """What a gallery is locked with.

    Attributes:
        data: A key of 32 bytes, or a passphrase in UTF-8.
        is_key: Whether it is a key, so that no time need be spent on making one of it.
    """

    data: bytes
    is_key: bool

    def __repr__(self) -> str:
        """Says nothing of it, so that no log does."""
        return "<Secret>"


def read_secret(source: str, *, new: bool = False) -> Secret:
    """The key or passphrase that a source tells.

    Args:
        source: ``file:PATH``, ``env:VARIABLE``, ``command:COMMAND`` (run without a shell; what it prints counts), or
            ``prompt``. 64 hexadecimal digits are a key, anything else is a passphrase, without the space around it.
        new: Whether something is to be locked with it: somebody at the terminal is asked twice.

    Raises:
        GalleryKeyError: There is no such source, or it tells nothing.
    """
    kind, _, value = source.partition(":")
    tellers = {"file": _from_file, "env": _from_environment, "command": _from_command, "prompt": _from_terminal}
    text = tellers.get(kind, _unknown)(value)
    if new and kind == "prompt" and _from_terminal("once more") != text:
        raise GalleryKeyError("The two passphrases differ; nothing was changed.", "Type the same twice.")
    text = text.strip()
    if not text:
        raise GalleryKeyError(f"The gallery's key is empty: {kind} tells nothing.", _FORMS)
    if _HEX.fullmatch(text):
        return Secret(bytes.fromhex(text), is_key=True)
    return Secret(unicodedata.normalize("NFC", text).encode(), is_key=False)


def make_key_file(source: str) -> bool:
    """Write a new random key to the file of a source ``file:PATH``, readable by its owner only, where there is none.

    Returns:
        Whether a file was made; False for other sources, and where there is one already.

    Raises:
        OutputError: The file cannot be written.
    """
    kind, _, value = source.partition(":")
    path = Path(value).expanduser()
    if kind != "file" or path.exists():
        return False
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except OSError as error:
        raise OutputError(f"The key cannot be written to {path}: {error.strerror}.", "Name another file.") from error
    with os.fdopen(handle, "w", encoding="ascii") as out:
        out.write(secrets.token_hex(KEY_BYTES) + "\n")
        out.flush()
        os.fsync(out.fileno())
    return True


def _from_file(value: str) -> str:
    path = Path(value).expanduser()
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise GalleryKeyError(f"The gallery's key cannot be read from {path}: {reason}.") from error


def _from_environment(value: str) -> str:
    text = os.environ.get(value)
    if text is None:
        raise GalleryKeyError(f"The variable {value} is not set, which should hold the gallery's key.")
    return text


def _from_command(value: str) -> str:
    try:
        words = shlex.split(value)
        ran = subprocess.run(words, stdout=subprocess.PIPE, timeout=COMMAND_SECONDS, check=True)  # noqa: S603
        return ran.stdout.decode()
    except (OSError, ValueError, IndexError, subprocess.SubprocessError) as error:
        # Without the output, which may hold the key.
        raise GalleryKeyError(f"The command that tells the gallery's key failed: {value!r}.") from error


def _from_terminal(how: str) -> str:
    if not sys.stdin.isatty():
        raise GalleryKeyError("The gallery's passphrase cannot be asked for: there is no terminal.", _FORMS)
    return getpass.getpass(f"Passphrase of the gallery{how and ', ' + how}: ")


def _unknown(_: str) -> str:
    raise GalleryKeyError("The setting gallery_key names no source of a key.", _FORMS)
