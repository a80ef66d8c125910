"""The connection to an MQTT broker, which comes back by itself."""

from __future__ import annotations

import logging
import ssl
import threading
import time
from collections.abc import Sequence
from typing import Any

from knownface.errors import MissingExtraError, SettingsError
from knownface.mqtt.messages import OFFLINE, ONLINE, Message, availability_topic
from knownface.settings import MqttSettings

_log = logging.getLogger(__name__)

_QOS = 1
"""At least once."""
_KEEP_ALIVE_SECONDS = 30
_LONGEST_WAIT_SECONDS = 60
"""Between two attempts to connect."""
_ANSWER_SECONDS = 5.0
"""In which the broker must say that it has a message."""
_AT_ONCE = 100
"""Messages on their way at a time; nothing else is queued here."""


class Broker:
    """A client of a broker, by paho.

    Nothing is published while there is no connection: what is to be told waits where it was read.

    Args:
        settings: With an address.
        longest_wait: Seconds between two attempts to connect, at most.

    Attributes:
        connections: How often a connection was made.

    Raises:
        MissingExtraError: paho is not installed.
        SettingsError: The authority's certificate cannot be read.
    """

    def __init__(self, settings: MqttSettings, longest_wait: int = _LONGEST_WAIT_SECONDS) -> None:
        try:
            from paho.mqtt.client import Client
            from paho.mqtt.enums import CallbackAPIVersion
        except ImportError as error:
            raise MissingExtraError("MQTT needs paho-mqtt, which is not installed.", "mqtt") from error
        self._name, self._address = settings.name, settings.address
        self._client = client = Client(CallbackAPIVersion.VERSION2, f"knownface-{settings.name}")
        if settings.user is not None:
            secret = settings.password
            client.username_pw_set(settings.user, None if secret is None else secret.get_secret_value())
        if settings.tls:
            client.tls_set_context(_tls_context(settings))
        client.will_set(availability_topic(self._name), OFFLINE, _QOS, retain=True)
        client.reconnect_delay_set(1, longest_wait)
        client.on_connect, client.on_disconnect = self._connected, self._disconnected
        client.on_connect_fail, client.on_message = self._failed, self._heard
        self._started = False
        self._complained = False
        self._heard_of: set[str] = set()
        self._lock = threading.Lock()
        self.connections = 0

    def start(self) -> None:
        """Connect, now and whenever the connection was lost; does nothing once it was called."""
        if not self._started:
            self._started = True
            host, port = self._address
            self._client.connect_async(host, port, _KEEP_ALIVE_SECONDS)
            self._client.loop_start()

    def stop(self) -> None:
        """Say that nothing more comes, and disconnect."""
        if not self._started:
            return
        self._started = False
        self.send([Message(availability_topic(self._name), OFFLINE, retain=True)])
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def is_connected(self) -> bool:
        """Whether messages can be sent."""
        return self._client.is_connected()

    def subscribe(self, patterns: Sequence[str]) -> None:
        """Hear of the topics that the broker keeps; see :meth:`heard`."""
        self._client.subscribe([(pattern, _QOS) for pattern in patterns])

    def heard(self) -> set[str]:
        """The topics with something in them that were heard of since the last call."""
        with self._lock:
            topics, self._heard_of = self._heard_of, set()
        return topics

    def send(self, messages: Sequence[Message]) -> int:
        """Publish in order; how many, from the first one on, the broker has for sure."""
        sent = 0
        for start in range(0, len(messages), _AT_ONCE):
            if not self.is_connected:
                return sent
            chunk = messages[start : start + _AT_ONCE]
            until = time.monotonic() + _ANSWER_SECONDS
            for info in [self._client.publish(one.topic, one.payload, _QOS, one.retain) for one in chunk]:
                if not _is_taken(info, until):
                    return sent
                sent += 1
        return sent

    def _connected(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._complain(f"it answered: {reason}")
            return
        self._client.publish(availability_topic(self._name), ONLINE, _QOS, retain=True)
        _log.info("Connected to the MQTT broker %s:%d.", *self._address)
        self._complained = False
        self.connections += 1

    def _disconnected(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._complain(str(reason))

    def _failed(self, _client: Any, _data: Any) -> None:
        self._complain("it cannot be reached, or its certificate is not trusted")

    def _complain(self, why: str) -> None:
        """Once for each time that the connection is lost, not for every attempt."""
        if not self._complained:
            self._complained = True
            _log.warning("The MQTT broker %s:%d is waited for: %s", *self._address, why)

    def _heard(self, _client: Any, _data: Any, message: Any) -> None:
        if message.payload:
            with self._lock:
                self._heard_of.add(message.topic)


def _is_taken(info: Any, until: float) -> bool:
    try:
        info.wait_for_publish(max(0.01, until - time.monotonic()))
        return bool(info.is_published())
    except (RuntimeError, ValueError):  # not connected any more
        return False


def _tls_context(settings: MqttSettings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=None if settings.ca is None else str(settings.ca))
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"mqtt.ca names {settings.ca}, which cannot be used: {error}.",
            "Give a PEM file with the authority's certificate.",
        ) from error
