"""Error responses: one schema for all, the library's error codes, the HTTP status of each."""

from __future__ import annotations

import json
import logging
import math
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Scope

from knownface import errors as e
from knownface.review import PoorPictureError
from knownface.server.context import service_of

_log = logging.getLogger(__name__)

# The class nearest to the error's own decides.
_STATUS: dict[type[e.KnownFaceError], int] = {
    e.KnownFaceError: 500,
    e.InputError: 422,
    e.UnsupportedError: 415,
    e.TooLargeError: 413,
    e.FaceError: 422,
    e.DoubtfulError: 409,
    e.ContractMismatchError: 409,
    e.UnknownModelError: 422,
    e.StoppedError: 409,
    e.GalleryLockedError: 503,
    e.GalleryUnreachableError: 503,
    e.GalleryEmptyError: 409,
    e.BadSettingError: 422,
    e.PersonError: 422,
    e.UnknownPersonError: 404,
    e.UnknownTemplateError: 404,
    e.UnknownHeldError: 404,
    e.ConsentError: 409,
    e.NameTakenError: 409,
    e.ReservedNameError: 409,
    e.UnknownEditError: 404,
    e.EditConflictError: 409,
    e.MissingExtraError: 501,
    e.OutputError: 507,
    e.CalibrationError: 422,
    e.EventsError: 422,
    e.UnknownSessionError: 404,
    e.SessionOpenError: 409,
    e.UnknownAlertError: 404,
    e.AlertDecidedError: 409,
    e.UnknownAlertRuleError: 404,
    e.UnknownSightingError: 404,
    e.UnknownOfferError: 404,
    e.ReceiptError: 422,
    e.NoKeyError: 401,
    e.ForbiddenError: 403,
    e.RateLimitedError: 429,
    e.BusyError: 503,
    e.NotFoundError: 404,
    e.BadRequestError: 400,
    e.TooSlowError: 408,
}
_HTTP_CODES = {404: "not-found", 405: "method-not-allowed", 413: "too-large", 415: "unsupported", 400: "bad-request"}
_LISTED_FAULTS = 20
"""Of a request, at most."""


class RequestAborted(HTTPException):
    """Carries one of our errors through Starlette's form parser, which takes every other one for a broken body."""

    def __init__(self, error: e.KnownFaceError) -> None:
        super().__init__(400, error.message)
        self.error = error


