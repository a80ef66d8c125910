"""From a face in a picture to a unit vector: one file an embedder, each with the crop that it wants."""

from knownface.embedding.base import FaceEmbedder, contract_of
from knownface.embedding.function import FunctionEmbedder
from knownface.embedding.load import choose_embedder, embedder_of, load_embedder, uncalibrated_note

__all__ = [
    "FaceEmbedder",
    "FunctionEmbedder",
    "choose_embedder",
    "contract_of",
    "embedder_of",
    "load_embedder",
    "uncalibrated_note",
]
