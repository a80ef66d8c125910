"""Milvus, a vector engine that spreads over many machines; Milvus Lite, in a file, answers the same calls.

A collection holds vectors of one length for all galleries, a partition one gallery's. A vector's key joins the number
of the gallery and the template's id, since keys are unique in a collection. How far a partition follows its gallery
is kept in Milvus itself (:class:`Mark`), so that an engine that was lost, restored or left behind by a crash is
noticed. Whoever asks for candidates ranks them by the gallery's own vectors, and so needs no distances.

What a program has enrolled is found by the next request of any program. "Strong" consistency, which gives that, waits
for a tick of the server's clock, 200 ms. So it is asked for by the first search after another program's change was
noticed (:meth:`MilvusPartition.mark`), and where ids are compared; every other search asks for "Session", which waits
for the program's own writes and else for nothing.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from knownface.errors import GalleryError, GalleryUnreachableError, MissingExtraError
from knownface.search.milvus_options import KINDS, MilvusOptions
from knownface.types import Embeddings, Ids

if TYPE_CHECKING:
    from pymilvus import MilvusClient

ID_BITS = 40
"""Of a key, the template's id; the gallery's number stands above them."""
GALLERY_NUMBERS = 1 << (63 - ID_BITS)

_BATCH_BYTES = 4 << 20
"""A request of Milvus may have 64 MiB; small ones keep its memory low."""
_WINDOW = 16_000
"""A query of Milvus answers with at most 16,384 rows."""

_SEALED_FROM = 10_000
"""Vectors added, for which the server is asked to build its index now rather than in its own time."""

_NOT_LOADED = 101
"""Milvus's code of the error."""

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a partition follows its gallery.

    Attributes:
        position: In the gallery's log of changes; what was removed up to there is gone from the partition.
        stamp: Of the gallery's templates at that position.
        last_id: Every template up to this id is there.
        whole: Whether every template of that state is there.
        fingerprint: Of the embedder that made the vectors; empty where an earlier version did not note it.
    """

    position: int = -1
    stamp: str = ""
    last_id: int = -1
    whole: bool = False
    fingerprint: str = ""


class MilvusPartition:
    """One gallery's vectors in Milvus.

    Args:
        options: Where and how.
        dim: Length of a vector.
        number: Of the gallery, from 0 to :data:`GALLERY_NUMBERS` - 1.

    Raises:
        MissingExtraError: pymilvus, or Milvus Lite for a file, is not installed.
        GalleryError: Milvus does not answer.
    """

    def __init__(self, options: MilvusOptions, dim: int, number: int) -> None:
        self._options, self._dim = options, dim
        self._first_key = number << ID_BITS
        self._partition = f"gallery_{number}"
        self._collection = f"{options.collection}_{dim}"
        self._marks = f"{options.collection}_marks"
        self._mark_key = f"{self._collection}/{number}"
        self._noticed = Mark()
        self._searched: Mark | None = None
        self._unsealed = 0
        self._client = _connect(options)
        with _translated(options):
            self._make()

    def _make(self) -> None:
        from pymilvus import DataType

        if not self._client.has_collection(self._collection):
            schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
            schema.add_field("id", DataType.INT64, is_primary=True)
            schema.add_field("vector", DataType.FLOAT_VECTOR, dim=self._dim)
            self._client.create_collection(
                self._collection, schema=schema, index_params=self._index(), consistency_level="Strong"
            )
        elif not self._has_wanted_index():
            self._client.release_collection(self._collection)
            self._client.drop_index(self._collection, "vector")
            self._client.create_index(self._collection, self._index())
        if not self._client.has_collection(self._marks):
            schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
            schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=512)
            schema.add_field("mark", DataType.VARCHAR, max_length=512)
            schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)  # every collection must have one
            index = self._client.prepare_index_params()
            index.add_index("vector", index_type="FLAT", metric_type="L2")
            self._client.create_collection(self._marks, schema=schema, index_params=index, consistency_level="Strong")
        if not self._client.has_partition(self._collection, self._partition):
            self._client.create_partition(self._collection, self._partition)
        self._load()

    def _load(self) -> None:
        for collection in (self._collection, self._marks):
            self._client.load_collection(collection)

    def _read(self, call: Callable[[], _Answer]) -> _Answer:
        """What a call that reads returns; after a restart a collection is not loaded until somebody asks for it."""
        from pymilvus import MilvusException

        try:
            return call()
        except MilvusException as error:
            if error.code != _NOT_LOADED:
                raise
            self._load()
            return call()

    def _index(self) -> Any:
        index = self._client.prepare_index_params()
        kind, build = KINDS[self._options.kind][0], self._options.build(self._dim)
        index.add_index("vector", index_name="vector", index_type=kind, metric_type="L2", params=build)
        return index

    def _has_wanted_index(self) -> bool:
        found = self._client.describe_index(self._collection, "vector") or {}
        wanted = {"index_type": KINDS[self._options.kind][0], **self._options.build(self._dim)}
        # Milvus Lite does not give the parameters.
        return "index_type" in found and all(str(found.get(key, value)) == str(value) for key, value in wanted.items())

    def mark(self, *, latest: bool = True) -> Mark:
        """How far the partition follows; a new one does not follow at all.

        Args:
            latest: Whether to wait for what another program may be writing; else it may be an earlier mark.

        Raises:
            GalleryError: Milvus does not answer.
        """
        with _translated(self._options):
            rows = self._read(
                lambda: self._client.get(
                    self._marks, ids=[self._mark_key], output_fields=["mark"], consistency_level=_level(latest=latest)
                )
            )
        found = Mark(**json.loads(rows[0]["mark"])) if len(rows) else Mark()
        if found != self._noticed:  # else it stays the same object, by which a search knows that nothing changed
            self._noticed = found
        return found

    def set_mark(self, mark: Mark) -> None:
        """Note how far the partition follows, after it does.

        Raises:
            GalleryError: Milvus does not answer.
        """
        row = {"id": self._mark_key, "mark": json.dumps(asdict(mark)), "vector": [0.0, 1.0]}
        with _translated(self._options):
            self._client.upsert(self._marks, [row])
        if self._searched is self._noticed:
            self._searched = mark
        self._noticed = mark

    def ids(self, first: int, last: int) -> Ids:
        """The template ids held from ``first`` to ``last``, both included, ascending.

        Raises:
            GalleryError: Milvus does not answer.
        """
        found: list[int] = []
        with _translated(self._options):
            for start in range(first, last + 1, _WINDOW):
                end = min(start + _WINDOW - 1, last)
                rows = self._client.query(
                    self._collection,
                    filter=f"id >= {self._first_key + start} and id <= {self._first_key + end}",
                    output_fields=["id"],
                    partition_names=[self._partition],
                    limit=_WINDOW,
                )
                found += [row["id"] - self._first_key for row in rows]
        return np.sort(np.array(found, dtype=np.int64))

    def add(self, ids: Ids, vectors: Embeddings) -> None:
        """Add or replace vectors.

        Args:
            ids: Template ids, int64, shape (n,).
            vectors: Float32, shape (n, dim).

        Raises:
            GalleryError: Milvus does not answer; a part may have been added.
        """
        batch = max(1, _BATCH_BYTES // (4 * self._dim))
        with _translated(self._options):
            for start in range(0, len(ids), batch):
                keys = (ids[start : start + batch] + self._first_key).tolist()
                rows = [
                    {"id": key, "vector": vector}
                    for key, vector in zip(keys, vectors[start : start + batch], strict=True)
                ]
                self._client.upsert(self._collection, rows, partition_name=self._partition)
                self._unsealed += len(rows)

    def seal(self) -> None:
        """Have what was added written to disk and indexed, where it is much; may take a minute.

        Of a large part that is not indexed yet Milvus looks at some lists only, and misses neighbours: 6 of 100 in a
        gallery of 100,000 (docs/scaling.md). By itself it writes such a part up to ten minutes later.

        Raises:
            GalleryError: Milvus does not answer.
        """
        if self._unsealed >= _SEALED_FROM:
            with _translated(self._options):
                self._client.flush(self._collection)
            self._unsealed = 0

    def remove(self, ids: Ids) -> None:
        """Remove vectors; ids not held are passed over.

        Raises:
            GalleryError: Milvus does not answer.
        """
        with _translated(self._options):
            for start in range(0, len(ids), _WINDOW):
                keys = (ids[start : start + _WINDOW] + self._first_key).tolist()
                self._client.delete(self._collection, ids=keys, partition_name=self._partition)

    def remove_beyond(self, last: int) -> None:
        """Remove every vector whose template id is larger than ``last``.

        Raises:
            GalleryError: Milvus does not answer.
        """
        above, end = self._first_key + last, self._first_key + (1 << ID_BITS) - 1
        with _translated(self._options):
            self._client.delete(
                self._collection, filter=f"id > {above} and id <= {end}", partition_name=self._partition
            )

    def drop_other_lengths(self) -> None:
        """Drop what an embedder before has left: this gallery's vectors of another length.

        Raises:
            GalleryError: Milvus does not answer.
        """
        number = self._mark_key.rpartition("/")[2]
        with _translated(self._options):
            # A pattern may only begin with what is known: servers before 2.4 know no other.
            known = f'id like "{self._options.collection}_%"'
            rows = self._client.query(self._marks, filter=known, output_fields=["id"], limit=_WINDOW)
            own = {row["id"] for row in rows if row["id"].rpartition("/")[2] == number}
            for key in own - {self._mark_key}:
                collection = key.rpartition("/")[0]
                if self._client.has_collection(collection):
                    end = self._first_key + (1 << ID_BITS) - 1
                    self._client.load_collection(collection)
                    self._client.delete(
                        collection,
                        filter=f"id >= {self._first_key} and id <= {end}",
                        partition_name=self._partition,
                    )
                self._client.delete(self._marks, ids=[key])

    def candidates(self, probes: Embeddings, k: int) -> Ids:
        """The ids of about the k nearest vectors of each probe, in no order.

        Args:
            probes: Float32, shape (n, dim).
            k: How many, at most 16,384.

        Returns:
            Int64, shape (n, k); -1 where fewer were found.

        Raises:
            GalleryError: Milvus does not answer.
        """
        found = np.full((len(probes), k), -1, dtype=np.int64)
        noticed = self._noticed
        with _translated(self._options):
            answer = self._read(
                lambda: self._client.search(
                    self._collection,
                    list(probes),
                    limit=k,
                    partition_names=[self._partition],
                    search_params={"metric_type": "L2", "params": self._options.search(k)},
                    consistency_level=_level(latest=self._searched is not noticed),
                )
            )
        self._searched = noticed
        for row, hits in enumerate(answer):
            found[row, : len(hits)] = [hit["id"] - self._first_key for hit in hits]
        return found

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _level(*, latest: bool) -> str:
    return "Strong" if latest else "Session"


def _connect(options: MilvusOptions) -> MilvusClient:
    with _translated(options):
        from pymilvus import MilvusClient

        # They write every refused call into the log, with a traceback; we raise what they raise.
        for name in ("pymilvus", "grpc._server"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        if not options.is_lite:
            return MilvusClient(options.uri, token=options.token, timeout=options.timeout)
        import milvus_lite  # noqa: F401  (pymilvus starts it, and says only that a file cannot be opened)

        file = Path(options.uri).expanduser().absolute()
        file.parent.mkdir(parents=True, exist_ok=True)
        return MilvusClient(str(file), timeout=options.timeout)


@contextlib.contextmanager
def _translated(options: MilvusOptions) -> Iterator[None]:
    try:
        from pymilvus import MilvusException
        from pymilvus.exceptions import ConnectionConfigException
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    try:
        yield
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    except OSError as error:
        raise GalleryError(f"Milvus at {options.place} cannot be opened: {error.strerror or error}.") from error
    except MilvusException as error:
        said = f"Milvus at {options.place} did not answer as it should: {' '.join(str(error.message).split())}."
        if isinstance(error, ConnectionConfigException):
            hint = "One program at a time may open a file of Milvus Lite; several need a Milvus server."
            raise GalleryError(said, hint) from error
        raise GalleryUnreachableError(said, "Check that Milvus runs, and its address and token.") from error


def _missing(error: ModuleNotFoundError) -> MissingExtraError:
    return MissingExtraError(f"Milvus needs {error.name}.", "milvus")
