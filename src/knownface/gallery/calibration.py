"""The calibration of a gallery: which parameters it is searched with, what they guarantee, and whether they still do.

What becomes of the guarantee when the gallery changes:

- Nobody's removal raises the share of strangers who get a name, and neither does a merge or a split: without a margin
  all that counts is how near the nearest template is, whoever owns it. The calibration stays.
- Each person added gives a stranger one more chance of a false match, so the share grows at most in proportion to
  their number (union bound, for people who are like those enrolled before). Up to a quarter more people it is at most
  a quarter above the guarantee, less than a check with a few hundred strangers could show; beyond, it is reported.
- Templates added to the same people do the same, but less, since they lie close together: reported from twice as many.
- Another embedder's distances mean something else, and so do those of another scoring: such a calibration is not used.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, case, delete, distinct, func, insert, select

from knownface.gallery.changes import note_people_change
from knownface.gallery.contracts import check_fingerprint, read_contract
from knownface.gallery.edit_log import recorded
from knownface.scorings import Scoring
from knownface.storage import Database
from knownface.storage.schema import calibrations, templates
from knownface.types import DecisionRule

PEOPLE_GROWTH = 1.25
"""How many times the people a calibration bears."""
TEMPLATES_GROWTH = 2.0
"""How many times the templates a calibration bears."""


@dataclass(frozen=True, slots=True)
class GalleryCalibration:
    """Parameters for one gallery, with what is needed to see whether it has outgrown them.

    Attributes:
        rule: k1, k2, threshold, margin and the scoring that they were measured with.
        fingerprint: Of the embedder's contract whose distances were measured.
        wanted_fpir: The share of strangers who may get a name.
        fpir_bound: The largest share that fits what was seen, at the confidence.
        confidence: Of that bound.
        people: With templates, when it was calibrated.
        templates: Counter-examples aside, when it was calibrated.
        last_person: The largest person id then; later people have larger ones.
        last_template: The largest template id then.
        sentence: What is guaranteed, for people.
        details: All figures, as plain values.
        calibrated_at: When, in UTC.
        new_people: Enrolled since; counted when the calibration is read.
        new_templates: Enrolled since.
    """

    rule: DecisionRule
    fingerprint: str
    wanted_fpir: float
    fpir_bound: float
    confidence: float
    people: int
    templates: int
    last_person: int
    last_template: int
    sentence: str
    details: Mapping[str, Any]
    calibrated_at: datetime
    new_people: int = field(default=0, compare=False)
    new_templates: int = field(default=0, compare=False)

    def fits(self, fingerprint: str, scoring: Scoring) -> bool:
        """Whether it was measured on the distances of an embedder and a scoring."""
        return (self.fingerprint, self.rule.scoring) == (fingerprint, scoring)

    @property
    def outgrown(self) -> str | None:
        """A sentence where the gallery has grown too much for the guarantee, else None."""
        people, templates = self.people + self.new_people, self.templates + self.new_templates
        if people > PEOPLE_GROWTH * self.people:
            growth, what = people / self.people, f"people then: {self.people}, enrolled since: {self.new_people}"
        elif templates >= TEMPLATES_GROWTH * self.templates:
            growth, what = templates / self.templates, f"templates then: {self.templates}, since: {self.new_templates}"
        else:
            return None
        return (
            f"The gallery has outgrown its calibration of {self.calibrated_at:%Y-%m-%d} ({what}): instead of "
            f"{self.wanted_fpir:.2%} up to {min(1.0, growth * self.fpir_bound):.2%} of strangers may get a name. "
            "Run `knownface calibrate` again."
        )

    def notes(self, rule: DecisionRule, fingerprint: str, person_thresholds: Mapping[int, float]) -> list[str]:
        """What a user should know about the parameters in force, one line each.

        Args:
            rule: In force, with what the user set laid over the calibration.
            fingerprint: Of the embedder in use.
            person_thresholds: The people's own.
        """
        day = f"{self.calibrated_at:%Y-%m-%d}"
        if fingerprint != self.fingerprint:
            return [f"The calibration of {day} was made with another embedder and is not used."]
        if rule.scoring != self.rule.scoring:
            return [
                f"The calibration of {day} was made with the scoring {self.rule.scoring} and is not used with "
                f"{rule.scoring}: run `knownface calibrate` again, or set --scoring {self.rule.scoring}."
            ]
        notes = [
            f"Calibrated on {day}: threshold {rule.threshold:g}, k1 {rule.k1}, k2 {rule.k2}, margin {rule.margin:g}; "
            f"at most {self.wanted_fpir:.2%} of strangers get a name, with {self.confidence:.0%} confidence."
        ]
        # Whether a stranger gets any name depends on the threshold and the margin alone.
        if rule.threshold > self.rule.threshold or rule.margin < self.rule.margin:
            notes = [
                f"Threshold {rule.threshold:g} and margin {rule.margin:g} are set, laxer than the calibration of {day} "
                f"({self.rule.threshold:g} and {self.rule.margin:g}): what it promises does not hold."
            ]
        laxer = sum(own > self.rule.threshold for own in person_thresholds.values())
        if laxer:
            whose = "person has" if laxer == 1 else "people have"
            notes.append(f"{laxer} {whose} a laxer threshold of their own, for which nothing is promised.")
        if self.outgrown:
            notes.append(self.outgrown)
        return notes


def load_calibration(database: Database) -> GalleryCalibration | None:
    """The calibration that is in force, with what was enrolled since; None where there is none."""
    with database.reading() as connection:
        return _read(connection)


def store_calibration(database: Database, calibration: GalleryCalibration | None) -> None:
    """Store a calibration in the place of the one before, or, with None, take that away.

    Raises:
        ContractMismatchError: Another embedder has filled the gallery meanwhile.
    """
    with database.writing() as connection:
        if calibration is not None:
            check_fingerprint(read_contract(connection), calibration.fingerprint)
        with recorded(connection, "calibrate", calibrated=calibrations) as note:
            _write(connection, calibration)
            gone = {"key": "calibration_deleted"}
            note.said = [gone if calibration is None else {"key": "calibrated", "promise": calibration.sentence}]
        note_people_change(connection)


def read_calibrated(connection: Connection) -> tuple[DecisionRule, str] | None:
    """The parameters of the calibration that is stored, and the fingerprint of the embedder that they are for."""
    row = connection.execute(select(calibrations)).one_or_none()
    return None if row is None else (_rule_of(row, json.loads(row.details)), row.fingerprint)


def _rule_of(row: Row[Any], details: Mapping[str, Any]) -> DecisionRule:
    # Calibrations of earlier versions name no scoring: there was one.
    return DecisionRule(row.k1, row.k2, row.threshold, row.margin, details.get("scoring", "nearest"))


def _read(connection: Connection) -> GalleryCalibration | None:
    row = connection.execute(select(calibrations)).one_or_none()
    if row is None:
        return None
    new_person = case((templates.c.person_id > row.last_person, templates.c.person_id))
    later = (
        select(func.count(), func.count(distinct(new_person)))
        .select_from(templates)
        .where(templates.c.negative.is_(False), templates.c.id > row.last_template)
    )
    new_templates, new_people = connection.execute(later).one()
    details = json.loads(row.details)
    rule = _rule_of(row, details)
    details.pop("scoring", None)
    return GalleryCalibration(
        rule=rule,
        fingerprint=row.fingerprint,
        wanted_fpir=row.wanted_fpir,
        fpir_bound=row.fpir_bound,
        confidence=row.confidence,
        people=row.people,
        templates=row.templates,
        last_person=row.last_person,
        last_template=row.last_template,
        sentence=row.sentence,
        details=details,
        calibrated_at=row.calibrated_at,
        new_people=new_people,
        new_templates=new_templates,
    )


def _write(connection: Connection, calibration: GalleryCalibration | None) -> None:
    connection.execute(delete(calibrations))
    if calibration is None:
        return
    rule = calibration.rule
    values = {
        "fingerprint": calibration.fingerprint,
        "k1": rule.k1,
        "k2": rule.k2,
        "threshold": rule.threshold,
        "margin": rule.margin,
        "wanted_fpir": calibration.wanted_fpir,
        "fpir_bound": calibration.fpir_bound,
        "confidence": calibration.confidence,
        "people": calibration.people,
        "templates": calibration.templates,
        "last_person": calibration.last_person,
        "last_template": calibration.last_template,
        "sentence": calibration.sentence,
        "details": json.dumps({**calibration.details, "scoring": rule.scoring}, ensure_ascii=False),
        "calibrated_at": calibration.calibrated_at,
    }
    connection.execute(insert(calibrations), values)
