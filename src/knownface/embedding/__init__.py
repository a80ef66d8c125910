"""From a face in a picture to a unit vector: one file an embedder, each with the crop that it wants."""

from knownface.embedding.base import FaceEmbedder, contract_of
from knownface.embedding.choice import check_known, choose_embedder, networks_at_hand, uncalibrated_note
from knownface.embedding.function import FunctionEmbedder
from knownface.embedding.joined import JoinedEmbedder, reweighing, split_vectors
from knownface.embedding.load import embedder_of, load_embedder

__all__ = [
    "FaceEmbedder",
    "FunctionEmbedder",
    "JoinedEmbedder",
    "check_known",
    "choose_embedder",
    "contract_of",
    "embedder_of",
    "load_embedder",
    "networks_at_hand",
    "reweighing",
    "split_vectors",
    "uncalibrated_note",
]
