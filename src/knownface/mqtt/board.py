"""What the broker keeps for whoever subscribes later: where everybody is, who is at which camera, attendance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from knownface.events import Session, Sighting, report_session
from knownface.mqtt import discovery, messages, reading
from knownface.mqtt.broker import Broker
from knownface.mqtt.messages import Message
from knownface.settings import MqttSettings
from knownface.storage import Database

MOST_PEOPLE = 1000
"""With more of them nobody has topics and sensors of their own; who is seen is told all the same."""
_MOST_CAMERAS = 200


class Board:
    """The topics that the broker keeps, brought in line with the gallery.

    Args:
        database: The gallery's.
        settings: Of MQTT.

    Attributes:
        people: Who has topics of their own: name by id.
        too_many: Whether nobody has, since there are more than :data:`MOST_PEOPLE`.
    """

    def __init__(self, database: Database, settings: MqttSettings) -> None:
        self._database, self._settings, self._name = database, settings, settings.name
        self.people: dict[int, str] = {}
        self.too_many = False
        self._quiet: dict[str, bytes] = {}  # what is to be kept while nobody is seen
        self._attendance: dict[str, bytes] = {}
        self._kept: dict[str, bytes] = {}

    @property
    def patterns(self) -> list[str]:
        """What to subscribe to for every topic that the broker keeps."""
        prefix = self._settings.discovery
        announced = [discovery.config_pattern(prefix, self._name)] if prefix else []
        return [*messages.state_patterns(self._name), *announced]

    def forget(self) -> None:
        """Show everything again: this may be another broker, or one that lost what it kept."""
        self._kept = {}

    def read_everybody(self) -> None:
        """Read anew who is in the gallery, and which cameras there are."""
        with self._database.reading() as connection:
            followed = reading.people_followed(connection, MOST_PEOPLE)
            sources = reading.sources(connection, _MOST_CAMERAS)
            seen_at = reading.last_seen(connection, followed or {})
        self.people, self.too_many = followed or {}, followed is None
        self._quiet = {}
        for person_id, person in self.people.items():
            self._add(messages.person_message(self._name, person_id, person, None, seen_at.get(person_id)))
            if prefix := self._settings.discovery:
                self._add(discovery.person_sensor(prefix, self._name, person_id, person))
                if self._settings.pictures:
                    self._add(discovery.person_image(prefix, self._name, person_id, person))
        for source in sources:
            self._add_camera(source)

    def read_attendance(self, sessions: Iterable[Session]) -> None:
        """Read anew how it stands with the open sessions."""
        reports = [report_session(self._database, session.id) for session in sessions]
        told = [messages.attendance_message(self._name, report) for report in reports]
        self._attendance = {one.topic: one.payload for one in told}

    def show(self, broker: Broker, present: Sequence[Sighting]) -> None:
        """Publish what changed, and have the broker forget whoever and whatever is gone.

        Args:
            broker: Where.
            present: The sightings that go on, the newest last.
        """
        at: dict[str, list[Sighting]] = {}
        now: list[Message] = []
        for seen in present:
            at.setdefault(seen.source, []).append(seen)
            if seen.person_id is not None and (person := self.people.get(seen.person_id)):
                now.append(messages.person_message(self._name, seen.person_id, person, seen, None))
                left = seen.last_seen.isoformat()
                self._add(messages.person_message(self._name, seen.person_id, person, None, left))
        for source, there in at.items():
            now.append(messages.camera_message(self._name, source, there))
            self._add_camera(source)
        wanted = self._quiet | self._attendance | {one.topic: one.payload for one in now}
        gone = (broker.heard() | self._kept.keys()) - wanted.keys()
        changed = {topic: payload for topic, payload in wanted.items() if self._kept.get(topic) != payload}
        changed |= dict.fromkeys(sorted(gone), b"")
        sent = broker.send([Message(topic, payload, retain=True) for topic, payload in changed.items()])
        self._kept |= dict(list(changed.items())[:sent])
        self._kept = {topic: payload for topic, payload in self._kept.items() if payload}

    def _add_camera(self, source: str) -> None:
        self._add(messages.camera_message(self._name, source, []))
        if self._settings.discovery:
            self._add(discovery.camera_sensor(self._settings.discovery, self._name, source))

    def _add(self, message: Message) -> None:
        self._quiet[message.topic] = message.payload
