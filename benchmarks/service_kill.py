"""``kill -9`` of the service while it enrols, again and again: is everything that it answered still there?"""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from knownface.client import Client, RemoteError
from knownface.gallery import Gallery
from knownface.storage.checks import check_file


def enrol(address: str, key: str, prefix: str, pictures: list[bytes], answered: dict[str, int]) -> None:
    """Make people and teach their faces until nothing answers any more."""
    with Client(address, key, patience=0) as client:
        number = 0
        while True:
            name = f"{prefix}-{number}"
            try:
                person = client.create_person(name)["id"]
                done = client.add_templates(person, [pictures[number % len(pictures)]], insist=True)
            except RemoteError:
                return
            answered[name] = done["added"]
            number += 1


def main() -> None:
    """Print a line a kill, and what was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path, help="folder of photos with one face each")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--embedder", default="auto")
    arguments = parser.parse_args()
    pictures = [file.read_bytes() for file in sorted(arguments.pictures.iterdir())[:100] if file.is_file()]
    answered: dict[str, int] = {}
    lost = 0
    limits = {"KNOWNFACE_SERVE__RATE_PER_KEY": "1000000", "KNOWNFACE_SERVE__RATE_PER_ADDRESS": "1000000"}
    with tempfile.TemporaryDirectory() as folder:
        gallery, key = Path(folder) / "g.db", ""
        command = [sys.executable, "-m", "knownface", "serve", "--port", "0", "--gallery", str(gallery)]
        command += ["--embedder", arguments.embedder]
        for turn in range(arguments.kills):
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **limits}) as run:
                assert run.stdout is not None
                address = re.findall(r"http://\S+", run.stdout.readline())[0].rstrip("/")
                key = key or re.findall(r"kf_\S+", run.stdout.readline())[0]
                clients = [
                    threading.Thread(target=enrol, args=(address, key, f"{turn}-{i}", pictures, answered))
                    for i in range(arguments.clients)
                ]
                for client in clients:
                    client.start()
                wanted, end = len(answered) + random.randint(1, 60), time.monotonic() + 30
                while len(answered) < wanted and time.monotonic() < end:
                    time.sleep(0.01)
                run.kill()
                for client in clients:
                    client.join()
            check_file(gallery, whole=True)
            with Gallery.open(gallery, create=False) as opened:
                there = {person.name: person.templates for person in opened.people()}
            missing = sum(there.get(name, 0) < count for name, count in answered.items())
            lost += missing
            print(f"kill {turn + 1}: {len(answered)} enrolments answered so far, {missing} missing, database intact")
    print(f"{arguments.kills} kills, {len(answered)} enrolments answered, {lost} lost")


if __name__ == "__main__":
    main()
