"""Which of several models can be had: one whose file is here, else one that can be fetched."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from knownface.errors import ModelAlteredError, ModelUnavailableError, OutputError
from knownface.models.entry import ModelEntry
from knownface.models.fetch import source_answers
from knownface.models.store import ModelStore

log = logging.getLogger(__name__)


def first_at_hand(
    entries: Sequence[ModelEntry], store: ModelStore, timeout: float | None = None
) -> tuple[ModelEntry, str] | None:
    """The first of some models whose file is on this machine, else the first that can be fetched.

    Args:
        entries: The best first.
        store: Where the files are.
        timeout: Seconds that the address of a file has to answer before it is fetched; None fetches at once.

    Returns:
        The model, and where its file is from as the end of a sentence; None if none can be had.
    """
    for entry in entries:
        if (path := store.find(entry.name)) is not None:
            return entry, f"from {path}"
    for entry in entries:
        if timeout is None or source_answers(entry.files[0], timeout):
            try:
                store.fetch(entry.name)
            except (ModelUnavailableError, ModelAlteredError, OutputError) as error:
                log.info("%s could not be fetched: %s", entry.name, error.message)
            else:
                return entry, "fetched"
    return None
