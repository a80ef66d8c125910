from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time

import psutil
import pytest

from knownface.events import AlertRule
from knownface.events import actions as module
from knownface.events.actions import Actions, act


def rule(*code, **more):
    command = (sys.executable, "-c", *code) if code else ()
    return AlertRule(**{"name": "r", "kind": "seen", "command": command, **more})


def is_there(pid):
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_nothing_that_was_seen_reaches_a_shell(tmp_path):
    target = tmp_path / "pwned"
    facts = {"name": f"$(touch {target}); `touch {target}`", "source": "a\0b", "distance": None}
    code = "import os, sys; sys.exit(0 if os.environ['KNOWNFACE_ALERT_SOURCE'] == 'ab' else 5)"
    assert act(rule(code), facts) == f"{sys.executable} ended with 0"
    assert not target.exists()


@pytest.mark.slow
def test_a_command_that_hangs_is_ended_with_all_it_started(tmp_path):
    note = tmp_path / "pid"
    code = (
        "import subprocess, sys, time;"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
        "open(sys.argv[1], 'w').write(str(child.pid)); time.sleep(600)"
    )
    assert act(rule(code, str(note), timeout=3.0), {}) == f"{sys.executable} was ended after 3 s"
    deadline = time.monotonic() + 60
    while is_there(int(note.read_text())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_there(int(note.read_text()))


def test_a_command_that_does_not_read_or_says_too_much_does_no_harm():
    assert act(rule("pass"), {"name": "x" * 1_000_000}).endswith(("ended with 0", "Argument list too long"))
    loud = act(rule("import sys; sys.stderr.write('x' * 10_000_000); sys.exit(3)"), {})
    assert loud.startswith(f"{sys.executable} ended with 3 (x")
    assert len(loud) < 600


def test_a_command_that_is_not_there_is_told(tmp_path):
    told = act(AlertRule("r", "seen", command=(str(tmp_path / "none"),)), {})
    assert told == f"{tmp_path / 'none'} could not be started: No such file or directory"


def test_a_sound_file_needs_a_player(monkeypatch, tmp_path):
    monkeypatch.setattr(module.shutil, "which", lambda _: None)
    assert act(rule(sound="ding.wav"), {}).startswith("no player to sound ding.wav with (paplay")
    player = tmp_path / "player"
    player.write_text('#!/bin/sh\ntest "$1" = ding.wav\n')
    player.chmod(0o755)
    monkeypatch.setattr(module.shutil, "which", lambda name: str(player))
    monkeypatch.setattr(module, "_PLAYERS", ((str(player),),))
    assert act(rule(sound="ding.wav"), {}) == f"{player} ended with 0"


def test_the_end_of_the_program_ends_what_runs(monkeypatch):
    monkeypatch.setattr(module, "LAST_SECONDS", 0.2)
    actions, done = Actions(), []
    code = "import time; time.sleep(600)"
    for event in range(8):
        actions.start(rule(code, timeout=500.0), event, {}, lambda *told: done.append(told))
    actions.close()
    assert {event for event, _ in done} <= set(range(4))
    assert all(outcome == f"{sys.executable} was ended" for _, outcome in done)


def test_too_many_at_once_are_not_started(monkeypatch, caplog):
    monkeypatch.setattr(module, "MOST_WAITING", 3)
    actions, gate, done = Actions(), threading.Event(), []
    monkeypatch.setattr(module, "act", lambda *_: gate.wait() and "done")
    for event in range(5):
        actions.start(rule(), event, {}, lambda *told: done.append(told))
    assert caplog.text.count("was not run") == 2
    gate.set()
    actions.close()
    assert sorted(done) == [(0, "done"), (1, "done"), (2, "done")]


@pytest.mark.skipif(shutil.which("script") is None, reason="needs a terminal to ring")
def test_the_bell_is_rung_at_a_terminal():
    code = (
        "from knownface.events import AlertRule; from knownface.events.actions import act;"
        "print(act(AlertRule('r', 'seen', sound='bell'), {}))"
    )
    line = f'{sys.executable} -c "{code}"'
    ran = subprocess.run(["script", "-qec", line, "/dev/null"], capture_output=True, check=True)
    assert b"\a" in ran.stdout
    assert b"bell rung" in ran.stdout
