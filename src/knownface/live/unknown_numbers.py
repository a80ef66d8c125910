"""Numbers of Unknowns, fetched on a thread of their own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor


class UnknownNumbers:
    """Gives numbers that come from a database, which may be slow or locked, to a caller who must not wait.

    One number is fetched at a time, and only after one was asked for: none is used up for nobody. Used by one thread.

    Args:
        fetch: Gives another number; called on a thread of its own.
    """

    def __init__(self, fetch: Callable[[], int]) -> None:
        self._fetch = fetch
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="knownface-numbers")
        self._coming: Future[int] | None = None

    def poll(self) -> int | None:
        """Returns another number; None if it has not come yet: ask again.

        Raises:
            GalleryError, OutputError: As the fetching raises them.
        """
        if self._coming is None:
            self._coming = self._pool.submit(self._fetch)
        return self.get() if self._coming.done() else None

    def get(self) -> int:
        """Waits for another number and returns it.

        Raises:
            GalleryError, OutputError: As the fetching raises them.
        """
        coming, self._coming = self._coming or self._pool.submit(self._fetch), None
        return coming.result()

    def close(self) -> None:
        """Ends the thread."""
        self._pool.shutdown()
