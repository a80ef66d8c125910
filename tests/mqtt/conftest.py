"""A real broker on loopback: Debian's mosquitto, with a password and TLS."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from mqtt_tools import Mosquitto

from knownface.server.tls import self_signed


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        pytest.skip("mosquitto is not installed (Debian: apt install mosquitto)")
    certificate, key, _ = self_signed(tmp_path / "tls", ())
    passwords = tmp_path / "passwords"
    passwords.touch(mode=0o600)
    subprocess.run([Path(program).parents[1] / "bin/mosquitto_passwd", "-b", passwords, "faces", "s3cret"], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    configuration = tmp_path / "mosquitto.conf"
    configuration.write_text(
        f"listener {port} 127.0.0.1\ncertfile {certificate}\nkeyfile {key}\n"
        f"password_file {passwords}\nallow_anonymous false\nuser root\n"
    )
    broker = Mosquitto(program, configuration, port, certificate)
    broker.start()
    yield broker
    broker.stop()
