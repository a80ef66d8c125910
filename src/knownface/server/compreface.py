"""What CompreFace's API says and how: similarities, faces, ids, errors, and the key in ``x-api-key``.

Programs that speak it work against this service by changing an address. Shapes and codes are those of CompreFace 1.2.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import Scope

from knownface import errors as e
from knownface.answers import Identification
from knownface.server.access import GuardedRoute
from knownface.server.error_responses import RequestAborted, error_response
from knownface.types import Face

_STEEPNESS = 6.0
"""How fast similarity falls around the threshold; CompreFace's own networks have 6.3 (FaceNet)."""
UNKNOWN_SIMILARITY: Final = 0.49
"""The most that anybody gets whom the decision did not name: a name needs more than 0.5."""


class MissingKeyError(e.NoKeyError):
    """A request without ``x-api-key``."""

    code = "missing-key"
    default_hint = "`knownface keys create` makes a key."


# The class nearest to the error's own decides: status and code.
_CODES: dict[type[e.KnownFaceError], tuple[int, int]] = {
    e.NoFaceError: (400, 28),
    e.SeveralFacesError: (400, 31),
    e.UnreadableError: (400, 21),
    e.UnsupportedError: (400, 21),
    e.TooLargeError: (413, 21),
    e.UnknownTemplateError: (404, 11),
    e.NotFoundError: (404, 11),
    e.UnknownPersonError: (404, 42),
    e.NameTakenError: (400, 43),
    e.BadRequestError: (400, 26),
    e.PersonError: (400, 26),
    MissingKeyError: (400, 20),
    e.NoKeyError: (401, 10),
    e.ForbiddenError: (403, 6),
}
_INVALID, _UNDEFINED = 26, 0


class CompreFaceRoute(GuardedRoute):
    """A route that takes its key from ``x-api-key``, no browser session, and answers errors as CompreFace does."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler in between."""
        handler = super().get_route_handler()

        async def translated(request: Request) -> Response:
            try:
                return await handler(Request(_with_bearer(request), request.receive))
            except (e.KnownFaceError, RequestValidationError, HTTPException) as error:
                return _error_answer(request.scope, error)

        return translated


def compreface_router() -> APIRouter:
    """A router for routes of CompreFace's; they stand in no document of ours."""
    return APIRouter(prefix="/api/v1", tags=["compreface"], route_class=CompreFaceRoute, include_in_schema=False)


def similarity(distance: float, threshold: float) -> float:
    """A distance as a similarity of CompreFace's: 0.5 at the threshold, towards 1 nearer and towards 0 farther.

    Args:
        distance: 0 to 2, or infinite.
        threshold: The largest at which a name is given.

    Example:
        >>> [round(similarity(part, 1.0), 2) for part in (0.5, 0.8, 0.9, 1.0, 1.1, 1.3)]
        [1.0, 0.92, 0.77, 0.5, 0.23, 0.03]
    """
    if threshold <= 0:
        return 1.0 if distance <= threshold else 0.0
    return (1 + math.tanh(_STEEPNESS * (1 - distance / threshold))) / 2


def subjects_of(
    found: Identification, threshold_of: Callable[[int], float], count: int, *, tell_others: bool
) -> list[dict[str, Any]]:
    """Who a face may be, the most similar first; whom the decision names stands first, and is alone above 0.5.

    Args:
        found: The face and its decision.
        threshold_of: The threshold in force for a person.
        count: How many at most.
        tell_others: Whether people are told of whom the decision did not name.
    """
    named = found.decision.person_id
    told: list[dict[str, Any]] = []
    for candidate in found.decision.candidates:
        if candidate.name is None or (candidate.person_id != named and not tell_others):
            continue
        alike = similarity(candidate.distance, threshold_of(candidate.person_id))
        most = 1.0 if candidate.person_id == named else UNKNOWN_SIMILARITY
        told.append({"subject": candidate.name, "similarity": round(min(alike, most), 5)})
    return sorted(told, key=lambda one: float(one["similarity"]), reverse=True)[:count]


def face_answer(face: Face, width: int, height: int, plugins: Iterable[str] = ()) -> dict[str, Any]:
    """Where a face is, as CompreFace says it.

    Args:
        face: In a picture.
        width: Of the picture.
        height: Of the picture.
        plugins: What is asked for besides; ``landmarks`` is told where they are known.
    """
    box = face.box
    answer: dict[str, Any] = {
        "box": {
            "probability": round(min(1.0, max(0.0, face.score)), 5),
            "x_min": _within(box.x, width),
            "y_min": _within(box.y, height),
            "x_max": _within(box.right, width),
            "y_max": _within(box.bottom, height),
        }
    }
    if "landmarks" in plugins and (points := face.to_dict()["landmarks"]):
        answer["landmarks"] = [[round(x), round(y)] for x, y in points]
    return answer


def image_id(template_id: int) -> str:
    """A template's number as the UUID that CompreFace's clients expect."""
    return str(uuid.UUID(int=template_id))


def template_id(text: str) -> int:
    """The template's number in such a UUID.

    Raises:
        UnknownTemplateError: It is none.
    """
    try:
        number = uuid.UUID(text).int
    except ValueError:
        number = 0
    if not 0 < number < 2**31:
        raise e.UnknownTemplateError(f"There is no image {text[:60]!r}.")
    return number


def _within(value: float, most: int) -> int:
    return round(min(float(most), max(0.0, value)))


def _with_bearer(request: Request) -> dict[str, Any]:
    """The request's scope, with the key where every other route looks for it."""
    other = [(name, value) for name, value in request.scope["headers"] if name not in {b"authorization", b"cookie"}]
    key = next((value for name, value in other if name == b"x-api-key"), None)
    if key is None:
        raise MissingKeyError("Missing header: x-api-key.")
    return {**request.scope, "headers": [*other, (b"authorization", b"Bearer " + key)]}


def _error_answer(scope: Scope, error: e.KnownFaceError | RequestValidationError | HTTPException) -> JSONResponse:
    if isinstance(error, RequestAborted):
        error = error.error
    if isinstance(error, RequestValidationError):
        return _answer(400, _INVALID, _faults(error.errors()))
    if isinstance(error, HTTPException):
        return _answer(error.status_code, _INVALID, error.detail)
    usual = error_response(scope, error)
    kind = next((kind for kind in type(error).__mro__ if kind in _CODES), None)
    status, code = (usual.status_code, _UNDEFINED) if kind is None else _CODES[kind]
    headers = {name: usual.headers[name] for name in ("Retry-After", "WWW-Authenticate") if name in usual.headers}
    return _answer(status, code, f"{error.message} {error.hint}".strip(), headers)


def _faults(faults: Sequence[Any]) -> str:
    return "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults[:3])


def _answer(status: int, code: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"message": message, "code": code}, status, headers)
