"""The FastAPI app: the groups of routes put together."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator, Sequence
from types import ModuleType

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from knownface import __version__
from knownface.server import error_responses, pages, routes
from knownface.server.context import Service
from knownface.server.error_responses import ProblemDetails
from knownface.server.json_forms import describe_json_forms
from knownface.server.pages.api_docs import swagger_files
from knownface.server.pages.render import error_page, static_files

_DESCRIPTION = """
Puts names to faces. Ask with a key: `Authorization: Bearer kf_...`; the lock beside a route shows the role it needs.

Every error is problem details (RFC 9457) with `{code, message, hint, details}` besides; `code` is stable.
Lists are read in pages: give `next` as `cursor` until it is null. `RateLimit` says how many requests are left; 429 and
503 say in `Retry-After` how long to wait. Every `GET` has its `HEAD`. What takes a form with files takes the same
members as JSON too, files in Base64 or as data: URLs.
"""


def create_app(services: Sequence[Service]) -> FastAPI:
    """The app over running services, each on a gallery of its own; whoever calls it opens and closes them."""
    app = FastAPI(
        title="knownface",
        version=__version__,
        description=_DESCRIPTION,
        openapi_url="/v1/openapi.json",
        docs_url=None,  # these pages load scripts from elsewhere; ours is among the pages
        redoc_url=None,
        form_limits={
            "max_files": services[0].settings.max_pictures + 1,
            "max_fields": 20,
            "max_part_size": 10_000,
        },
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
        },
        generate_unique_id_function=_operation,
        redirect_slashes=False,
    )
    app.state.services = services
    error_responses.install_handlers(app, error_page)
    for router in sorted(routers_in(routes), key=lambda router: "faces" not in router.tags):  # asked most often
        app.include_router(router)
    for router in routers_in(pages):
        app.include_router(router, include_in_schema=False)
    app.mount("/static", static_files())
    app.mount("/swagger", swagger_files())
    _describe(app)  # kept; made at the first request it would hold up all others for a second
    return app


def _describe(app: FastAPI) -> None:
    document = app.openapi()
    describe_json_forms(document)
    schemas = document["components"]["schemas"]
    schemas["ProblemDetails"] = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
    # FastAPI documents an error of its own for requests that do not fit, which never comes.
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)


def routers_in(package: ModuleType) -> Iterator[APIRouter]:
    """The ``router`` of every module of a package that has one: a new file is a new group of routes."""
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        router = getattr(importlib.import_module(module.name), "router", None)
        if router is not None:
            yield router


def _operation(route: APIRoute) -> str:
    group = route.tags[0] if route.tags else "page"
    return re.sub(r"\W+", "_", f"{group}_{route.name}")
