"""Deleting what is older than is to be kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, func, select

from knownface.events.arrivals import write_arrivals_before_purge
from knownface.storage import insert_new
from knownface.storage.events_schema import events, offers, pending_alerts, sightings
from knownface.storage.schema import META_SCRUB, held, meta

SCRUB_AFTER = timedelta(days=1)
"""A purge every hour must not write a large file anew each time; once a day it may."""


def purge(connection: Connection, cutoff: datetime) -> int:
    """Delete sightings, events, offered samples and held pictures that are older, in the caller's transaction.

    Who came to an attendance session is written into the session first, so that its report stays what it is.

    Returns:
        How many rows went.
    """
    oldest = connection.scalar(select(func.min(sightings.c.last_seen)))
    if oldest is not None and oldest < cutoff:
        write_arrivals_before_purge(connection, oldest, cutoff)
    gone = sum(
        connection.execute(delete(table).where(column < cutoff)).rowcount
        for table, column in (
            (sightings, sightings.c.last_seen),
            (events, events.c.at),
            (pending_alerts, pending_alerts.c.at),
            (offers, offers.c.seen_at),
            (held, held.c.held_at),
        )
    )
    if gone:
        insert_new(connection, meta, [{"key": META_SCRUB, "value": datetime.now(UTC).isoformat()}])
    return gone


def is_scrubbing_due(connection: Connection) -> bool:
    """Whether traces of a purge have waited for :data:`SCRUB_AFTER`; those of other removals do not wait here."""
    since = connection.scalar(select(meta.c.value).where(meta.c.key == META_SCRUB))
    try:
        return since is not None and datetime.now(UTC) - datetime.fromisoformat(since) >= SCRUB_AFTER
    except ValueError:
        return False  # somebody deleted something, and sees to it
