"""CompreFace's questions about pictures: who is on it, is it this face, are two one, where are faces."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Self, TypeAlias

import numpy as np
from fastapi import Depends, File, Query, UploadFile

from knownface.errors import ForbiddenError, NoFaceError
from knownface.gallery.consents import require
from knownface.pipeline import ExaminedFace, embed, examine
from knownface.server import uploads
from knownface.server.access import Caller, needs
from knownface.server.compreface import (
    UNKNOWN_SIMILARITY,
    compreface_router,
    face_answer,
    similarity,
    subjects_of,
    template_id,
)
from knownface.server.context import Service
from knownface.server.keys import Role, allows
from knownface.server.looking import LookingDep
from knownface.server.routes.common import CallerDep, ServiceDep
from knownface.types import Embeddings

router = compreface_router()

Upload: TypeAlias = Annotated[UploadFile, File()]
_MOST_PREDICTIONS = 20
_NO_VECTORS: Embeddings = np.empty((0, 0), np.float32)
_EMBEDDINGS_ROLE: Role = "operator"


@dataclass(frozen=True, slots=True)
class Options:
    """What CompreFace's clients may say of a picture.

    Attributes:
        limit: How many faces, the largest first; 0 is all.
        det_prob_threshold: The smallest probability of a face.
        plugins: What is asked for besides.
        status: Whether times and versions are told.
    """

    limit: int
    det_prob_threshold: float
    plugins: frozenset[str]
    status: bool

    def chosen(self, faces: Sequence[Any]) -> list[Any]:
        """The faces meant, of those found, each with a ``face``.

        Raises:
            NoFaceError: There is none.
        """
        sure = [one for one in faces if min(1.0, one.face.score) >= self.det_prob_threshold]
        if not sure:
            raise NoFaceError("No face is found in the given image.", "")
        return sure[: self.limit or None]


async def _options(
    limit: Annotated[int, Query(ge=0, le=10_000)] = 0,
    det_prob_threshold: Annotated[float, Query(ge=0, le=1)] = 0.0,
    face_plugins: Annotated[str, Query(max_length=200)] = "",
    status: bool = False,
) -> Options:
    return Options(limit, det_prob_threshold, frozenset(face_plugins.replace(" ", "").split(",")), status)


OptionsDep: TypeAlias = Annotated[Options, Depends(_options)]


@router.post("/recognition/recognize", dependencies=needs("device"))
async def recognize(
    service: ServiceDep,
    looking: LookingDep,
    caller: CallerDep,
    options: OptionsDep,
    file: Upload,
    prediction_count: Annotated[int, Query(ge=1, le=_MOST_PREDICTIONS)] = 1,
) -> dict[str, Any]:
    """Who is on a picture."""
    _check_plugins(caller, options)

    def named(upload: UploadFile) -> dict[str, Any]:
        start = time.perf_counter()
        image = uploads.picture_of(service, upload)
        height, width = image.shape[:2]
        found = service.recognizer.identify(
            image, top=prediction_count, with_embeddings="calculator" in options.plugins
        )
        default = service.recognizer.rule.threshold
        own = service.gallery.index.snapshot().thresholds
        tell = allows(caller.role, "viewer")
        result = []
        for face in options.chosen(found):
            service.metrics.decided(face.decision)
            answer = face_answer(face.face, width, height, options.plugins)
            answer["subjects"] = subjects_of(
                face, lambda who: own.get(who, default), prediction_count, tell_others=tell
            )
            result.append(answer | _embedding(face.embedding))
        return _told(service, options, start, result)

    return await looking.at(named, file)


@router.post("/recognition/faces/{image_id}/verify", dependencies=needs("device"))
async def verify_face(
    service: ServiceDep,
    looking: LookingDep,
    caller: CallerDep,
    options: OptionsDep,
    image_id: str,
    file: Upload,
) -> dict[str, Any]:
    """How alike the faces of a picture are to one that somebody was enrolled from."""
    _check_plugins(caller, options)
    wanted = template_id(image_id)

    def compared(upload: UploadFile) -> dict[str, Any]:
        start = time.perf_counter()
        template = service.gallery.template_store.get(wanted)
        with service.database.reading() as connection:
            require(connection, [template.person_id], "photos")
        vectors = service.gallery.vectors(template.person_id, negative=template.negative)
        looked = _Looked.at(service, upload, options)
        own = service.gallery.person(template.person_id).threshold
        result = looked.compared_with(vectors.embeddings[vectors.templates == template.id][0], own)
        return _told(service, options, start, result)

    return await looking.at(compared, file)


@router.post("/verification/verify", dependencies=needs("device"))
async def verify(
    service: ServiceDep,
    looking: LookingDep,
    caller: CallerDep,
    options: OptionsDep,
    source_image: Upload,
    target_image: Upload,
) -> dict[str, Any]:
    """How alike the faces of one picture are to the largest of another."""
    _check_plugins(caller, options)

    def compared(upload: UploadFile) -> dict[str, Any]:
        start = time.perf_counter()
        one = _Looked.at(service, upload, replace(options, limit=1))
        others = _Looked.at(service, target_image, options)
        matches = sorted(others.compared_with(one.vectors[0], None), key=lambda match: -match["similarity"])
        told = _told(service, options, start, [{"source_image_face": one.answers()[0], "face_matches": matches}])
        if "plugins_versions" in told:
            told["result"][0]["plugins_versions"] = told["plugins_versions"]
        return told

    return await looking.at(compared, source_image, target_image)


@router.post("/detection/detect", dependencies=needs("device"))
async def detect(
    service: ServiceDep,
    looking: LookingDep,
    caller: CallerDep,
    options: OptionsDep,
    file: Upload,
) -> dict[str, Any]:
    """Where the faces of a picture are."""
    _check_plugins(caller, options)

    def found(upload: UploadFile) -> dict[str, Any]:
        start = time.perf_counter()
        return _told(service, options, start, _Looked.at(service, upload, options, embedded=False).answers())

    return await looking.at(found, file)


@dataclass(frozen=True, slots=True, eq=False)
class _Looked:
    """A picture's faces that are meant, with their embeddings where these were wanted."""

    service: Service
    options: Options
    size: tuple[int, int]
    faces: Sequence[ExaminedFace]
    vectors: Embeddings

    @classmethod
    def at(cls, service: Service, upload: UploadFile, options: Options, *, embedded: bool = True) -> Self:
        """Find them, and embed them where that is wanted; on a worker's thread."""
        recognizer, image = service.recognizer, uploads.picture_of(service, upload)
        embedder = recognizer.follow()
        found = options.chosen(examine(image, recognizer.detector, embedder, recognizer.liveness))
        vectors = embed(found, embedder) if embedded or "calculator" in options.plugins else _NO_VECTORS
        return cls(service, options, (image.shape[1], image.shape[0]), found, vectors)

    def answers(self) -> list[dict[str, Any]]:
        """The faces as CompreFace says them."""
        told = [face_answer(face.face, *self.size, self.options.plugins) for face in self.faces]
        if "calculator" in self.options.plugins:
            return [face | _embedding(vector) for face, vector in zip(told, self.vectors, strict=True)]
        return told

    def compared_with(self, other: Embeddings, own_threshold: float | None) -> list[dict[str, Any]]:
        """The faces and how alike each is to another one; one that does not look alive is less than a name needs."""
        recognizer = self.service.recognizer
        threshold = recognizer.rule.threshold if own_threshold is None else own_threshold
        alike = [similarity(float(np.linalg.norm(vector - other)), threshold) for vector in self.vectors]
        barred = [recognizer.liveness_rule.bars(face.live) for face in self.faces]
        return [
            {**face, "similarity": round(min(near, UNKNOWN_SIMILARITY) if bar else near, 5)}
            for face, near, bar in zip(self.answers(), alike, barred, strict=True)
        ]


def _check_plugins(caller: Caller, options: Options) -> None:
    if "calculator" in options.plugins and not allows(caller.role, _EMBEDDINGS_ROLE):
        raise ForbiddenError(f"Embeddings need a key of the role {_EMBEDDINGS_ROLE}.")


def _embedding(vector: Embeddings | None) -> dict[str, Any]:
    return {} if vector is None else {"embedding": vector.tolist()}


def _told(service: Service, options: Options, start: float, result: list[dict[str, Any]]) -> dict[str, Any]:
    if not options.status:
        return {"result": result}
    recognizer = service.recognizer
    return {
        "result": [
            face | {"execution_time": {"total": round(1000 * (time.perf_counter() - start), 1)}} for face in result
        ],
        "plugins_versions": {
            "detector": recognizer.detector.name,
            "calculator": recognizer.embedder.contract.name,
        },
    }
