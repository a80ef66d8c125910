"""What was seen: sightings, attendance and check-in, working hours, alerts, and samples to learn from."""

from knownface.events.alert_log import Alert, read_alerts
from knownface.events.alerts import Alerts
from knownface.events.attendance import (
    close_session,
    delete_session,
    find_session,
    list_sessions,
    mark,
    open_session,
    report_session,
)
from knownface.events.attendance_values import Attendee, Session, SessionReport, Status
from knownface.events.clustering import group_by_likeness
from knownface.events.guests import Guest, read_guests
from knownface.events.happenings import EVENT_KINDS, Happening, begin_happenings, log_happenings, read_events
from knownface.events.hours import WorkDay, WorkWeek, read_hours, work_days, work_weeks
from knownface.events.pending_alerts import Confirmer, Decision, PendingAlert, count_pending, list_pending
from knownface.events.photographed import Photographed, mark_photographed
from knownface.events.rules import AlertRule, add_rule, change_rule, get_rule, list_rules, remove_rule
from knownface.events.sample_rules import SampleCandidate, SampleRule, Verdict
from knownface.events.samples import SampleOffer, accept_offers, list_offers, offer_picture, offer_sample, reject_offers
from knownface.events.sighting_log import SightingLog
from knownface.events.unknowns import Named, UnknownGroup, group_unknowns, name_unknown
from knownface.events.values import RetentionPolicy, SeenTrack, Sighting, SightingFilter

__all__ = [
    "EVENT_KINDS",
    "Alert",
    "AlertRule",
    "Alerts",
    "Attendee",
    "Confirmer",
    "Decision",
    "Guest",
    "Happening",
    "Named",
    "PendingAlert",
    "Photographed",
    "RetentionPolicy",
    "SampleCandidate",
    "SampleOffer",
    "SampleRule",
    "SeenTrack",
    "Session",
    "SessionReport",
    "Sighting",
    "SightingFilter",
    "SightingLog",
    "Status",
    "UnknownGroup",
    "Verdict",
    "WorkDay",
    "WorkWeek",
    "accept_offers",
    "add_rule",
    "begin_happenings",
    "change_rule",
    "close_session",
    "count_pending",
    "delete_session",
    "find_session",
    "get_rule",
    "group_by_likeness",
    "group_unknowns",
    "list_offers",
    "list_pending",
    "list_rules",
    "list_sessions",
    "log_happenings",
    "mark",
    "mark_photographed",
    "name_unknown",
    "offer_picture",
    "offer_sample",
    "open_session",
    "read_alerts",
    "read_events",
    "read_guests",
    "read_hours",
    "reject_offers",
    "remove_rule",
    "report_session",
    "work_days",
    "work_weeks",
]
