"""What was edited, and undoing it."""

from __future__ import annotations

from knownface.errors import EditConflictError, NameTakenError, UnknownEditError
from knownface.server.access import guarded_router, needs
from knownface.server.error_responses import errors
from knownface.server.routes.common import CallerDep, ServiceDep
from knownface.server.schemas.common import Cursor, Limit, Number, Page, cursor_after, read_number_cursor
from knownface.server.schemas.history import EditSchema

router = guarded_router("history")


@router.get("/history", dependencies=needs("viewer"), responses=errors(), summary="List edits")
def list_edits(service: ServiceDep, cursor: Cursor = None, limit: Limit = 50) -> Page[EditSchema]:
    """What was edited in the last 30 days, the latest first. Removing people and templates is final, and not listed."""
    page = service.gallery.history.edits(limit=limit + 1, before=read_number_cursor(cursor))
    rest = cursor_after(page[limit - 1].id) if len(page) > limit else None
    return Page(items=[EditSchema.model_validate(edit) for edit in page[:limit]], next=rest)


@router.get(
    "/history/{edit_id}", dependencies=needs("viewer"), responses=errors(UnknownEditError), summary="Read an edit"
)
def read_edit(service: ServiceDep, edit_id: Number) -> EditSchema:
    """One edit. Whatever made one answers its id in the header `Knownface-Edit`."""
    return EditSchema.model_validate(service.gallery.history.get(edit_id))


@router.post(
    "/history/{edit_id}/undo",
    dependencies=needs("operator"),
    responses=errors(UnknownEditError, EditConflictError, NameTakenError),
    summary="Undo an edit",
)
def undo_edit(service: ServiceDep, caller: CallerDep, edit_id: Number) -> EditSchema:
    """Takes an edit back; it is refused where the same people were edited since."""
    undone = service.gallery.history.undo(edit_id)
    service.audit.note(caller.actor, "history.undo", edit_id)
    return EditSchema.model_validate(undone)
