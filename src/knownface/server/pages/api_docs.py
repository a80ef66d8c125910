"""The REST interface to look at and to try out, by Swagger UI, whose files lie in the package ``fastapi-swagger``."""

from __future__ import annotations

from fastapi import Request, Response
from fastapi.staticfiles import StaticFiles

from knownface.server.middleware import CONTENT_SECURITY
from knownface.server.pages.render import page, pages_router

router = pages_router()


def swagger_files() -> StaticFiles:
    """Swagger UI's scripts and style; only files of the package are used, none of its code."""
    return StaticFiles(packages=[("fastapi_swagger", "resources")])


@router.get("/docs")
def api_docs(request: Request) -> Response:
    """Every route, tried out with the browser's own session or with a key."""
    shown = page(request, "api_docs.html")
    # Its style holds its drawings.
    shown.headers["Content-Security-Policy"] = CONTENT_SECURITY.replace("img-src 'self'", "img-src 'self' data:")
    return shown
