"""Milvus as the index of a gallery."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, Engine, select

from knownface.errors import SettingsError
from knownface.gallery.changes import State, read_changes, read_position, stamp_at
from knownface.gallery.contracts import read_contract
from knownface.gallery.index import remote
from knownface.gallery.index.snapshot import SnapshotReader
from knownface.gallery.templates import read_people, read_vectors
from knownface.search.milvus import GALLERY_NUMBERS, Mark, MilvusPartition
from knownface.search.milvus_options import MilvusOptions
from knownface.settings import Settings
from knownface.storage import insert_new
from knownface.storage.schema import meta
from knownface.types import Embeddings, Ids

META_MILVUS_NUMBER = "milvus_number"
"""Key in ``meta``: the number of this gallery in Milvus."""


@dataclass(frozen=True, slots=True)
class Milvus:
    """Milvus as the index; see :class:`knownface.gallery.index.copy.IndexChoice`.

    Attributes:
        options: Where Milvus is, and which index it keeps.
    """

    options: MilvusOptions

    @classmethod
    def from_settings(cls, settings: Settings) -> Milvus:
        """What the settings say.

        Raises:
            SettingsError: They do not fit together.
        """
        uri, token, effort = settings.milvus_uri, settings.milvus_token, settings.search_effort
        if uri is None:
            raise SettingsError(
                "index is milvus, and milvus_uri is not set.", "Set it to http://host:19530 or a .db file."
            )
        efforts = {} if effort is None else {"nprobe": effort, "ef": effort}
        secret = "" if token is None else token.get_secret_value()
        return cls(MilvusOptions(uri, secret, settings.milvus_collection, settings.milvus_index, **efforts))

    def open(self, snapshots: SnapshotReader) -> remote.RemoteCopy:
        """The copy for one opened gallery."""
        options = self.options
        return remote.RemoteCopy(
            snapshots,
            lambda connection, dim: MilvusIndex(connection, options, dim),
            f"milvus: {options.place} proposes ({options.kind}), the best are compared exactly",
        )


class MilvusIndex:
    """A partition in Milvus, brought up to date by the place in the log of changes and the stamp that it holds.

    Args:
        connection: Of the gallery, in a writing transaction: a gallery new to Milvus gets its number.
        options: Where Milvus is, and which index it keeps.
        dim: Length of a vector.
    """

    def __init__(self, connection: Connection, options: MilvusOptions, dim: int) -> None:
        number = str(secrets.randbelow(GALLERY_NUMBERS))
        insert_new(connection, meta, [{"key": META_MILVUS_NUMBER, "value": number}])
        number = connection.execute(select(meta.c.value).where(meta.c.key == META_MILVUS_NUMBER)).scalar_one()
        self._partition = MilvusPartition(options, dim, int(number))
        self._dim = dim
        contract = read_contract(connection)
        self._fingerprint = "" if contract is None else contract.fingerprint

    def is_behind(self, connection: Connection, state: State) -> bool:  # noqa: ARG002  (Milvus itself is asked)
        """Whether the partition does not hold exactly this state's templates."""
        return not self._holds(self._partition.mark(latest=False), state)

    @staticmethod
    def _holds(mark: Mark, state: State) -> bool:
        return mark.whole and mark.stamp == state.stamp

    def step(self, connection: Connection, state: State) -> bool:
        """Remove what went, add the next templates, note how far it is; a step that was cut short is repeated."""
        mark = self._partition.mark()
        if self._holds(mark, state):
            return True
        # A gallery that was restored has another log; its stamps differ.
        known = mark.position >= 0 and stamp_at(connection, mark.position) == mark.stamp
        changes = read_changes(connection, mark.position) if known else None
        if changes is None:
            self._partition.drop_other_lengths()
            if not known and mark.fingerprint != self._fingerprint:
                self._partition.remove_beyond(-1)  # the same ids, but another embedder's vectors
            mark = self._compare(connection, state)
        elif len(changes.removed):
            self._partition.remove(changes.removed)
        vectors, ids, _ = read_vectors(connection, self._dim, first=mark.last_id + 1, limit=remote.STEP)
        self._partition.add(ids, vectors)
        last = int(ids[-1]) if len(ids) else mark.last_id
        done = len(ids) < remote.STEP
        self._partition.set_mark(Mark(read_position(connection), state.stamp, last, done, self._fingerprint))
        return done

    def _compare(self, connection: Connection, state: State) -> Mark:
        """Remove whatever the gallery does not hold, and find the first template that is missing."""
        ids, _ = read_people(connection)
        last = int(ids[-1]) if len(ids) else -1
        held = self._partition.ids(0, last)
        self._partition.remove(np.setdiff1d(held, ids, assume_unique=True))
        self._partition.remove_beyond(last)
        missing = np.setdiff1d(ids, held, assume_unique=True)
        return Mark(read_position(connection), state.stamp, int(missing[0]) - 1 if len(missing) else last)

    def maintain(self, engine: Engine) -> None:  # noqa: ARG002
        """Have Milvus index now what it would index by itself some minutes later."""
        self._partition.seal()

    def candidates(self, connection: Connection, probes: Embeddings, k: int) -> Ids:  # noqa: ARG002
        """See :class:`knownface.gallery.index.remote.RemoteIndex`."""
        return self._partition.candidates(probes, k)

    def close(self) -> None:
        """Close the connection."""
        self._partition.close()
