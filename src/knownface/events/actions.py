"""Actions of alert rules, a command or a sound; never on the thread that reads the video."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

from knownface.errors import KnownFaceError
from knownface.events.rules import BELL, AlertRule

_log = logging.getLogger(__name__)

AT_ONCE = 4
MOST_WAITING = 64
"""More are not started: a command that hangs must not fill the memory."""
LAST_SECONDS = 5.0
"""How long commands may still run when the program ends."""

VARIABLE = "KNOWNFACE_ALERT_"

_PLAYERS: tuple[tuple[str, ...], ...] = (
    ("paplay",),
    ("pw-play",),
    ("aplay", "-q"),
    ("afplay",),
    ("ffplay", "-nodisp", "-autoexit", "-loglevel", "error"),
)
_MESSAGE_BYTES = 300


class Actions:
    """Runs the commands and sounds of rules on a few threads."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="knownface-alert")
        self._room = threading.BoundedSemaphore(MOST_WAITING)
        self._ended = threading.Event()

    def start(self, rule: AlertRule, event_id: int, facts: Mapping[str, Any], done: Callable[[int, str], None]) -> None:
        """Start what a rule does; ``done`` gets the event's id and what became of it, on another thread."""
        if not self._room.acquire(blocking=False):
            _log.warning("The command of the alert %r was not run: %d are waiting already.", rule.name, MOST_WAITING)
            return
        self._pool.submit(self._run, rule, event_id, facts, done)

    def close(self) -> None:
        """Begin nothing more, give what runs a few seconds, then end it."""
        timer = threading.Timer(LAST_SECONDS, self._ended.set)
        timer.daemon = True
        timer.start()
        self._pool.shutdown(wait=True, cancel_futures=True)
        timer.cancel()

    def _run(self, rule: AlertRule, event_id: int, facts: Mapping[str, Any], done: Callable[[int, str], None]) -> None:
        try:
            done(event_id, act(rule, facts, self._ended))
        except KnownFaceError as error:
            _log.warning("What became of the alert %r could not be written: %s", rule.name, error)
        finally:
            self._room.release()


def act(rule: AlertRule, facts: Mapping[str, Any], ended: threading.Event | None = None) -> str:
    """Do what a rule does, and wait for it.

    Args:
        rule: Its command, time-out and sound.
        facts: Passed to the command as ``KNOWNFACE_ALERT_NAME`` and so on, and as JSON on its standard input.
        ended: Set when the command shall be ended before its time.

    Returns:
        What became of it, for people.
    """
    outcomes = []
    if rule.sound is not None:
        outcomes.append(_sound(rule.sound, ended))
    if rule.command:
        outcomes.append(_command(rule.command, rule.timeout, facts, ended))
    outcome = "; ".join(outcomes)
    _log.info("Alert %r: %s", rule.name, outcome)
    return outcome


def _sound(sound: str, ended: threading.Event | None) -> str:
    if sound == BELL:
        if not sys.stderr.isatty():
            return "no terminal to ring"
        sys.stderr.write("\a")
        sys.stderr.flush()
        return "bell rung"
    player = next((p for p in _PLAYERS if shutil.which(p[0])), None)
    if player is None:
        return f"no player to sound {sound} with ({', '.join(p[0] for p in _PLAYERS)})"
    return _command([*player, sound], 30.0, {}, ended)


def _command(command: Sequence[str], timeout: float, facts: Mapping[str, Any], ended: threading.Event | None) -> str:
    variables = {f"{VARIABLE}{key.upper()}": "" if value is None else str(value) for key, value in facts.items()}
    with tempfile.TemporaryFile() as messages:
        try:
            process = subprocess.Popen(  # noqa: S603  (the owner of the gallery wrote the command; no shell)
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=messages,
                env={**os.environ, **{key: value.replace("\0", "") for key, value in variables.items()}},
                start_new_session=True,
            )
        except OSError as error:
            return f"{command[0]} could not be started: {error.strerror or error}"
        feeder = threading.Thread(target=_feed, args=(process, json.dumps(facts).encode()), daemon=True)
        feeder.start()
        status = _wait(process, timeout, ended)
        feeder.join(1.0)
        if status is None:
            return f"{command[0]} was ended after {timeout:g} s" if not _is_set(ended) else f"{command[0]} was ended"
        return f"{command[0]} ended with {status}{_last_words(messages) if status else ''}"


def _feed(process: subprocess.Popen[bytes], text: bytes) -> None:
    # Beside, since a program that does not read would hold the writer.
    with contextlib.suppress(OSError, ValueError):
        assert process.stdin is not None  # noqa: S101  (a pipe was asked for)
        with process.stdin as pipe:
            pipe.write(text)


def _wait(process: subprocess.Popen[bytes], timeout: float, ended: threading.Event | None) -> int | None:
    """The exit status; None where the time was over, and it was killed with everything it had started."""
    until = time.monotonic() + timeout
    while time.monotonic() < until and not _is_set(ended):
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(min(0.1, max(until - time.monotonic(), 0.001)))
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()
    return None


def _is_set(ended: threading.Event | None) -> bool:
    return ended is not None and ended.is_set()


def _last_words(messages: IO[bytes]) -> str:
    size = messages.seek(0, os.SEEK_END)
    messages.seek(max(0, size - _MESSAGE_BYTES))
    words = " ".join(messages.read().decode("utf-8", "replace").replace("\0", "").split())
    return f" ({words})" if words else ""
