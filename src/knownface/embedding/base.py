"""What a face embedder is, and the contract that makes two embeddings comparable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from knownface.errors import ModelError
from knownface.models.contract import InputContract, fingerprinted
from knownface.models.entry import ModelEntry
from knownface.parts import digest_of
from knownface.types import EmbedderContract, Embeddings, Face, Image

RECIPE = 1
"""Version of the preprocessing code in this room: raised when a change of it changes embeddings."""


class FaceEmbedder(Protocol):
    """Turns face crops into unit vectors; one instance may be used by several threads at once."""

    @property
    def contract(self) -> EmbedderContract:
        """What makes its embeddings comparable with others."""
        ...

    def crop(self, image: Image, face: Face) -> Image:
        """What the network sees of a face.

        Args:
            image: The picture that the face was found in.
            face: In pixels of that picture.

        Returns:
            RGB, of the size that the embedder wants.

        Raises:
            FaceError: The face lacks what the crop is made from.
        """
        ...

    def embed(self, crops: Sequence[Image]) -> Embeddings:
        """Unit vectors of any number of crops, in their order; shape (0, dim) for none.

        A vector does not depend on what else is embedded along with it.

        Raises:
            ModelError: The network fails, or gives a vector of another length or one that is not finite.
        """
        ...


def contract_of(entry: ModelEntry) -> EmbedderContract:
    """The contract of an embedder of the catalogue.

    The fingerprint is SHA-256 over the weights' SHA-256 and the preprocessing as canonical JSON; the parameters of
    the decision and the device are no part of it.

    Raises:
        ModelError: The entry is no embedder, or one of its files has no known SHA-256.
    """
    if entry.input is None or entry.decision is None:
        raise ModelError(f"{entry.name} is no embedder.", "`knownface models list` shows the task of every model.")
    return EmbedderContract(
        name=entry.name,
        dim=entry.input.dim,
        crop=entry.input.crop,
        fingerprint=_fingerprint(entry, entry.input),
        licence=entry.licence,
        rule=entry.decision.rule,
        calibrated=entry.decision.calibrated,
        nearest_threshold=entry.decision.nearest_threshold,
        cohort=entry.decision.cohort,
    )


def as_known_now(contract: EmbedderContract, catalog: Mapping[str, ModelEntry]) -> EmbedderContract:
    """A contract as a gallery has stored it, with the parameters that the catalogue has for its embedder now."""
    entry = catalog.get(contract.name)
    if entry is None or entry.decision is None:
        return contract
    now = entry.decision
    return replace(
        contract,
        rule=now.rule,
        calibrated=now.calibrated,
        nearest_threshold=now.nearest_threshold,
        cohort=now.cohort,
    )


def _fingerprint(entry: ModelEntry, contract: InputContract) -> str:
    unpinned = [file.names[0] for file in entry.files if file.sha256 is None]
    if unpinned:
        raise ModelError(f"The catalogue has no SHA-256 of {unpinned[0]}.", "Import the file under a name of your own.")
    described = {
        "recipe": RECIPE,
        "kind": entry.kind,
        "weights": {file.part: file.sha256 for file in entry.files},
        "preprocessing": fingerprinted(contract),
    }
    return digest_of(described)


def unit_vectors(vectors: Embeddings, dim: int, name: str) -> Embeddings:
    """Rows scaled to an L2 norm of 1.

    Args:
        vectors: Float32, shape (n, dim).
        dim: Their length by the contract.
        name: Of the network, for the error.

    Raises:
        ModelError: Another length, or a row that has no direction.
    """
    if vectors.ndim != 2 or vectors.shape[1] != dim:
        given = f"length {vectors.shape[1]}" if vectors.ndim == 2 else f"shape {vectors.shape}"
        raise ModelError(
            f"{name} gave vectors of {given}, its contract says {dim}.",
            "Set dim to what it returns; a network file's contract can choose another output by output_name.",
        )
    norms = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    if not np.all(np.isfinite(norms) & (norms > 0)):
        raise ModelError(
            f"{name} gave a vector that is zero or not finite.",
            "Check what it computes; of a network's file, run `knownface models verify` and check scale, mean and std.",
        )
    return np.asarray(vectors / norms, dtype=np.float32)
