"""Processor time of what the page does with long lists: guests, strangers in groups, people who may be one.

Embeddings are drawn at random around made-up people; one thread of this process is counted, so set OMP_NUM_THREADS and
OPENBLAS_NUM_THREADS to 1.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from knownface.events import open_session, read_guests, report_session
from knownface.events.clustering import group_by_likeness
from knownface.events.together import Together
from knownface.gallery import Gallery, NewTemplate
from knownface.review.alike import alike_pairs
from knownface.types import DecisionRule, EmbedderContract, Embeddings

DIM = 512
CONTRACT = EmbedderContract("made", DIM, "aligned", "a" * 64, "none", DecisionRule(1, 3, 1.04, 0.0), calibrated=True)
Result = TypeVar("Result")


def timed(what: str, work: Callable[[], Result]) -> Result:
    """Do something and print what it took of the processor."""
    begun = time.process_time()
    result = work()
    print(f"{what}: {time.process_time() - begun:.2f} s")
    return result


def looks(people: int, pictures: int, seed: int = 0) -> Embeddings:
    """Pictures of people in turn, unit vectors, shape (pictures, DIM)."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(people, DIM)).astype(np.float32)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    vectors: Embeddings = centres[np.arange(pictures) % people] + random.normal(0, 0.02, (pictures, DIM)).astype(
        np.float32
    )
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def main() -> None:
    """Print the times."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--guests", type=int, default=50_000)
    options.add_argument("--sightings", type=int, default=20_000)
    options.add_argument("--people", type=int, default=20_000)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, Gallery.open(Path(folder) / "gallery.db") as gallery:
        listed = Path(folder) / "guests.csv"
        lines = [f"Guest Number {number},E{number},{number % 500}" for number in range(asked.guests)]
        listed.write_text("\n".join(["name,external_id,table", *lines]))
        guests = timed("guest list read", lambda: read_guests(listed))
        session = timed("session opened", lambda: open_session(gallery.database, "evening", guests=guests))
        timed("session reported", lambda: report_session(gallery.database, session.id))
        for strangers in (300, 6_000, asked.sightings):
            starts = np.random.default_rng(1).uniform(0, 3600, asked.sightings)
            together = Together([[("door", float(start), float(start) + 20)] for start in starts])
            faces = looks(strangers, asked.sightings)
            groups = timed(
                f"{asked.sightings} sightings of {strangers} strangers in an hour grouped",
                lambda faces=faces, together=together: group_by_likeness(faces, 0.94, together),  # type: ignore[misc]
            )
            print(f"  {len(groups)} groups")
        gallery.bind(CONTRACT)
        vectors = looks(asked.people, 3 * asked.people)
        gallery.enrol(
            [
                (f"Person {row % asked.people}", NewTemplate(vector, f"{row}.jpg", f"{row:064}"))
                for row, vector in enumerate(vectors)
            ]
        )
        timed(f"{asked.people} people compared with each other", lambda: alike_pairs(gallery, CONTRACT, CONTRACT.rule))


if __name__ == "__main__":
    main()
