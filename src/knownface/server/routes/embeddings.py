"""Faces without names: where they are, their embeddings, and whose an embedding is."""

from __future__ import annotations

from functools import partial

from fastapi import UploadFile

from knownface.deciding import unit_vector
from knownface.errors import ContractMismatchError, InputError, TooLargeError, UnreadableError, UnsupportedError
from knownface.pipeline import examine
from knownface.server import uploads
from knownface.server.access import guarded_router, needs
from knownface.server.context import Service
from knownface.server.error_responses import errors
from knownface.server.looking import LookingDep
from knownface.server.routes.common import CallerDep, ServiceDep
from knownface.server.routes.faces import Picture
from knownface.server.schemas.embeddings import (
    DetectedPicture,
    EmbeddedFace,
    EmbeddedPicture,
    EmbeddingSearch,
    FoundPerson,
)
from knownface.server.schemas.faces import FoundFace
from knownface.types import finite

router = guarded_router("embeddings")

_PICTURE_ERRORS = (UnreadableError, UnsupportedError, TooLargeError, InputError)


@router.post(
    "/detect", dependencies=needs("device"), responses=errors(*_PICTURE_ERRORS), summary="Find the faces of a picture"
)
async def detect(service: ServiceDep, looking: LookingDep, picture: Picture) -> DetectedPicture:
    """Says where faces are and how good their pictures are, and nothing of whose they are."""
    return await looking.at(partial(_detect, service), picture)


@router.post(
    "/embeddings",
    dependencies=needs("operator"),
    responses=errors(*_PICTURE_ERRORS),
    summary="Embed the faces of a picture",
)
async def embed(service: ServiceDep, looking: LookingDep, caller: CallerDep, picture: Picture) -> EmbeddedPicture:
    """Gives out the embeddings of a picture's faces, which are biometric data as the picture is; nothing is stored."""
    found = await looking.at(partial(_embed, service), picture)
    service.tally.add(caller.actor, "embeddings.read")
    return found


@router.post(
    "/embeddings/search",
    dependencies=needs("operator"),
    responses=errors(ContractMismatchError, InputError),
    summary="Tell whose an embedding is",
)
def search(service: ServiceDep, wanted: EmbeddingSearch) -> FoundPerson:
    """Decides about an embedding as about a face of a picture; one of another network is refused."""
    contract = service.recognizer.follow().contract
    if wanted.contract != contract.fingerprint:
        raise ContractMismatchError(
            f"The embedding is not of the network in use, {contract.name}.",
            "Ask POST /v1/embeddings for one of it, and send its `contract` along.",
        )
    vector = unit_vector(wanted.embedding, contract.dim)[None]
    [decision] = service.recognizer.decide(vector, top=wanted.top, made_by=contract)
    service.metrics.decided(decision)
    return FoundPerson(
        person_id=decision.person_id,
        name=decision.name,
        distance=finite(decision.distance),
        votes=decision.votes,
        stage=decision.stage,  # type: ignore[arg-type]  # 0, 1 or 2
        reason=decision.reason,
        candidates=[candidate.to_dict() for candidate in decision.candidates[: wanted.top]],  # type: ignore[misc]
    )


def _detect(service: Service, upload: UploadFile) -> DetectedPicture:
    image = uploads.picture_of(service, upload)
    faces = examine(image, service.recognizer.detector, service.recognizer.follow())
    found = [FoundFace(**{**each.face.to_dict(), "quality": each.quality.to_dict()}) for each in faces]
    return DetectedPicture(width=image.shape[1], height=image.shape[0], faces=found)


def _embed(service: Service, upload: UploadFile) -> EmbeddedPicture:
    image = uploads.picture_of(service, upload)
    contract = service.recognizer.follow().contract
    found = service.recognizer.identify(image, with_embeddings=True)
    return EmbeddedPicture(
        width=image.shape[1],
        height=image.shape[0],
        embedder=contract.name,
        contract=contract.fingerprint,
        faces=[
            EmbeddedFace(
                **{
                    **each.face.to_dict(),
                    "quality": each.quality.to_dict(),
                    "embedding": [] if each.embedding is None else each.embedding.tolist(),
                }
            )
            for each in found
        ],
    )
