"""What every copy of a gallery's vectors that is searched does, in this process or outside of it."""

from __future__ import annotations

from typing import Protocol

from sqlalchemy import Connection

from knownface.gallery.index.snapshot import SnapshotReader
from knownface.types import Embeddings, Neighbours


class SearchCopy(Protocol):
    """A copy of a gallery's vectors that follows the database, which stays the truth.

    All methods but :meth:`after_removal` and :meth:`close` are called with the snapshots' lock held.
    """

    @property
    def description(self) -> str:
        """What searches, for users."""
        ...

    @property
    def is_current(self) -> bool:
        """Whether it holds the templates of the latest snapshot."""
        ...

    def update(self, connection: Connection) -> None:
        """Bring it to the latest snapshot, by no more work than the changes need.

        Args:
            connection: In the reading transaction that the snapshot is of.

        Raises:
            GalleryError: The database, or an engine outside of the process, does not answer.
        """
        ...

    def maintain(self) -> None:
        """Begin or finish what may take long and keeps nobody waiting; called after :meth:`update`, outside of it."""
        ...

    def search(self, embeddings: Embeddings, k: int) -> Neighbours:
        """The k nearest templates of each probe, as of the last :meth:`update`.

        Raises:
            IndexDamagedError: A saved copy turned out to be damaged; :meth:`reset` and another update mend it.
        """
        ...

    def reset(self) -> None:
        """Drop what was found damaged; the next :meth:`update` takes everything from the database."""
        ...

    def save(self) -> None:
        """Bring it up to date and save it, so that the next start finds it.

        Raises:
            OutputError: It cannot be saved.
        """
        ...

    def is_saved(self, connection: Connection) -> bool | None:
        """Whether the next start finds a saved copy that it can use; None where none is needed."""
        ...

    def after_removal(self) -> None:
        """Take what was removed from the database out of any place that nothing else clears."""
        ...

    def close(self) -> None:
        """Save what is worth it and let go of everything; failures are logged."""
        ...


class IndexChoice(Protocol):
    """Which index searches a gallery, and how; a frozen value."""

    def open(self, snapshots: SnapshotReader) -> SearchCopy:
        """The copy for one opened gallery.

        Raises:
            SettingsError: This index cannot search such a gallery.
        """
        ...
