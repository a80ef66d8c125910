"""A picture changed before it is searched for a face, as the experiments do it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from knownface.types import Face, Image

Change: TypeAlias = Callable[[Image, Face], Image]
"""An RGB picture and its largest face in, an RGB picture out."""


def _same(image: Image, face: Face) -> Image:  # noqa: ARG001 - a change takes both
    return image


@dataclass(frozen=True, slots=True, eq=False)
class Alteration:
    """A change of a picture, or another crop of it.

    Attributes:
        name: What is done, such as ``blurred``.
        strength: How strongly, for people to read.
        change: Done to the whole picture, which is then searched for a face anew.
        crop: Instead of the embedder's own crop of the unaltered picture.
        version: Raised when the alteration gives other pictures than before, so that cached embeddings of the old
            ones are not used.
    """

    name: str
    strength: str
    change: Change = _same
    crop: Change | None = None
    version: int = 1

    @property
    def key(self) -> str:
        """Identifies the alteration in the cache."""
        return f"{self.version} {self.name} {self.strength}"

    @property
    def label(self) -> str:
        """Name and strength."""
        return f"{self.name} ({self.strength})" if self.strength else self.name
