"""The live page."""

from __future__ import annotations

from fastapi import Request, Response

from knownface.events import count_pending
from knownface.server.context import service_of
from knownface.server.pages.notes import accuracy_note, rule_notes
from knownface.server.pages.render import page, pages_router
from knownface.server.texts import text

router = pages_router()


@router.get("/live")
def live(request: Request) -> Response:
    """The browser's camera, the watched sources, and who is here."""
    service = service_of(request)
    return page(
        request,
        "live.html",
        "live",
        anybody=len(service.gallery.names) > 0,
        sources=service.streams.watched.all(),
        source=text(service.settings.language, "live.browser_camera"),
        threshold=service.recognizer.rule.threshold,
        notes=rule_notes(request),
        waiting=count_pending(service.database),
        accuracy=accuracy_note(request),
    )
