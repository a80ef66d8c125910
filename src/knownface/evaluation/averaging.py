"""By how much a track, the mean of several pictures, lies nearer to people whom it does not show than one picture does.

Averaging takes away what differs from picture to picture, so the mean lies nearer to everybody: in the space of some
networks hardly (MobileFaceNet), in that of others much (dlib's). How much is seen on enrolled people of several
pictures, each searched among the others. The squared distance falls by a part that grows with 1 - 1/n for n pictures:
what many pictures bring is known from few.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from knownface.decision import means_of_people
from knownface.evaluation.faces import FaceSet, search_among_others
from knownface.types import Scoring

FEWEST_PEOPLE = 5
"""Who have pictures of several sources; of fewer, nothing is said."""
_MOST_PEOPLE = 500
_SEED = 0


def nearer_by_averaging(gallery: FaceSet, scoring: Scoring) -> float | None:
    """The factor by which means of many pictures are nearer to others than single pictures are: the median person's.

    Args:
        gallery: Its templates, with the file or video that each comes from. At most 500 of its people are looked at.
        scoring: What the distances are measured to.

    Returns:
        Above 0 and at most 1; None where too few people have pictures of several sources.
    """
    labels, codes = np.unique(gallery.people, return_inverse=True)
    origin = np.unique(gallery.sources, return_inverse=True)[1]
    sources = np.bincount(np.unique(np.stack([codes, origin]), axis=1)[0])
    people = np.flatnonzero(sources > 1)
    if len(people) > _MOST_PEOPLE:
        people = np.random.default_rng(_SEED).choice(people, _MOST_PEOPLE, replace=False)
    rows = np.flatnonzero(np.isin(codes, people))
    held, means = means_of_people(gallery.embeddings[rows], rows, codes[rows])
    if len(held) < FEWEST_PEOPLE or len(labels) <= 1:
        return None
    single = _squares(gallery, gallery.take(rows), scoring)
    of_single = (np.bincount(codes[rows], single) / np.maximum(np.bincount(codes[rows]), 1))[held]
    of_means = _squares(gallery, FaceSet(means, labels[held], held), scoring)
    fallen = (1.0 - of_means / np.maximum(of_single, 1e-12)) / (1.0 - 1.0 / sources[held])
    return float(np.sqrt(1.0 - np.clip(np.median(fallen), 0.0, 0.99)))


def _squares(gallery: FaceSet, probes: FaceSet, scoring: Scoring) -> npt.NDArray[np.float64]:
    """The squared distance of each probe to the nearest of the others."""
    return search_among_others(gallery, probes, scoring=scoring).neighbours.distances[:, 0].astype(np.float64) ** 2