class Problem(BaseModel):
    """What went wrong with one thing of several, or with a job."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "no-face",
                    "message": "No face was found.",
                    "hint": e.NoFaceError.default_hint,
                    "details": None,
                }
            ]
        }
    )

    code: str = Field(description="A stable word for programs.")
    message: str = Field(description="A sentence for people.")
    hint: str = Field(description="What to do about it; may be empty.")
    details: dict[str, Any] | None = Field(default=None, description="More for programs; its keys depend on the code.")


class ProblemDetails(Problem):
    """The body of an error response: problem details for HTTP APIs (RFC 9457), with members of our own."""

    type: str = Field(description="`urn:knownface:problem:` and the code.", examples=["urn:knownface:problem:no-face"])
    title: str = Field(description="The code in plain words, the same each time.", examples=["No face"])
    status: int = Field(description="Of HTTP.", examples=[422])
    detail: str = Field(description="The same as `message`.", examples=["No face was found."])
    instance: str = Field(
        description="`urn:knownface:request:` and what the header `X-Request-Id` says.",
        examples=["urn:knownface:request:0011223344556677"],
    )


PROBLEM_TYPE: Final = "application/problem+json"


def http_status(error: e.KnownFaceError) -> int:
    """The HTTP status of one of our errors."""
    return next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)


def error_code(error: e.KnownFaceError) -> str:
    """The stable word of an error; of a poor picture that of its first shortcoming."""
    return error.reason if isinstance(error, PoorPictureError) else error.code


def problem_of(error: e.KnownFaceError) -> Problem:
    """One of our errors as the body of a response."""
    message = error.message[:1].upper() + error.message[1:]
    return Problem(code=error_code(error), message=message, hint=error.hint, details=error_details(error))


def error_details(error: e.KnownFaceError) -> dict[str, Any] | None:
    """What programs need of an error besides its code; the page puts it into its own words."""
    if isinstance(error, e.TooFewStrangersError):
        return {"needed": error.needed}
    if isinstance(error, e.UnknownPersonError) and error.near:
        return {"name": ", ".join(error.near)}
    return {"name": error.name} if isinstance(error, e.LooksLikeOtherError) else None


def problem_response(scope: Scope, problem: Problem, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """The response to a request that ended with a problem: a page for a browser that was going there, else JSON."""
    if _is_read_by_somebody(scope):
        shown: Response = scope["app"].state.error_page(Request(scope), problem, status)
        shown.headers.update(headers or {})
        return shown
    return _problem_json(scope, problem, status, headers)


def _problem_json(
    scope: Scope, problem: Problem, status: int, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    told = ProblemDetails(
        **problem.model_dump(),
        type=f"urn:knownface:problem:{problem.code}",
        title=problem.code.replace("-", " ").capitalize(),
        status=status,
        detail=problem.message,
        instance=f"urn:knownface:request:{scope['state']['request_id']}",
    )
    return JSONResponse(told.model_dump(), status, headers, PROBLEM_TYPE)


def error_response(scope: Scope, error: e.KnownFaceError) -> Response:
    """The response to a request that ended with one of our errors."""
    status = http_status(error)
    headers = {}
    if isinstance(error, e.NoKeyError):
        headers["WWW-Authenticate"] = 'Bearer realm="knownface"'
    if isinstance(error, e.RateLimitedError):
        headers["Retry-After"] = str(math.ceil(error.retry_after))
    elif status == 503:
        headers["Retry-After"] = "5"
    return problem_response(scope, problem_of(error), status, headers)


def errors(*kinds: type[e.KnownFaceError], role: bool = True) -> dict[int | str, dict[str, Any]]:
    """The error responses of a route for the OpenAPI document: each status with its codes and an example of each.

    Args:
        *kinds: The route's own errors; those of every route are added.
        role: Whether the route asks for a key.
    """
    common: Sequence[type[e.KnownFaceError]] = [
        e.RateLimitedError,
        e.BusyError,
        e.GalleryLockedError,
        e.GalleryUnreachableError,
        e.BadRequestError,
        e.TooSlowError,
    ]
    if role:
        common = [e.NoKeyError, e.ForbiddenError, *common]
    by_status: dict[int, dict[str, Any]] = {}
    reserved: list[type[e.KnownFaceError]] = [e.ReservedNameError] if e.BadNameError in kinds else []
    for kind in (*kinds, *reserved, *common):
        status = next(_STATUS[base] for base in kind.__mro__ if base in _STATUS)
        sentence = (kind.__doc__ or kind.code).partition("\n")[0]
        value = {"code": kind.code, "message": sentence, "hint": kind.default_hint, "details": None}
        by_status.setdefault(status, {})[kind.code] = {"summary": sentence, "value": value}
    fault = {"code": "invalid-request", "message": "limit: Input should be less than or equal to 200.", "hint": ""}
    by_status.setdefault(422, {})["invalid-request"] = {"summary": "A field is missing or wrong.", "value": fault}
    by_status.setdefault(413, {})["too-large"] = {
        "summary": "The request is too large.",
        "value": {"code": "too-large", "message": "The request is larger than 256000 bytes.", "hint": ""},
    }
    return {
        status: {
            "description": "Codes: " + ", ".join(f"`{code}`" for code in examples) + ".",
            "content": {
                PROBLEM_TYPE: {
                    "schema": {"$ref": "#/components/schemas/ProblemDetails"},
                    "examples": {code: _as_answered(status, example) for code, example in examples.items()},
                }
            },
        }
        for status, examples in sorted(by_status.items())
    }


def _as_answered(status: int, example: dict[str, Any]) -> dict[str, Any]:
    problem = Problem(**example["value"])
    scope = {"state": {"request_id": "0011223344556677"}}
    body = bytes(_problem_json(scope, problem, status).body)
    return {**example, "value": json.loads(body)}


def _is_read_by_somebody(scope: Scope) -> bool:
    """Whether a browser shows the answer: it opens a page, or follows a link to a route of the service."""
    headers = Headers(scope=scope)
    follows = headers.get("sec-fetch-mode") == "navigate" or not scope["path"].startswith("/v1/")
    return scope["method"] in {"GET", "HEAD"} and follows and "text/html" in headers.get("accept", "")


def install_handlers(app: FastAPI, error_page: Callable[[Request, Problem, int], Response]) -> None:
    """Makes an app answer every error with a :class:`Problem`.

    Args:
        app: The app.
        error_page: Draws a problem, of an HTTP status, for a browser.
    """
    app.state.error_page = error_page
    app.add_exception_handler(e.KnownFaceError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unforeseen)


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, e.KnownFaceError)  # noqa: S101 - installed for this class
    if http_status(error) >= 500 and not isinstance(error, (e.BusyError, e.GalleryLockedError)):
        _log.error("%s %s", error.message, error.hint)
    settings = service_of(request).recognizer.settings
    for folder in (Path(settings.gallery).parent, settings.models, settings.cache, Path(tempfile.gettempdir())):
        if folder is not None and folder.is_absolute():  # where the server keeps its files is nobody's business
            error.message = error.message.replace(f"{folder}{os.sep}", "")
            error.hint = error.hint.replace(f"{folder}{os.sep}", "")
    return error_response(request.scope, error)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    # What was sent is not repeated: it may be a key.
    faults = [
        {"where": ".".join(str(part) for part in fault["loc"]), "problem": str(fault["msg"])}
        for fault in error.errors()[:_LISTED_FAULTS]
    ]
    message = "; ".join(f"{fault['where']}: {fault['problem']}" for fault in faults[:3])
    problem = Problem(code="invalid-request", message=f"{message}.", hint="", details={"faults": faults})
    return problem_response(request.scope, problem, 422)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    if isinstance(error, RequestAborted):
        return error_response(request.scope, error.error)
    code = _HTTP_CODES.get(error.status_code, "bad-request")
    message = "There is nothing at this address." if error.status_code == 404 else f"{error.detail}."
    problem = Problem(code=code, message=message, hint="The address /v1/openapi.json lists everything there is.")
    return problem_response(request.scope, problem, error.status_code, error.headers)


async def _unforeseen(request: Request, _error: Exception) -> Response:
    # The traceback goes into the log, by whoever called us.
    problem = Problem(code="internal", message="Something went wrong in the service.", hint="Its log says what.")
    return problem_response(request.scope, problem, 500)
