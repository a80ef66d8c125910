"""The calibrated threshold of a liveness check, kept with the gallery whose cameras it was measured before."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select

from knownface.gallery.changes import note_people_change
from knownface.gallery.edit_log import recorded
from knownface.storage import Database
from knownface.storage.schema import liveness_calibrations


@dataclass(frozen=True, slots=True)
class LivenessCalibration:
    """What was chosen for one check.

    Attributes:
        fingerprint: Of the check.
        threshold: The smallest score, 0 to 1, that counts as live.
        wanted_apcer: The share of each kind of attack that may pass.
        apcer: The share seen of the kind that passes most often.
        bpcer: The share of living faces seen to be refused.
        sentence: The same for people.
        calibrated_at: When, in UTC.
    """

    fingerprint: str
    threshold: float
    wanted_apcer: float
    apcer: float
    bpcer: float
    sentence: str
    calibrated_at: datetime


def read_liveness_calibration(database: Database, fingerprint: str) -> LivenessCalibration | None:
    """What was chosen for a check; None if nothing was."""
    wanted = select(liveness_calibrations).where(liveness_calibrations.c.fingerprint == fingerprint)
    with database.reading() as connection:
        row = connection.execute(wanted).one_or_none()
    return None if row is None else LivenessCalibration(**row._mapping)


def store_liveness_calibration(database: Database, calibration: LivenessCalibration) -> None:
    """Store a choice in the place of the one before for the same check."""
    table = liveness_calibrations
    with database.writing() as connection:
        with recorded(connection, "calibrate", calibrated=table) as note:
            connection.execute(delete(table).where(table.c.fingerprint == calibration.fingerprint))
            connection.execute(insert(table).values(**asdict(calibration)))
            note.said = [{"key": "liveness_calibrated", "promise": calibration.sentence}]
        note_people_change(connection)


def forget_liveness_calibrations(database: Database) -> int:
    """Take all of them away; returns how many there were."""
    with database.writing() as connection:
        with recorded(connection, "calibrate", calibrated=liveness_calibrations) as note:
            count = connection.execute(delete(liveness_calibrations)).rowcount
            note.said = [{"key": "liveness_calibration_deleted"}]
        note_people_change(connection)
    return count
