"""Kiosks: the screens at doors."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import ConfigDict, Field

from knownface.events import SessionReport
from knownface.server.kiosks import PIN, Kiosk
from knownface.server.schemas.common import Schema
from knownface.server.schemas.people import NameText
from knownface.server.schemas.service import KeyWithToken

Pin = Annotated[str, Field(pattern=f"^{PIN}$", description="Four to twelve digits.", examples=["2468"])]


class NewKiosk(Schema):
    """A kiosk to be set up."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"place": "Entrance", "pin": "2468", "key_id": None}]})

    place: NameText
    pin: Pin
    key_id: int | None = Field(
        default=None,
        ge=1,
        le=2**31 - 1,
        description="A key of the role `device`, whose screen follows at once; null makes one.",
    )


class KioskSchema(Schema):
    """A kiosk that was set up."""

    id: int
    session_id: int | None
    source: str = Field(description="What its sightings are kept under; they count in no other session.")
    key_id: int | None
    made: KeyWithToken | None = Field(description="The key that was made for it; shown once.")


class Arrived(Schema):
    """Somebody who has come, as the screen greets them."""

    person_id: int | None
    name: str
    greeting: str = Field(description="In English; name, facts and listed are what it is made of.")
    facts: dict[str, str] = Field(description="Further columns of a guest list, such as a table.")
    listed: bool = Field(description="Whether they were expected.")
    first_seen: datetime


class KioskScreen(Schema):
    """What a kiosk shows."""

    kiosk: int
    name: str = Field(description="Of the session.")
    is_open: bool = Field(description="Whether the session still goes on.")
    arrived: list[Arrived] = Field(description="Who has come, the latest first.")

    @classmethod
    def of(cls, kiosk: Kiosk, report: SessionReport) -> KioskScreen:
        """From the library's values."""
        came = [
            Arrived(
                person_id=one.person_id,
                name=one.name,
                greeting=one.greeting,
                facts=dict(one.facts),
                listed=one.listed,
                first_seen=one.first_seen,
            )
            for one in report.attendees
            if one.first_seen is not None
        ]
        return cls(
            kiosk=kiosk.id,
            name=report.session.name,
            is_open=report.session.is_open(datetime.now(UTC)),
            arrived=sorted(came, key=lambda one: one.first_seen, reverse=True),
        )


class Leaving(Schema):
    """What a kiosk is left with."""

    pin: Pin
