"""Two services and a `watch` on one PostgreSQL: how soon each sees a change, and what a stop of the server does.

Three programs of their own, as they would run. The database must be empty; how its server is stopped and started is
given as commands. Somebody removed must not be named by anybody at any time, and all must go on by themselves.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from live_speed import served

from knownface.client import Client, RemoteError
from knownface.media import VideoWriter, read_image


def main() -> None:
    """Print a line for each thing that is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gallery", help="postgresql:// URL of an empty database")
    parser.add_argument("first", type=Path, help="folder with photos of somebody")
    parser.add_argument("second", type=Path, help="folder with photos of somebody else")
    parser.add_argument("--stop", required=True, help="command that stops the database server")
    parser.add_argument("--start", required=True, help="command that starts it")
    parser.add_argument("--seconds", type=float, default=30.0, help="for which it is stopped")
    parser.add_argument(
        "--scratch", type=Path, default=Path("several-processes.mp4"), help="video to make and to watch"
    )
    arguments = parser.parse_args()
    photos = [sorted(folder.iterdir())[:6] for folder in (arguments.first, arguments.second)]
    with contextlib.ExitStack() as stack:
        one, key = stack.enter_context(_service(arguments.gallery, shows_key=True))
        other, _ = stack.enter_context(_service(arguments.gallery, shows_key=False))
        clients = [stack.enter_context(Client(address, key, patience=0)) for address in (one, other)]
        people = [clients[0].create_person(name)["id"] for name in ("Ada", "Ben")]
        for person, files in zip(people, photos, strict=True):
            clients[0].add_templates(person, [file.read_bytes() for file in files[:-1]], insist=True)

        def names(client: Client, person: int) -> str | None:
            found = client.identify(photos[person][-1].read_bytes())["faces"]
            return found[0]["name"] if found else None

        _make_video(arguments.scratch, photos[0][0])
        url = stack.enter_context(served(arguments.scratch, 15))
        shown = stack.enter_context(_watch(arguments.gallery, url))
        shown(lambda event: event.get("name") == "Ada")
        clients[0].change_person(people[0], name="Adele")
        changed = time.monotonic()
        _until(lambda: names(clients[1], 0) == "Adele")
        print(f"renamed by one service: the other says so after {time.monotonic() - changed:.2f} s")
        shown(lambda event: event.get("name") == "Adele")
        print(f"and the watcher after {time.monotonic() - changed:.2f} s")
        clients[1].delete_person(people[1])
        removed = [names(client, 1) for client in clients]
        subprocess.run(shlex.split(arguments.stop), check=True)
        stopped = time.monotonic()
        for client in clients:
            asked = time.monotonic()
            try:
                print(f"answered although the server is stopped: {names(client, 0)}")
            except RemoteError as error:
                print(f"stopped: {error.status} {error.code} after {time.monotonic() - asked:.2f} s")
        shown(lambda event: event["event"] == "lost")
        time.sleep(max(0.0, stopped + arguments.seconds - time.monotonic()))
        subprocess.run(shlex.split(arguments.start), check=True)
        started = time.monotonic()
        for client in clients:
            _until(lambda: _quietly(partial(names, client, 0)) == "Adele")  # noqa: B023 - at once
            print(f"a service names again {time.monotonic() - started:.2f} s after the start")
            removed.append(names(client, 1))
        shown(lambda event: event["event"] == "connected")
        print(f"the watcher goes on {time.monotonic() - started:.2f} s after the start")
        print(f"the removed person was named {sum(name is not None for name in removed)} times")


@contextlib.contextmanager
def _service(gallery: str, *, shows_key: bool) -> Iterator[tuple[str, str]]:
    """The address of a service of its own process, and the key that the first one shows."""
    command = [sys.executable, "-m", "knownface", "serve", "--port", "0", "--gallery", gallery]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as run:
        assert run.stdout is not None
        try:
            address = re.findall(r"http://\S+", run.stdout.readline())[0].rstrip("/")
            yield address, re.findall(r"kf_\S+", run.stdout.readline())[0] if shows_key else ""
        finally:
            run.terminate()


@contextlib.contextmanager
def _watch(gallery: str, url: str) -> Iterator[Callable[[Callable[[dict[str, Any]], bool]], None]]:
    """Waits for the next event of a watcher's that is wanted."""
    command = [sys.executable, "-m", "knownface", "watch", url, "--events", "--name", "door", "--gallery", gallery]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as run:
        lines = run.stdout
        assert lines is not None

        def wait_for(wanted: Callable[[dict[str, Any]], bool]) -> None:
            for line in lines:
                if wanted(json.loads(line)):
                    return
            sys.exit("The watcher ended.")

        try:
            yield wait_for
        finally:
            run.terminate()


def _make_video(path: Path, photo: Path) -> None:
    image = read_image(photo)
    image = image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2]
    with VideoWriter(path, 15) as video:
        for _ in range(60):
            video.write(image)


def _until(true: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not true():
        if time.monotonic() > end:
            sys.exit("It never came.")
        time.sleep(0.01)


def _quietly(asked: Callable[[], str | None]) -> str | None:
    with contextlib.suppress(RemoteError):
        return asked()
    return None


if __name__ == "__main__":
    main()
