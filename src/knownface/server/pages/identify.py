"""Who is on a photo or video, and whether two photos show one person; nothing that is looked at is kept."""

from __future__ import annotations

from fastapi import Request, Response

from knownface.server.context import service_of
from knownface.server.pages.notes import accuracy_note, rule_notes
from knownface.server.pages.render import page, pages_router

router = pages_router()


@router.get("/identify")
def identify(request: Request) -> Response:
    """Photos are dropped, and everybody on them is named."""
    service = service_of(request)
    return page(
        request,
        "identify.html",
        "identify",
        tab="identify",
        threshold=service.recognizer.rule.threshold,
        anybody=len(service.gallery.names) > 0,
        notes=rule_notes(request),
        accuracy=accuracy_note(request),
    )


@router.get("/compare")
def compare(request: Request) -> Response:
    """Two photos: the same person or not."""
    threshold = service_of(request).recognizer.rule.threshold
    return page(request, "compare.html", "identify", tab="compare", threshold=threshold)
