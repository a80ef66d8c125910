"""Human oversight: people confirm or reject alerts, and the audit log says who did (EU AI Act, Art. 14)."""

from __future__ import annotations

import logging

from knownface.events import Confirmer, Decision
from knownface.events.pending_alerts import confirm_alert, expire_alerts, has_expired, reject_alert
from knownface.law.audit import Actor, write_entry
from knownface.storage import Database

_log = logging.getLogger(__name__)

_PROGRAM = Actor(None, "knownface", "local")


def confirm(database: Database, alert_id: int, actor: Actor) -> Decision:
    """Confirm an alert as somebody: a key, or a user of this machine. Both count as people.

    Returns:
        What it did. Whoever called starts what the rule does, if anything.

    Raises:
        UnknownAlertError: There is no such alert.
        AlertDecidedError: It was rejected or expired, or the same one confirmed it before.
    """
    with database.writing() as connection:
        done = confirm_alert(connection, alert_id, _confirmer(actor))
        event = None if done.passed_on is None else done.passed_on.id
        given = len(done.pending.confirmed_by)
        write_entry(connection, actor, "alert.confirm", alert_id, given=given, needed=done.pending.needed, event=event)
    return done


def reject(database: Database, alert_id: int, actor: Actor) -> Decision:
    """Reject an alert as somebody.

    Raises:
        UnknownAlertError: There is no such alert.
        AlertDecidedError: It was rejected or expired before.
    """
    with database.writing() as connection:
        done = reject_alert(connection, alert_id, _confirmer(actor))
        write_entry(connection, actor, "alert.reject", alert_id)
    return done


def expire(database: Database) -> int:
    """Say of alerts that nobody confirmed in time that they have expired; returns of how many."""
    with database.reading() as connection:
        if not has_expired(connection):
            return 0
    with database.writing() as connection:
        gone = expire_alerts(connection)
        for alert_id, _ in gone:
            write_entry(connection, _PROGRAM, "alert.expire", alert_id)
    for alert_id, rule in gone:
        _log.warning("The alert %d of the rule %r has expired: nobody confirmed it in time.", alert_id, rule)
    return len(gone)


def _confirmer(actor: Actor) -> Confirmer:
    who = f"user {actor.name}" if actor.key_id is None else f"key {actor.key_id}"
    return Confirmer(who, actor.name)
