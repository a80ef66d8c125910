"""Which templates an index holds and whose they are: a change costs what changed, not what there is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from knownface.search.rows import Growing
from knownface.types import Ids

NO_PERSON = -1
"""The owner of a template that is not held."""

_MOST_REMOVED = 0.25


class PersonLookup:
    """Ids, ascending, and owners.

    Args:
        templates: Int64, shape (n,), ascending, none twice.
        owners: Int64, shape (n,): person ids.
    """

    def __init__(self, templates: Ids, owners: Ids) -> None:
        self._take(templates, owners.copy())

    def _take(self, templates: Ids, owners: Ids) -> None:
        self._templates, self._owners, self._removed = Growing(templates), Growing(owners), 0

    def __len__(self) -> int:
        return len(self._templates) - self._removed

    def arrays(self) -> tuple[Ids, Ids]:
        """The ids held, ascending, and their owners."""
        held = self._owners.array != NO_PERSON
        return self._templates.array[held], self._owners.array[held]

    def of(self, ids: Ids) -> Ids:
        """Whose these templates are; :data:`NO_PERSON` for those not held. Any shape."""
        owners = np.full(ids.shape, NO_PERSON, dtype=np.int64)
        places, there = self._places(ids)
        owners[there] = self._owners.array[places[there]]
        return owners

    def held(self, ids: Ids) -> Ids:
        """Those of the ids that are held."""
        held: Ids = ids[self.of(ids) != NO_PERSON]
        return held

    def of_people(self, people: Ids) -> Ids:
        """The templates of these people, ascending."""
        theirs: Ids = self._templates.array[np.isin(self._owners.array, people)]
        return theirs

    def add(self, ids: Ids, owners: Ids) -> None:
        """Add templates that are not held.

        Args:
            ids: Int64, shape (n,), ascending.
            owners: Int64, shape (n,).
        """
        if len(ids) and len(self._templates) and ids[0] <= self._templates.array[-1]:
            held, whose = self.arrays()
            ids, owners = np.concatenate([held, ids]), np.concatenate([whose, owners])
            order = np.argsort(ids)
            self._take(ids[order], owners[order])
        else:
            self._templates.append(ids)
            self._owners.append(owners)

    def give(self, ids: Ids, owners: Ids) -> None:
        """Note other owners of templates that are held."""
        self._owners.array[self._places(ids)[0]] = owners

    def remove(self, ids: Ids) -> None:
        """Remove templates that are held."""
        self.give(ids, np.full(len(ids), NO_PERSON))
        self._removed += len(ids)
        if self._removed > _MOST_REMOVED * len(self._templates):
            self._take(*self.arrays())

    def _places(self, ids: Ids) -> tuple[Ids, npt.NDArray[np.bool_]]:
        templates = self._templates.array
        places = np.minimum(np.searchsorted(templates, ids), max(len(templates) - 1, 0))
        return places, (templates[places] == ids if len(templates) else np.zeros(ids.shape, dtype=np.bool_))
