"""Fetching a file over HTTP so that a cut connection, a killed program or a full disk costs nothing twice."""

from __future__ import annotations

import http
import http.client
import logging
import os
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from knownface.errors import ModelUnavailableError
from knownface.files import unwritable
from knownface.models.entry import HubSource
from knownface.models.files import remove

log = logging.getLogger(__name__)

Progress: TypeAlias = Callable[[int, int | None], None]
"""Called with the bytes that are here and, where known, those that will be."""

TIMEOUT = 20.0
"""Seconds without a byte after which a connection is given up."""
ATTEMPTS = 5
"""Connections in a row that may bring nothing."""
_CHUNK = 1 << 20
_OFFLINE_VARIABLES = ("KNOWNFACE_OFFLINE", "HF_HUB_OFFLINE")
_TRUE = {"1", "on", "yes", "true"}
_REFUSALS = range(400, 500)
_TEMPORARY = (http.HTTPStatus.REQUEST_TIMEOUT, http.HTTPStatus.TOO_MANY_REQUESTS)


def offline() -> bool:
    """Whether the user forbade the network by ``KNOWNFACE_OFFLINE`` or ``HF_HUB_OFFLINE``."""
    return any(os.environ.get(variable, "").strip().lower() in _TRUE for variable in _OFFLINE_VARIABLES)


def hub_address(source: HubSource) -> str:
    """Address of a hub file at its commit, on the hub or the mirror that ``HF_ENDPOINT`` names."""
    endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/") or "https://huggingface.co"
    return f"{endpoint}/{source.repo}/resolve/{source.revision}/{urllib.parse.quote(source.path)}"


def hub_headers() -> dict[str, str]:
    """The user's hub token, if there is one, as a mirror or a private copy may want it.

    The transfer is our own, since ``hf_hub_download`` starts again at zero after its process ended; and with the
    packages that it needs, huggingface_hub would take 29 MB for this line.
    """
    if os.environ.get("HF_HUB_DISABLE_IMPLICIT_TOKEN", "").strip().lower() in _TRUE:
        return {}
    token = _hub_token()
    return {"Authorization": f"Bearer {token}"} if token else {}


def _hub_token() -> str | None:
    """The token of the environment, else the one that ``hf auth login`` left, found by huggingface_hub's variables."""
    given = os.environ.get("HF_TOKEN") or os.environ.get("HUGGING_FACE_HUB_TOKEN")
    if given and given.strip():
        return given.strip()
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = os.environ.get("HF_HOME", f"{cache}/huggingface")
    path = os.environ.get("HF_TOKEN_PATH", f"{home}/token")
    try:
        return Path(os.path.expandvars(path)).expanduser().read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeError):
        return None


def hub_answers(source: HubSource, timeout: float = 2.5) -> bool:
    """Whether the hub has this file to hand out; see :func:`url_answers`."""
    return url_answers(hub_address(source), timeout)


def url_answers(url: str, timeout: float = 2.5) -> bool:
    """Whether an address has something to hand out, or wants a token for it.

    Args:
        url: The address.
        timeout: Seconds that this takes at most, even where the resolution of names hangs.
    """
    if offline():
        return False
    answered = threading.Event()

    def ask() -> None:
        try:
            with _open(url, {}, method="HEAD", timeout=timeout):
                answered.set()
        except urllib.error.HTTPError as error:
            if error.code == http.HTTPStatus.UNAUTHORIZED:
                answered.set()
            error.close()
        except (OSError, ValueError, http.client.HTTPException) as error:
            log.debug("%s does not answer: %s", url, error)

    # No timeout of a socket covers the resolution of names, so the question is asked in a thread that may be left.
    thread = threading.Thread(target=ask, daemon=True, name="url-answers")
    thread.start()
    thread.join(timeout)
    return answered.is_set()


def transfer(
    url: str,
    part: Path,
    *,
    byte_count: int | None = None,
    headers: Mapping[str, str] | None = None,
    on_progress: Progress | None = None,
) -> None:
    """Bring the content of an address into a file, going on where an earlier attempt ended.

    Args:
        url: The address.
        part: The file; what it holds already is taken for the beginning.
        byte_count: Size of the whole, where known.
        headers: Further headers; none of them is sent to another host that the address points to.
        on_progress: Called from time to time.

    Raises:
        ModelUnavailableError: The address does not hand the file out. What has come so far stays in ``part``.
        OutputError: ``part`` cannot be written.
    """
    idle, most = 0, _size(part)
    while True:
        before = _size(part)
        if byte_count is not None and before > byte_count:
            remove(part)
            before = 0
        try:
            if before == byte_count or _receive(url, part, before, byte_count, headers or {}, on_progress):
                return
            problem = "the connection was cut"
        except urllib.error.HTTPError as error:
            error.close()
            problem = f"it answers {error.code}"
            if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                remove(part)
            elif error.code in _REFUSALS and error.code not in _TEMPORARY:
                raise ModelUnavailableError(f"{url} does not hand out the file: {problem}.") from error
        except ValueError as error:
            raise ModelUnavailableError(f"{url} is no address: {error}.", "Check HF_ENDPOINT.") from error
        except (OSError, http.client.HTTPException) as error:
            problem = str(getattr(error, "reason", error)) or type(error).__name__
        idle = 0 if _size(part) > most else idle + 1
        most = max(most, _size(part))
        if idle >= ATTEMPTS:
            raise ModelUnavailableError(
                f"{url} could not be fetched: {problem}. {_size(part)} bytes are here.",
                "Run the same command again: it goes on where it stopped.",
            )
        log.info("%s: %s; going on at byte %d", url, problem, _size(part))
        time.sleep(0.2 * 2**idle)


def _receive(
    url: str,
    part: Path,
    start: int,
    byte_count: int | None,
    headers: Mapping[str, str],
    on_progress: Progress | None,
) -> bool:
    """Append what one connection brings; whether the file is whole."""
    wanted = {**headers, "Accept-Encoding": "identity"}
    if start:
        wanted["Range"] = f"bytes={start}-"
    with _open(url, wanted) as response:
        resumed = response.status == http.HTTPStatus.PARTIAL_CONTENT and _range_start(response) == start
        done = start if resumed else 0
        length = response.headers.get("Content-Length")
        total = byte_count if length is None else done + int(length)
        try:
            target = part.open("ab" if resumed else "wb", buffering=0)
        except OSError as error:
            raise unwritable(part, error) from error
        with target:
            while chunk := response.read(_CHUNK):
                _write(target.write, chunk, part)
                done += len(chunk)
                if on_progress is not None:
                    on_progress(done, total)
    return total is None or done >= total


def _open(
    url: str, headers: Mapping[str, str], method: str = "GET", timeout: float = TIMEOUT
) -> http.client.HTTPResponse:
    request = urllib.request.Request(url, method=method)  # noqa: S310 - the catalogue's or the user's own endpoint
    request.add_header("User-Agent", "knownface")
    for key, value in headers.items():
        # The hub redirects to other hosts, which the user's token is none of the business of.
        add = request.add_unredirected_header if key.lower() == "authorization" else request.add_header
        add(key, value)
    response: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=timeout)  # noqa: S310
    return response


def _range_start(response: http.client.HTTPResponse) -> int | None:
    found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(found.group(1)) if found else None


def _write(write: Callable[[memoryview], int], chunk: bytes, part: Path) -> None:
    view = memoryview(chunk)
    try:
        while view:
            view = view[write(view) :]
    except OSError as error:
        raise unwritable(part, error) from error


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
