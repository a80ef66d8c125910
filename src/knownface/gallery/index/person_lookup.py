"""Which templates an index holds and whose they are: a change costs what changed, not what there is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from knownface.search.rows import Growing
from knownface.types import Ids

NO_PERSON = -1
"""Stands for the person of a template that is not held."""

_MOST_REMOVED = 0.25


class PersonLookup:
    """The person of each template.

    Args:
        templates: Ids, int64, shape (n,), ascending, none twice.
        people: Person ids, int64, shape (n,).
    """

    def __init__(self, templates: Ids, people: Ids) -> None:
        self._replace(templates, people.copy())

    def _replace(self, templates: Ids, people: Ids) -> None:
        self._templates, self._people, self._removed = Growing(templates), Growing(people), 0

    def __len__(self) -> int:
        return len(self._templates) - self._removed

    def arrays(self) -> tuple[Ids, Ids]:
        """The templates held, ascending, and their people."""
        held = self._people.array != NO_PERSON
        return self._templates.array[held], self._people.array[held]

    def people_of(self, templates: Ids) -> Ids:
        """Whose these templates are; :data:`NO_PERSON` for those not held. Any shape."""
        people = np.full(templates.shape, NO_PERSON, dtype=np.int64)
        places, there = self._places(templates)
        people[there] = self._people.array[places[there]]
        return people

    def held(self, templates: Ids) -> Ids:
        """Those of the templates that are held."""
        held: Ids = templates[self.people_of(templates) != NO_PERSON]
        return held

    def templates_of(self, people: Ids) -> Ids:
        """The templates of these people, ascending."""
        theirs: Ids = self._templates.array[np.isin(self._people.array, people)]
        return theirs

    def add(self, templates: Ids, people: Ids) -> None:
        """Add templates that are not held.

        Args:
            templates: Int64, shape (n,), ascending.
            people: Int64, shape (n,).
        """
        if len(templates) and len(self._templates) and templates[0] <= self._templates.array[-1]:
            held, whose = self.arrays()
            templates, people = np.concatenate([held, templates]), np.concatenate([whose, people])
            order = np.argsort(templates)
            self._replace(templates[order], people[order])
        else:
            self._templates.append(templates)
            self._people.append(people)

    def move(self, templates: Ids, people: Ids) -> None:
        """Note other people of templates that are held."""
        self._people.array[self._places(templates)[0]] = people

    def remove(self, templates: Ids) -> None:
        """Remove templates that are held."""
        self.move(templates, np.full(len(templates), NO_PERSON))
        self._removed += len(templates)
        if self._removed > _MOST_REMOVED * len(self._templates):
            self._replace(*self.arrays())

    def _places(self, templates: Ids) -> tuple[Ids, npt.NDArray[np.bool_]]:
        held = self._templates.array
        places = np.minimum(np.searchsorted(held, templates), max(len(held) - 1, 0))
        return places, (held[places] == templates if len(held) else np.zeros(templates.shape, dtype=np.bool_))
