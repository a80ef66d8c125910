"""Another network for 10,000 templates of real photos, killed in the middle twice; see README.md.

    python benchmarks/migration.py FOLDER_OF_PEOPLE WORK [--templates 10000] [--from mobilefacenet] [--to sface-int8bq]

Photos are enrolled, then their templates are multiplied: each copy is a file of its own (a byte after the picture's end
makes it another one), so every file is opened, checked, decoded and searched for faces.
"""

from __future__ import annotations

import argparse
import hashlib
import resource
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from knownface import FaceRecognizer
from knownface.gallery import NewTemplate


def fill(people: Path, work: Path, network: str, count: int) -> Path:
    """A gallery of so many templates, each from a file of its own."""
    gallery, copies = work / "gallery.db", work / "copies"
    copies.mkdir(parents=True)
    with FaceRecognizer.open(gallery, embedder=network) as recognizer:
        recognizer.load_known_faces(people)
        held = recognizer.gallery.vectors()
        vectors = dict(zip(held.templates.tolist(), held.embeddings, strict=True))
        originals = [(p.name, t) for p in recognizer.gallery.people() for t in recognizer.gallery.templates(p.id)]
        new = []
        for number in range(count - len(originals)):
            name, template = originals[number % len(originals)]
            content = Path(template.source).read_bytes() + number.to_bytes(4, "big")
            path = copies / f"{number}.jpg"
            path.write_bytes(content)
            made = NewTemplate(vectors[template.id], str(path), hashlib.sha256(content).hexdigest(), box=template.box)
            new.append((name, replace(made, quality=template.quality)))
        for first in range(0, len(new), 1000):
            recognizer.gallery.enrol(new[first : first + 1000])
    return gallery


def made(gallery: Path) -> int:
    """Vectors that wait."""
    with closing(sqlite3.connect(f"file:{gallery}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT count(*) FROM template_vectors").fetchone()[0])


def main() -> None:
    """Fill, migrate, kill at a third and at two thirds, and tell the times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("people", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--templates", type=int, default=10_000)
    parser.add_argument("--from", dest="before", default="mobilefacenet")
    parser.add_argument("--to", default="sface-int8bq")
    options = parser.parse_args()
    gallery = fill(options.people, options.work, options.before, options.templates)
    words = [sys.executable, "-m", "knownface", "gallery", "migrate", "--gallery", str(gallery), "--embedder"]
    began = time.perf_counter()
    for share in (1 / 3, 2 / 3):
        run = subprocess.Popen([*words, options.to], stderr=subprocess.DEVNULL)
        while made(gallery) < share * options.templates and run.poll() is None:
            time.sleep(0.2)
        run.kill()
        run.wait()
        print(f"killed after {time.perf_counter() - began:.0f} s with {made(gallery)} vectors made", flush=True)
    print(subprocess.run([*words, options.to], capture_output=True, text=True, check=True).stdout)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime
    wall = time.perf_counter() - began
    print(
        f"{options.templates} templates in {wall:.0f} s, {cpu:.0f} s of processor time; peak {used.ru_maxrss >> 10} MiB"
    )
    began = time.perf_counter()
    print(subprocess.run([*words, options.before], capture_output=True, text=True, check=True).stdout)
    print(f"the way back in {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
