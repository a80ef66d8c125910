"""A broker that can be stopped, and somebody who listens to it."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from knownface.settings import MqttSettings


def until(true: Callable[[], object]) -> None:
    """Wait until something is true."""
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


@dataclass
class Mosquitto:
    """A broker on loopback; what it keeps is gone when it stops."""

    program: str
    configuration: Path
    port: int
    certificate: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen([self.program, "-c", self.configuration], stderr=subprocess.DEVNULL)
        until(self._answers)

    def stop(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def settings(self, **more: Any) -> MqttSettings:
        return MqttSettings(
            url=f"mqtts://localhost:{self.port}", user="faces", password="s3cret", ca=self.certificate, **more
        )

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False


@dataclass
class Listener:
    """Everything that a subscriber of all topics got."""

    got: list[tuple[str, bytes]] = field(default_factory=list)

    def last(self, topic: str) -> bytes | None:
        """The newest payload of a topic."""
        return next((payload for name, payload in reversed(self.got) if name == topic), None)

    def of(self, topic: str) -> list[dict[str, Any]]:
        return [json.loads(payload) for name, payload in self.got if name == topic and payload]

    def state(self, topic: str) -> Any:
        """What the newest payload of a topic gives as its state."""
        payload = self.last(topic)
        return json.loads(payload)["state"] if payload else None

    def kept(self) -> dict[str, bytes]:
        """Topics with something in them."""
        return {topic: payload for topic, payload in dict(self.got).items() if payload}


@contextlib.contextmanager
def listening(broker: Mosquitto) -> Iterator[Listener]:
    """Subscribe to everything until the end of the block."""
    listener = Listener()
    client = Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set("faces", "s3cret")
    client.tls_set(str(broker.certificate))
    client.reconnect_delay_set(1, 1)
    subscribed: list[bool] = []
    client.on_connect = lambda *_: client.subscribe("#", 1)
    client.on_subscribe = lambda *_: subscribed.append(True)
    client.on_message = lambda _client, _data, message: listener.got.append((message.topic, message.payload))
    client.connect("localhost", broker.port)
    client.loop_start()
    until(lambda: subscribed)
    try:
        yield listener
    finally:
        client.disconnect()
        client.loop_stop()
