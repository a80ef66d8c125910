"""Drawing pages: templates with autoescaping, the guard before them, the static files beside them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine
from datetime import timedelta
from functools import cache, partial
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.types import Scope

from knownface.errors import KnownFaceError, NoKeyError, RateLimitedError
from knownface.gallery.history import Edit
from knownface.server.access import caller_of, csrf_of
from knownface.server.context import service_of
from knownface.server.error_responses import Problem, http_status, problem_of
from knownface.server.keys import Role, allows
from knownface.server.pictures import UPLOADED
from knownface.server.schemas.common import short_source
from knownface.server.texts import STATIC, day, languages, number, preferred_language, text, texts

SECTIONS = {
    "live": "live",
    "identify": "identify",
    "people": "people",
    "unknowns": "unknown",
    "attendance": "attendance",
    "log": "log",
    "settings": "settings",
}
"""The parts of the page, in the order of the navigation, and their drawings in ``icons.svg``."""

LANGUAGE = "language"
"""The cookie, and the parameter of an address, that chooses a language; the parameter counts more."""

_FOREVER = "public, max-age=31536000, immutable"


class _VersionedFiles(StaticFiles):
    """Files below a folder that is named after their content: browsers may keep them for good."""

    def lookup_path(self, path: str) -> tuple[str, Any]:
        version, _, rest = path.partition("/")
        return super().lookup_path(rest) if version == _version() else ("", None)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = _FOREVER
        return response


def static_files() -> StaticFiles:
    """Scripts, style, drawings and texts, for ``/static``."""
    return _VersionedFiles(directory=STATIC)


@cache
def _version() -> str:
    digest = hashlib.sha256()
    for file in sorted(STATIC.rglob("*")):
        if file.is_file():
            digest.update(file.relative_to(STATIC).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def static(path: str) -> str:
    """The address of a static file; another one whenever any of them changes, since scripts load each other."""
    return f"/static/{_version()}/{path}"


def problem_text(language: str, code: str, message: str) -> str:
    """What to say of a problem: the page's words for its code, as ``static/js/refusals.js`` has it."""
    if code in texts(language)["problems"]:
        return text(language, f"problems.{code}")
    return text(language, "error.said", message=message)


def edit_text(language: str, edit: Edit) -> str:
    """What an edit did, as ``static/js/undo.js`` says it; the English sentence of one that has no parts."""
    parts = ({**part, "names": ", ".join(part.get("names", ()))} for part in edit.said)
    return " ".join(text(language, f"history.said.{part.pop('key')}", **part) for part in parts) or edit.text


def initials(name: str) -> str:
    """What stands for a name where there is no picture."""
    words = name.split()
    return (words[0][:1] + (words[-1][:1] if len(words) > 1 else "")).upper() if words else ""


def file_name(source: str) -> str:
    """The last part of where a template came from."""
    return source.replace("\\", "/").rpartition("/")[2].removeprefix(UPLOADED)


def hours_text(length: timedelta) -> str:
    """Hours and minutes, such as 7:45."""
    minutes = round(length.total_seconds() / 60)
    return f"{minutes // 60}:{minutes % 60:02}"


def language_of(request: Request) -> str:
    """The language that a page is drawn in: chosen, else the browser's, else the service's."""
    for chosen in (request.query_params.get(LANGUAGE), request.cookies.get(LANGUAGE)):
        if chosen in languages():
            return str(chosen)
    return preferred_language(request.headers.get("accept-language", ""), service_of(request).settings.language)


@cache
def _environment(language: str) -> Environment:
    made = Environment(
        loader=PackageLoader("knownface.server"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(t=partial(text, language), static=static, navigation=tuple(SECTIONS), symbols=SECTIONS)
    made.globals.update(language=language, languages=languages())
    made.filters.update(hours=hours_text, initials=initials, file_name=file_name, short_source=short_source)
    made.filters.update(number=partial(number, language), day=partial(day, language))
    made.filters["alert_kind"] = lambda kind: text(language, f"alerts.of.{kind}")
    made.filters["edit_text"] = partial(edit_text, language)
    made.filters["problem"] = partial(problem_text, language)
    made.filters["consent_purpose"] = lambda purpose: text(language, f"consent.purposes.{purpose}")
    return made


def page(request: Request, template: str, section: str = "", status: int = 200, **values: Any) -> HTMLResponse:
    """Draw a page.

    Args:
        request: Whom for.
        template: File of ``templates/``.
        section: Which part of :data:`SECTIONS` it belongs to.
        status: HTTP status.
        **values: What the template shows.
    """
    caller = getattr(request.state, "caller", None)

    def may(role: Role) -> bool:
        return caller is not None and allows(caller.role, role)

    drawn = (
        _environment(language_of(request))
        .get_template(template)
        .render(
            request=request,
            section=section,
            csrf=csrf_of(request) if caller else None,
            signed_in=caller,
            may=may,
            **values,
        )
    )
    return HTMLResponse(drawn, status, {"Cache-Control": "no-store"})


def address_with(request: Request, **changes: object) -> str:
    """The address of the page with other parameters; those that are None are left out."""
    parameters = {**request.query_params, **changes}
    return f"{request.url.path}?{urlencode({k: v for k, v in parameters.items() if v is not None})}"


class PageRoute(APIRoute):
    """A page for those who have signed in; others are sent to sign in, and errors are pages too."""

    role: Role = "viewer"

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler behind the check."""
        handler = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            try:
                if self.role != "device" and caller_of(request, "device").role == "device":
                    return RedirectResponse("/kiosk", 303)
                caller = caller_of(request, self.role)
                wait = service_of(request).rates_by_key.take(str(caller.actor.key_id))
                if wait:
                    raise RateLimitedError("This key has sent too many requests.", retry_after=wait)
                return await handler(request)
            except NoKeyError:
                there = request.url.path + (f"?{request.url.query}" if request.url.query else "")
                return RedirectResponse(f"/sign-in?next={quote(there)}", 303)
            except KnownFaceError as error:
                return error_page(request, problem_of(error), http_status(error))

        return guarded


class AdminPageRoute(PageRoute):
    """A page for administrators."""

    role = "admin"


def error_page(request: Request, problem: Problem, status: int) -> HTMLResponse:
    """What people see of an error."""
    language = language_of(request)
    title = text(language, "error.not_found" if status == 404 else "error.title")
    return page(
        request, "error.html", status=status, title=title, message=problem_text(language, problem.code, problem.message)
    )


def pages_router(route: type[PageRoute] = PageRoute) -> APIRouter:
    """A router for a group of pages."""
    return APIRouter(route_class=route)
