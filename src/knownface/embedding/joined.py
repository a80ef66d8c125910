"""Several embedders as one: their unit vectors side by side, each times the square root of its weight.

With weights that add up to 1 the whole is a unit vector, and its squared distance to another is the weighted mean of
the parts' squared distances: fusion of scores (Ross and Jain, "Information fusion in biometrics", 2003) at the cost of
one search. Networks that were trained apart err on different pairs of people.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations, pairwise

import numpy as np

from knownface.embedding.base import FaceEmbedder
from knownface.embedding.crops import MADE_FACE, MADE_SIDE, resize_crop
from knownface.models.entry import DecisionDefaults
from knownface.models.joins import join_name, parse_join, relative_weights
from knownface.parts import digest_of, fingerprint_of
from knownface.scorings import Scoring
from knownface.types import CohortSpread, CropPolicy, EmbedderContract, Embeddings, Face, Image

_RECIPE = 1
"""Raised when a change of this module changes embeddings."""
_ALIKE = 0.4
"""Correlation of two networks' cosines of different people: 0.36 SFace and dlib, 0.43 MobileFaceNet and dlib."""


class JoinedEmbedder:
    """Two embedders or more; a face that one of them cannot crop is embedded by none.

    A crop is the parts' crops beside each other in one picture. A part whose crops vary in size gets them in one size.

    Args:
        parts: The embedders.
        weights: Of the parts' squared distances, positive; counted in units of the first, to three digits.
        measured: Parameters of the decision; None derives them from the parts'.
    """

    def __init__(
        self,
        parts: Sequence[FaceEmbedder],
        weights: Sequence[float],
        measured: DecisionDefaults | None = None,
    ) -> None:
        self.parts = tuple(parts)
        self.weights = relative_weights(weights)
        self.contract = _contract(self.parts, self.weights, measured)
        self.fingerprint = joined_fingerprint([fingerprint_of(part) for part in parts], self.weights)
        made = np.full((MADE_SIDE, MADE_SIDE, 3), 127, dtype=np.uint8)
        self._sizes = [part.crop(made, MADE_FACE).shape[:2] for part in parts]
        self._edges = np.cumsum([0, *(width for _, width in self._sizes)]).tolist()
        self._shape = (max(height for height, _ in self._sizes), self._edges[-1], 3)

    def crop(self, image: Image, face: Face) -> Image:
        """The parts' crops side by side.

        Raises:
            FaceError: The face lacks what one of them is made from.
        """
        sheet = np.zeros(self._shape, dtype=np.uint8)
        for part, (height, width), left in zip(self.parts, self._sizes, self._edges, strict=False):
            sheet[:height, left : left + width] = resize_crop(part.crop(image, face), height, width)
        return sheet

    def embed(self, crops: Sequence[Image]) -> Embeddings:
        """Unit vectors of such crops; see :class:`knownface.embedding.base.FaceEmbedder`."""
        vectors = [
            part.embed([sheet[:height, left : left + width] for sheet in crops])
            for part, (height, width), left in zip(self.parts, self._sizes, self._edges, strict=False)
        ]
        return join_vectors(vectors, self.weights)


def join_vectors(vectors: Sequence[Embeddings], weights: Sequence[float]) -> Embeddings:
    """Unit vectors side by side.

    Args:
        vectors: Of each part, float32, shape (n, dim of the part).
        weights: Of the parts' squared distances, positive.

    Returns:
        Float32, shape (n, sum of the dims), unit norm.
    """
    factors = np.sqrt(np.array(weights) / np.sum(weights)).astype(np.float32)
    return np.hstack([factor * part for factor, part in zip(factors, vectors, strict=True)])


def split_vectors(vectors: Embeddings, dims: Sequence[int]) -> list[Embeddings]:
    """The parts' unit vectors, back from joined ones: each part's share of the length says its weight.

    Args:
        vectors: Float32, shape (n, sum of the dims).
        dims: Lengths of the parts' vectors.
    """
    edges = np.cumsum([0, *dims]).tolist()
    blocks = [vectors[:, start:end] for start, end in pairwise(edges)]
    return [np.asarray(block / np.linalg.norm(block, axis=1, keepdims=True), dtype=np.float32) for block in blocks]


def reweighing(before: EmbedderContract, embedder: FaceEmbedder) -> Callable[[Embeddings], Embeddings] | None:
    """How vectors of joined embedders become those of the same ones with other weights.

    Args:
        before: Of the vectors that there are.
        embedder: Whose vectors are wanted.

    Returns:
        From float32, shape (n, dim), to the same shape; None where it joins other embedders, or none.
    """
    weights = parse_join(before.name).weights
    if not isinstance(embedder, JoinedEmbedder) or weights is None:
        return None
    contracts = [part.contract for part in embedder.parts]
    if joined_fingerprint([contract.fingerprint for contract in contracts], weights) != before.fingerprint:
        return None
    dims = [contract.dim for contract in contracts]
    return lambda vectors: join_vectors(split_vectors(vectors, dims), embedder.weights)


def joined_fingerprint(fingerprints: Sequence[str], weights: Sequence[float]) -> str:
    """The fingerprint of embedders joined, from theirs.

    Args:
        fingerprints: Of the parts.
        weights: As :func:`knownface.models.joins.relative_weights` gives them.
    """
    described = {"recipe": _RECIPE, "kind": "joined", "parts": list(fingerprints), "weights": list(weights)}
    return digest_of(described)


def _contract(
    parts: Sequence[FaceEmbedder], weights: Sequence[float], measured: DecisionDefaults | None
) -> EmbedderContract:
    contracts = [part.contract for part in parts]
    crops: list[CropPolicy] = [contract.crop for contract in contracts]
    decision = measured or _derived(contracts, weights)
    return EmbedderContract(
        name=join_name([contract.name for contract in contracts], weights),
        dim=sum(contract.dim for contract in contracts),
        crop="aligned" if "aligned" in crops else crops[0],  # the one that asks most of a detector
        fingerprint=joined_fingerprint([contract.fingerprint for contract in contracts], weights),
        licence=", ".join(f"{contract.licence or 'not stated'} ({contract.name})" for contract in contracts),
        rule=decision.rule,
        calibrated=decision.calibrated,
        nearest_threshold=decision.nearest_threshold,
        cohort=decision.cohort,
    )


def _derived(contracts: Sequence[EmbedderContract], weights: Sequence[float]) -> DecisionDefaults:
    """As thresholds, the distances of two faces that lie just at each part's."""

    def together(scoring: Scoring) -> float:
        squares = [contract.rule_for(scoring).threshold ** 2 for contract in contracts]
        return float(np.sqrt(np.average(squares, weights=weights)))

    first = contracts[0].rule
    return DecisionDefaults(
        k1=first.k1,
        k2=first.k2,
        threshold=together(first.scoring),
        calibrated=False,
        nearest_threshold=together("nearest"),
        cohort=_derived_cohort([contract.cohort for contract in contracts], weights),
    )


def _derived_cohort(cohorts: Sequence[CohortSpread | None], weights: Sequence[float]) -> CohortSpread | None:
    shares = [
        weight / sum(weights) * cohort.deviation
        for weight, cohort in zip(weights, cohorts, strict=True)
        if cohort is not None
    ]
    if len(shares) < len(cohorts):
        return None
    variance = sum(share**2 for share in shares) + 2 * _ALIKE * sum(a * b for a, b in combinations(shares, 2))
    return CohortSpread(variance**0.5, 0.0)
