"""Embeddings parted into people: average linkage, by the nearest neighbours of the groups' means."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from knownface.events.together import Rows, Together
from knownface.types import Embeddings

_CANDIDATES = 8
"""Nearest groups that are looked at first; more where all of them were seen together with the group."""
_AT_ONCE = 4_000_000
"""Products that are kept at a time, 48 MB with the rows that they are of."""
_TIE = 1e-6
"""Products that differ by less are equal: the order in which they are summed is not the same for both sides."""

_BLOCK = 512
"""Rows whose products with all others are made at a time, and that parts are gathered to."""

Products = npt.NDArray[np.float32]


def group_by_likeness(faces: Embeddings, threshold: float, together: Together | None = None) -> list[list[int]]:
    """Part embeddings into people: two groups are joined as long as the distances between their members allow.

    Agglomerative clustering with average linkage (Sokal and Michener, 1958) of squared distances, cut at the threshold.
    Of unit vectors the mean squared distance of two groups is 2 - 2 times the product of their means, so that groups
    are searched as vectors are. In every round all groups are joined that are each other's nearest: no later join comes
    nearer to either (Murtagh, "A survey of recent advances in hierarchical clustering algorithms", 1983), and a group
    without a neighbour near enough never gets one. A round takes time with the square of the groups that are left, so
    that what no join can cross is parted first.

    Args:
        faces: Float32, shape (n, dim), unit norm.
        threshold: Largest root of the mean squared distance, 0 to 2.
        together: Which rows were seen at the same time, so that no group holds two of them.

    Returns:
        Row numbers, each group ascending, in the order of their first members.
    """
    means = np.array(faces, dtype=np.float32)
    sizes = np.ones(len(means))
    group_of = np.arange(len(means))
    nearest, product = np.full(len(means), -1), np.zeros(len(means), dtype=np.float32)
    least = 1 - threshold * threshold / 2
    for part in _parts(means, least):
        left = changed = part
        while len(left) > 1:
            nearest[changed], product[changed] = _nearest(means, changed, left, least, together)
            left = left[nearest[left] >= 0]
            touched = np.zeros(len(means), dtype=bool)
            for kept, gone in _pairs(left, nearest, product):
                weights = (sizes[[kept, gone]] / (sizes[kept] + sizes[gone])).astype(np.float32)
                means[kept] = weights @ means[[kept, gone]]
                sizes[kept] += sizes[gone]
                group_of[gone] = kept
                touched[[kept, gone]] = True
                if together is not None:
                    together.join(kept, gone)
            left = left[group_of[left] == left]
            changed = left[touched[left] | touched[nearest[left]]]
    while np.any(group_of[group_of] != group_of):
        group_of = group_of[group_of]
    order = np.argsort(group_of, kind="stable")
    return (
        [rows.tolist() for rows in np.split(order, np.flatnonzero(np.diff(group_of[order])) + 1)] if len(means) else []
    )


def _parts(faces: Products, least: float) -> Iterator[Rows]:
    """Rows that may be joined with each other, and with nobody else; those alone are left out, small parts gathered.

    The product of two groups' means is the mean of their members' products: some pair of members must be near enough.
    """
    root = np.arange(len(faces))
    for begin in range(0, len(faces), _BLOCK):
        near = faces[begin : begin + _BLOCK] @ faces[begin:].T >= least - _TIE
        for row in np.flatnonzero(near.sum(axis=1) > 1):
            found = begin + np.flatnonzero(near[row])
            roots = _roots(root, found)
            root[roots] = root[found] = roots.min()
    root = _roots(root, root)
    order = np.argsort(root, kind="stable")
    gathered: list[Rows] = []
    for part in np.split(order, np.flatnonzero(np.diff(root[order])) + 1):
        if len(part) > 1:
            gathered.append(part)
        if sum(map(len, gathered)) >= _BLOCK:
            yield np.concatenate(gathered)
            gathered = []
    if gathered:
        yield np.concatenate(gathered)


def _roots(root: Rows, rows: Rows) -> Rows:
    found = root[rows]
    while np.any(root[found] != found):
        found = root[found]
    return found


def _nearest(means: Products, rows: Rows, left: Rows, least: float, together: Together | None) -> tuple[Rows, Products]:
    """Of some groups the nearest of those that are left, and the product of their means; -1: none is near enough."""
    nearest, product = np.full(len(rows), -1), np.zeros(len(rows), dtype=np.float32)
    among = means[left]
    import faiss  # which takes long, and which most that import this module do without

    faiss.omp_set_num_threads(1)  # a team of threads spins while it waits, and takes the processor from everybody else
    open_at, count = np.arange(len(rows)), _CANDIDATES
    while len(open_at):
        count = min(count, len(left))
        later = []
        for at in np.array_split(open_at, 1 + len(open_at) * count // _AT_ONCE):
            products, found = faiss.knn(means[rows[at]], among, count, metric=faiss.METRIC_INNER_PRODUCT)
            fits = (products >= least) & (left[found] != rows[at][:, None])
            if together is not None:
                some, columns = np.nonzero(fits)
                fits[some, columns] = ~together.are(rows[at[some]], left[found[some, columns]])
            best = fits.argmax(axis=1)  # the first that fits, since they come in order
            fine = fits[np.arange(len(at)), best]
            nearest[at[fine]] = left[found[fine, best[fine]]]
            product[at[fine]] = products[fine, best[fine]]
            later.append(at[~fine & (products[:, -1] >= least)] if count < len(left) else at[:0])
        open_at, count = np.concatenate(later), 8 * count
    return nearest, product


def _pairs(left: Rows, nearest: Rows, product: Products) -> list[tuple[int, int]]:
    """Groups that are each other's nearest, the smaller number first; each is in one pair at most.

    Among equal products it is the pairs that come first; there is always one, so long as any group has a neighbour.
    """
    pairs: list[tuple[int, int]] = []
    taken: set[int] = set()
    for one in left[np.argsort(-product[left], kind="stable")].tolist():
        other = int(nearest[one])
        if one not in taken and other not in taken and product[other] <= product[one] + _TIE:
            taken |= {one, other}
            pairs.append((min(one, other), max(one, other)))
    return pairs
