"""Which index searches a gallery in this process: by its size, unless set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from knownface.search import CompressedIndex, FaissFlatIndex
from knownface.search.compressed import lists_for
from knownface.settings import Settings

Kind = Literal["flat", "compressed", "ivf"]
LocalIndex = FaissFlatIndex | CompressedIndex

FLAT_UP_TO = 20_000
"""Templates that are all compared exactly, which takes about a millisecond."""
COMPRESSED_UP_TO = 5_000_000
"""Templates whose codes are all looked at, which takes about 4 ms for each million."""

_LEEWAY = 1.25
"""How far a size may lie beyond a limit before the index that is there is replaced."""

TOLD: dict[Kind, str] = {
    "flat": "flat: every template is compared, exact",
    "compressed": "compressed: every template's code is looked at, the best are compared exactly",
    "ivf": "ivf: the codes in the lists nearest to the face are looked at, the best are compared exactly",
}


@dataclass(frozen=True, slots=True)
class IndexOptions:
    """How this process searches.

    Attributes:
        kind: Which index; None chooses by size.
        probes: Lists that ``ivf`` looks into; None is an eighth of them.
        templates_per_person: The most that are searched of each person, chosen by coverage and quality; None is all.
    """

    kind: Kind | None = None
    probes: int | None = None
    templates_per_person: int | None = None

    def kind_for(self, count: int) -> Kind:
        """The kind for so many templates."""
        if self.kind is not None:
            return self.kind
        return "flat" if count <= FLAT_UP_TO else "compressed" if count <= COMPRESSED_UP_TO else "ivf"

    def is_outgrown(self, index: LocalIndex) -> bool:
        """Whether an index should be replaced by one of another kind, or trained anew."""
        if isinstance(index, CompressedIndex) and index.outgrown:
            return True
        kind, count = kind_of(index), len(index)
        return kind not in {self.kind_for(round(count * _LEEWAY)), self.kind_for(round(count / _LEEWAY))}


def index_options(settings: Settings) -> IndexOptions:
    """What the settings say about the index of this process."""
    kinds: dict[str, Kind] = {kind: kind for kind in TOLD}
    kind = kinds.get(settings.index)
    return IndexOptions(kind, settings.search_effort if kind == "ivf" else None, settings.templates_per_person)


def kind_of(index: LocalIndex) -> Kind:
    """What kind an index is."""
    if isinstance(index, FaissFlatIndex):
        return "flat"
    return "ivf" if index.lists else "compressed"


def lists_of(kind: Kind, count: int) -> int:
    """How many lists an index of a kind gets; 0 for none."""
    return lists_for(count) if kind == "ivf" else 0
