"""The web page: drawn by the server, one file a group of pages; what it changes goes through the REST service."""

from fastapi import APIRouter

from knownface.server.pages import attendance, entrance, live, people, seen, settings
from knownface.server.pages.render import static_files

router = APIRouter(include_in_schema=False)
for group in (entrance, live, people, seen, attendance, settings):
    router.include_router(group.router)

__all__ = ["router", "static_files"]
