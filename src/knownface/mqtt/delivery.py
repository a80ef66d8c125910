"""The thread that tells a broker what is seen: read from the database, so that nothing is lost while it is away."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from knownface.errors import KnownFaceError, UnknownSightingError
from knownface.events import Sighting, SightingLog, list_sessions, read_alerts
from knownface.gallery import Gallery
from knownface.mqtt import messages, reading
from knownface.mqtt.board import MOST_PEOPLE, Board
from knownface.mqtt.broker import Broker
from knownface.mqtt.messages import Message
from knownface.mqtt.reading import Mark
from knownface.settings import MqttSettings
from knownface.storage.lease import Lease

_log = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
"""How often the database is looked at."""
_CHANGES_SECONDS = 2.0
"""How often people are read anew while they change, as in an enrolment of many."""
_EVERYBODY_SECONDS = 3600.0
"""How often people are read anew though none was changed: a consent ends with its day."""
_ATTENDANCE_SECONDS = 30.0
"""How often attendance is read anew though nobody was seen: somebody may have been marked by hand."""
_BATCH = 50


class MqttDelivery:
    """Tells a broker what is seen, while it holds the lease: of several programs on one gallery one does.

    Alerts and sightings are sent in order, at least once, with a mark in the database up to where.

    Args:
        gallery: Whose; must stay open.
        settings: With an address.
        every: Seconds between two looks.

    Raises:
        MissingExtraError: paho is not installed.
        SettingsError: The settings cannot be used.
    """

    def __init__(self, gallery: Gallery, settings: MqttSettings, every: float = EVERY_SECONDS) -> None:
        self._database, self._log = gallery.database, SightingLog(gallery)
        self._settings, self._name, self._every = settings, settings.name, every
        self._broker = Broker(settings)
        self._board = Board(self._database, settings)
        self._lease = Lease(self._database, "mqtt")
        self._mark: Mark | None = None
        self._connection = 0
        self._people_state: tuple[str, ...] = ()
        self._everybody_read = self._attendance_at = float("-inf")
        self._told: dict[int, int | None] = {}  # of the sightings that go on: as whose they were told
        self._shown: dict[int, Sighting] = {}  # whose picture was sent when they came
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)

    def start(self) -> None:
        """Begin; what happens from now on will be told.

        Raises:
            KnownFaceError: The gallery cannot be read or written.
        """
        self._mark = self._first_mark()
        self._thread.start()

    def close(self) -> None:
        """Tell what has happened by now, where the broker is there, and stop."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            self._step()
        self._step()
        self._broker.stop()
        with contextlib.suppress(KnownFaceError):
            self._lease.give_back()

    def _step(self) -> None:
        try:
            if not self._lease.take():
                self._broker.stop()
                self._mark = None
                return
            self._broker.start()
            if self._mark is None:
                self._mark = self._first_mark()
            if self._broker.is_connected:
                self._tell(self._mark)
        except KnownFaceError as error:
            _log.warning("MQTT waits: %s", error)

    def _tell(self, mark: Mark) -> None:
        with self._database.reading() as connection:
            people_state = reading.people_state(connection)
            since = datetime.now(UTC) - timedelta(seconds=self._settings.away_seconds)
            present = reading.present(connection, since)
            begun, newest = reading.new_sightings(connection, mark.sighting, _BATCH)
        alerts = read_alerts(self._database, after=mark.event, limit=_BATCH)
        self._read_board(people_state, seen=bool(begun))
        self._board.show(self._broker, present)
        if self._settings.pictures:
            self._tell_pictures(present)
        self._tell_renamed(present)
        told = self._broker.send([messages.sighting_message(self._name, one) for one in begun])
        taken = self._broker.send([messages.alert_message(self._name, alert) for alert in alerts])
        self._keep_mark(
            Mark(
                event=[mark.event, *(alert.id for alert in alerts)][taken],
                sighting=newest if told == len(begun) else [mark.sighting, *(one.id for one in begun)][told],
            )
        )

    def _first_mark(self) -> Mark:
        with self._database.reading() as connection:
            mark = reading.read_mark(connection)
        self._keep_mark(mark)
        return mark

    def _keep_mark(self, mark: Mark) -> None:
        if mark != self._mark:
            with self._database.writing() as connection:
                reading.write_mark(connection, mark)
            self._mark = mark

    def _read_board(self, people_state: tuple[str, ...], *, seen: bool) -> None:
        """Read anew what may have changed of what the broker keeps."""
        now = time.monotonic()
        if self._broker.connections != self._connection:
            self._connection = self._broker.connections
            self._board.forget()
            self._broker.subscribe(self._board.patterns)
        changed = people_state != self._people_state and now >= self._everybody_read + _CHANGES_SECONDS
        if changed or now >= self._everybody_read + _EVERYBODY_SECONDS:
            self._board.read_everybody()
            self._people_state, self._everybody_read = people_state, now
            if self._board.too_many:
                _log.warning("With more than %d people none of them has an MQTT topic of their own.", MOST_PEOPLE)
        if seen or now >= self._attendance_at:
            self._board.read_attendance(list_sessions(self._database, open_at=datetime.now(UTC)))
            self._attendance_at = now + _ATTENDANCE_SECONDS

    def _tell_renamed(self, present: Sequence[Sighting]) -> None:
        """Tell sightings again that turned out to be of somebody else while they go on."""
        renamed = [one for one in present if self._told.get(one.id, one.person_id) != one.person_id]
        sent = self._broker.send([messages.sighting_message(self._name, one) for one in renamed])
        waiting = {one.id for one in renamed[sent:]}
        self._told = {one.id: self._told[one.id] if one.id in waiting else one.person_id for one in present}

    def _tell_pictures(self, present: Sequence[Sighting]) -> None:
        """Send a person's picture when they come, and the best one when they have gone."""
        now = {one.person_id: one for one in present if one.person_id is not None}
        came = [one for person, one in now.items() if person not in self._shown or self._shown[person].id != one.id]
        left = [one for person, one in self._shown.items() if person not in now]
        for one in [*came, *left]:
            if one.person_id is None or one.person_id not in self._board.people:
                continue
            with contextlib.suppress(UnknownSightingError):
                if picture := self._log.picture(one.id):
                    self._broker.send([Message(messages.picture_topic(self._name, one.person_id), picture)])
        self._shown = now


@contextlib.contextmanager
def delivering(gallery: Gallery, settings: MqttSettings) -> Iterator[None]:
    """Tell the broker of the settings what is seen, until the end of the block; does nothing where none is set.

    Raises:
        MissingExtraError: paho is not installed.
        SettingsError: The settings cannot be used.
    """
    if settings.url is None:
        yield
        return
    delivery = MqttDelivery(gallery, settings)
    delivery.start()
    try:
        yield
    finally:
        delivery.close()
