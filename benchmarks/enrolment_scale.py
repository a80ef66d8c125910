"""Time and peak memory of enrolling many people, and of doing it again."""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from knownface.media import expand_paths, read_image, write_image


def main() -> None:
    """Make the people, enrol them twice, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("crops", type=Path, help="folder of photos, each of which becomes several people's")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--embedder", default="auto")
    arguments = parser.parse_args()
    crops = expand_paths([arguments.crops])
    with tempfile.TemporaryDirectory() as folder:
        people = Path(folder) / "people"
        for index in range(arguments.count):
            image = read_image(crops[index % len(crops)]).copy()
            image[:2, :2] = index % 251, index // 251 % 251, index // 63001  # other bytes, the same face
            write_image(people / f"person {index:06d}" / "a.jpg", image)
        print(f"{arguments.count} people made of {len(crops)} photos")
        command = [sys.executable, "-m", "knownface", "enroll", str(people), "--gallery", f"{folder}/gallery.db"]
        for run in ("first", "second"):
            start = time.perf_counter()
            ran = subprocess.run(
                [*command, "--embedder", arguments.embedder], check=False, capture_output=True, text=True
            )
            seconds = time.perf_counter() - start
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            print(f"{run} run: {seconds:.1f} s, {arguments.count / seconds:.0f} photos a second, peak {peak:.0f} MiB")
            print(ran.stdout.splitlines()[0])


if __name__ == "__main__":
    main()
