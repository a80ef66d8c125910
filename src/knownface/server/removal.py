"""What goes with a person, counted before it goes."""

from __future__ import annotations

from sqlalchemy import Table, func, select

from knownface.gallery import Gallery
from knownface.server.schemas.people import PersonSchema, Removal
from knownface.storage.events_schema import attendance_entries, events, offers, sightings
from knownface.storage.schema import held, template_pictures, templates


def removal_of(gallery: Gallery, person_id: int) -> Removal:
    """What would be deleted with a person.

    Raises:
        UnknownPersonError: There is nobody of this id.
    """
    person = gallery.person(person_id)
    with gallery.database.reading() as connection:

        def count(table: Table, negative: bool | None = None) -> int:
            query = select(func.count()).select_from(table).where(table.c.person_id == person_id)
            if negative is not None:
                query = query.where(table.c.negative.is_(negative))
            return connection.scalar(query) or 0

        kept = select(func.count()).select_from(template_pictures).join(templates)
        return Removal(
            person=PersonSchema.model_validate(person),
            templates=count(templates, negative=False),
            counter_examples=count(templates, negative=True),
            pictures=connection.scalar(kept.where(templates.c.person_id == person_id)) or 0,
            sightings=count(sightings),
            attendance=count(attendance_entries),
            events=count(events),
            offers=count(offers),
            held=count(held),
        )
