"""The FastAPI app: the groups of routes put together."""

from __future__ import annotations

import re

from fastapi import FastAPI
from fastapi.routing import APIRoute

from knownface import __version__
from knownface.server import problems
from knownface.server.context import Service
from knownface.server.pages import router as pages
from knownface.server.pages import static_files
from knownface.server.routes import (
    access,
    attendance,
    background,
    faces,
    hours,
    live,
    people,
    seen,
    service,
    templates,
    webhooks,
)
from knownface.server.routes.live_sockets import sockets

_DESCRIPTION = """
Puts names to faces. Ask with a key: `Authorization: Bearer kf_...`; the lock beside a route tells the role it needs.

Every error has one shape, `{code, message, hint, details}`; `code` is stable. Lists are read in pages: give `next` as
`cursor` until it is null. 429 and 503 say in `Retry-After` how long to wait.
"""

_ROUTERS = (
    faces.router,
    people.router,
    templates.router,
    seen.router,
    attendance.router,
    hours.router,
    live.router,
    background.router,
    access.router,
    webhooks.router,
    service.router,
)


def create_app(running: Service) -> FastAPI:
    """The app over a running service; whoever calls it opens and closes the service."""
    app = FastAPI(
        title="knownface",
        version=__version__,
        description=_DESCRIPTION,
        openapi_url="/v1/openapi.json",
        docs_url=None,  # these pages load scripts from elsewhere
        redoc_url=None,
        form_limits={
            "max_files": running.settings.max_pictures + 1,
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
    app.state.service = running
    problems.install(app)
    for router in _ROUTERS:
        app.include_router(router)
    app.include_router(sockets)
    app.include_router(pages)
    app.mount("/static", static_files())
    app.openapi()  # kept; made at the first request it would hold up all others for a second
    return app


def _operation(route: APIRoute) -> str:
    group = route.tags[0] if route.tags else "page"
    return re.sub(r"\W+", "_", f"{group}_{route.name}")
