"""A real Milvus server for the tests, from the package ``milvus``; no container is needed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

_RUN = """
import sys
from milvus import MilvusServer, MilvusServerConfig
port = int(sys.argv[2])
config = MilvusServerConfig(data_dir=sys.argv[1], **({"proxy_port": port} if port else {}))
config.set("common.session.ttl", int(sys.argv[3]))
server = MilvusServer(config)
server.start()
print(server.listen_port, flush=True)
server.server_proc.wait()
"""


class MilvusProcess:
    """One server in a folder of its own; what it holds outlives a stop.

    Args:
        folder: Where it keeps everything.
        lease: Seconds until a node that was killed counts as gone; on a busy machine a short one gives up living nodes.
    """

    def __init__(self, folder: Path, lease: int = 2) -> None:
        self._folder, self._lease = folder, lease
        self.port = 0
        self.start()

    @property
    def uri(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it is well; again at the port that it had."""
        self._process = subprocess.Popen(
            [sys.executable, "-c", _RUN, str(self._folder), str(self.port), str(self._lease)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def kill(self) -> None:
        """As by a power cut; it ends in no other way within a minute."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()


@pytest.fixture(scope="module")
def milvus_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusProcess]:
    """One at a time on a machine, since the store within it always listens at the same port."""
    pytest.importorskip("pymilvus", reason="the extra milvus is not installed")
    pytest.importorskip("milvus", reason="the package milvus, which brings a real server, is not installed")
    with (Path(tempfile.gettempdir()) / "knownface-milvus.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", 2380), 0.2):
            pytest.skip("port 2380, which Milvus's own store needs, is taken")
        server = MilvusProcess(tmp_path_factory.mktemp("milvus"))
        yield server
        server.kill()
