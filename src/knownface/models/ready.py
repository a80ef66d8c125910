"""Networks as ONNX Runtime runs them, kept on disk: rewritten and optimised once, not at each start.

They are optimised for any processor and one version of ONNX Runtime, which does what suits this processor alone at each
start. Their weights lie in a file of their own, which is mapped into memory instead of read.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import shutil
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import onnxruntime

from knownface.errors import KnownFaceError
from knownface.files import beside, sha256_of
from knownface.models.files import weights_sha256
from knownface.models.session import is_small, load_session
from knownface.parts import digest_of

log = logging.getLogger(__name__)

FOLDER = "ready"
"""Of the cache."""

_NETWORK = "network.onnx"
_KEPT_SECONDS = 86_400
"""How long a copy is left that another version may still use: two in turns make theirs once a day at most."""
_DIGITS = 16


def ready_network(path: Path, name: str, folder: Path, make: Callable[[], bytes | None]) -> Path | None:
    """The kept copy of a network, ready to be run by a processor; it is made where there is none.

    A copy's name says what it was made from and what it holds, so that one that was damaged, or is of another network
    or version, is not used; any number of programs may write at once.

    Args:
        path: The network's file.
        name: Of the network, for people who look into the folder.
        folder: Where copies are kept.
        make: Gives what ONNX Runtime reads, None where that is the file itself.

    Returns:
        An ONNX file; None for a large network, and where the folder cannot be written or the network be loaded.
    """
    if not is_small(path, None):
        return None
    try:
        made_of = {"weights": weights_sha256(path), "onnxruntime": onnxruntime.__version__, "code": _code()}
        stem = f"{name}-{digest_of(made_of)[:_DIGITS]}"
        for copy in folder.glob(f"{stem}-*"):
            if copy.name == f"{stem}-{_digest(copy)}":
                return copy / _NETWORK
            log.warning("%s is damaged; it is made anew.", copy)
            shutil.rmtree(copy)
        made = _made(path, folder / stem, make())
    except (OSError, KnownFaceError) as error:
        log.info("No copy of %s is kept: %s", path, error)
        return None
    _tidy(folder, name)
    return made / _NETWORK


def _made(path: Path, stem: Path, content: bytes | None) -> Path:
    part = beside(stem)
    try:
        part.mkdir(parents=True)
        load_session(path, ["CPUExecutionProvider"], 1, content, optimised=part / _NETWORK)
        made = stem.with_name(f"{stem.name}-{_digest(part)}")
        try:
            part.rename(made)
        except OSError:
            if not made.is_dir():  # no other program was faster
                raise
        return made
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _tidy(folder: Path, name: str) -> None:
    """Delete old copies of a network, and what a program left that was killed while it wrote one."""
    digits = "[0-9a-f]" * _DIGITS
    for pattern in (f"{name}-{digits}-{digits}", f".{name}-{digits}-*.part"):
        for copy in folder.glob(pattern):
            with contextlib.suppress(OSError):
                if time.time() - copy.stat().st_mtime > _KEPT_SECONDS:
                    shutil.rmtree(copy)


def _digest(copy: Path) -> str:
    """Of what a copy holds; CRC-32 is enough against chance, and SHA-256 takes a start some hundredths of a second."""
    return digest_of({file.name: zlib.crc32(file.read_bytes()) for file in copy.iterdir()})[:_DIGITS]


@functools.cache
def _code() -> str:
    """A digest of all that this package makes networks with."""
    folder = Path(__file__).parent
    files = sorted(file for file in folder.rglob("*") if file.suffix in {".py", ".npz"})
    return digest_of({str(file.relative_to(folder)): sha256_of(file) for file in files})
