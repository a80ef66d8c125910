"""How Milvus is reached, and what its indexes and their parameters are called."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from knownface.errors import SettingsError

# Milvus's name of a kind, the parameters it is built by, and those it is searched by; see
# https://milvus.io/docs/index.md.
KINDS = {
    "flat": ("FLAT", (), ()),
    "ivf": ("IVF_FLAT", ("nlist",), ("nprobe",)),
    "sq8": ("IVF_SQ8", ("nlist",), ("nprobe",)),
    "pq": ("IVF_PQ", ("nlist", "m", "nbits"), ("nprobe",)),
    "hnsw": ("HNSW", ("M", "efConstruction"), ("ef",)),
}


_URI_HINT = "Name http://host:19530, or a file ending in .db."


@dataclass(frozen=True, slots=True)
class MilvusOptions:
    """How Milvus is reached, and which index it keeps.

    Attributes:
        uri: ``http://host:19530``, or a file ending in ``.db`` for Milvus Lite.
        token: ``user:password`` or an API key; "" for none.
        collection: The beginning of the names of the collections.
        kind: ``flat``, ``ivf``, ``sq8``, ``pq`` or ``hnsw``.
        nlist: Lists of the kinds with inverted lists.
        nprobe: Of these, scanned for a probe.
        m: Links of a node of ``hnsw``.
        ef_construction: Candidates compared when a node is linked.
        ef: Candidates kept while searching ``hnsw``; with 128, 2 % of the answers were others (docs/scaling.md).
        timeout: Seconds a call may take.

    Raises:
        SettingsError: They do not fit together.
    """

    uri: str = field(repr=False)
    token: str = field(default="", repr=False)
    collection: str = "knownface"
    kind: str = "hnsw"
    nlist: int = 1024
    nprobe: int = 64
    m: int = 16
    ef_construction: int = 128
    ef: int = 512
    timeout: float = 60.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise SettingsError(f"Milvus has no index {self.kind!r} here.", f"There are: {', '.join(KINDS)}.")
        if self.is_lite and self.kind == "pq":
            raise SettingsError("Milvus Lite has no product quantisation.", "Choose another kind, or a Milvus server.")
        if self.is_lite and not self.uri.endswith(".db"):
            raise SettingsError(f"{self.uri!r} is no address of Milvus.", _URI_HINT)

    @property
    def is_lite(self) -> bool:
        """Whether the engine is a file, which one program at a time may open."""
        return "://" not in self.uri

    @property
    def place(self) -> str:
        """What messages call the engine: the address without user and password."""
        if self.is_lite:
            return self.uri
        parts = urlsplit(self.uri)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    def build(self, dim: int) -> dict[str, int]:
        """The parameters by which Milvus builds the index."""
        values = {
            "nlist": self.nlist,
            "m": _subvectors(dim),
            "nbits": 8,
            "M": self.m,
            "efConstruction": self.ef_construction,
        }
        return {key: values[key] for key in KINDS[self.kind][1]}

    def search(self, k: int) -> dict[str, int]:
        """The parameters by which Milvus searches for the k nearest."""
        values = {"nprobe": min(self.nprobe, self.nlist), "ef": max(self.ef, k)}
        return {key: values[key] for key in KINDS[self.kind][2]}


def _subvectors(dim: int) -> int:
    # 8 numbers a byte; Milvus wants a divisor of the length.
    return next(m for m in range(max(dim // 8, 1), 0, -1) if dim % m == 0)
