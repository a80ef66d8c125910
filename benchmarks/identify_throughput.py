"""Photos a second of the whole command ``knownface identify``, against a loop of face_recognition over the same."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from knownface.media import expand_paths

PEER = """
import sys, warnings
warnings.simplefilter("ignore")
import face_recognition
known, names = [], []
split = sys.argv.index("--")
for path in sys.argv[1:split]:
    for vector in face_recognition.face_encodings(face_recognition.load_image_file(path))[:1]:
        known.append(vector)
        names.append(path)
import time
start = time.perf_counter()
count = 0
for path in sys.argv[split + 1 :]:
    for vector in face_recognition.face_encodings(face_recognition.load_image_file(path)):
        count += 1
        distances = face_recognition.face_distance(known, vector)
        distances.argmin()
print(time.perf_counter() - start, count)
"""


def main() -> None:
    """Print both rates and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="one folder a person")
    parser.add_argument("--photos", type=int, default=500)
    parser.add_argument("--embedder", default="auto")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--peer-python", type=Path, help="interpreter with face_recognition; without it, no comparison")
    parser.add_argument("--peer-photos", type=int, default=100, help="photos that the peer is timed on")
    arguments = parser.parse_args()
    files = [str(path) for path in expand_paths([arguments.data])][: arguments.photos]
    command = [sys.executable, "-m", "knownface"]
    with tempfile.TemporaryDirectory() as folder:
        gallery = ["--gallery", f"{folder}/gallery.db"]
        enrol = [*command, "enroll", str(arguments.data), "--embedder", arguments.embedder, *gallery]
        subprocess.run(enrol, check=False, stdout=subprocess.DEVNULL)
        rates = []
        for run in range(arguments.runs):
            start = time.perf_counter()
            identify = [*command, "identify", *files, *gallery, "--json", f"{folder}/{run}.json"]
            subprocess.run(identify, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            rates.append(len(files) / (time.perf_counter() - start))
            print(f"knownface identify: {len(files)} photos, {rates[-1]:.1f} a second, whole command")
        if arguments.peer_python:
            chosen = files[: arguments.peer_photos]
            ran = subprocess.run(
                [str(arguments.peer_python), "-c", PEER, *files[:5], "--", *chosen],
                check=True,
                capture_output=True,
                text=True,
            )
            seconds, faces = ran.stdout.split()
            peer = len(chosen) / float(seconds)
            print(f"face_recognition: {len(chosen)} photos, {faces} faces, {peer:.1f} photos a second, loop only")
            print(f"ratio: {sorted(rates)[len(rates) // 2] / peer:.1f}")


if __name__ == "__main__":
    main()
