"""How much each of joined networks should count in a gallery, learnt from the people enrolled."""

from __future__ import annotations

from knownface.decision.part_weights import FEWEST_PEOPLE, learn_weights
from knownface.embedding import FaceEmbedder, JoinedEmbedder, split_vectors
from knownface.errors import GalleryError, ModelError
from knownface.gallery import Gallery
from knownface.models import Catalog
from knownface.models.joins import usual_weights


def learn_join(gallery: Gallery, embedder: FaceEmbedder, catalog: Catalog) -> tuple[JoinedEmbedder, int]:
    """The gallery's joined networks with the weights that its people suggest.

    Args:
        gallery: Whose templates are compared; nothing is changed.
        embedder: That filled it.
        catalog: Knows the usual weights, from which few people do not lead far away.

    Returns:
        The embedder, and from how many people with several templates its weights were learnt.

    Raises:
        ModelError: The gallery's embedder joins nothing.
        GalleryError: Too few people have several templates.
    """
    if not isinstance(embedder, JoinedEmbedder):
        raise ModelError(
            f"The gallery {gallery} was filled by {embedder.contract.name}, which is one network: it has no weights.",
            "`knownface gallery migrate --embedder A+B` joins networks.",
        )
    held = gallery.vectors()
    contracts = [part.contract for part in embedder.parts]
    vectors = split_vectors(held.embeddings, [contract.dim for contract in contracts])
    learnt = learn_weights(vectors, held.people, usual_weights([contract.name for contract in contracts], catalog))
    if learnt is None:
        raise GalleryError(
            f"Weights are learnt from {FEWEST_PEOPLE} people with two templates or more; {gallery} has fewer.",
            "Enrol more pictures.",
        )
    weights, people = learnt
    return JoinedEmbedder(embedder.parts, weights.tolist()), people
