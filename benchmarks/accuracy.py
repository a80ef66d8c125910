"""How many faces are named rightly, and how many strangers are named: the main identification figure.

Enrols the first photos of the first people in name order, names their other photos, and takes the remaining people
for strangers. Faces that the detector misses count as not named.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from knownface.enrolment import EnrolmentOptions, PersonFolder, enrol_people, scan_people
from knownface.media import read_image
from knownface.recognizer import FaceRecognizer


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="one folder a person")
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--enrol", type=int, default=5, help="photos a person")
    parser.add_argument("--embedder", default="auto")
    parser.add_argument("--detector", default="auto")
    parser.add_argument("--strangers", type=Path, nargs="*", default=[], help="further photos of strangers")
    arguments = parser.parse_args()
    people = scan_people(arguments.data).people
    known, others = people[: arguments.people], people[arguments.people :]
    with tempfile.TemporaryDirectory() as folder:
        gallery = Path(folder) / "gallery.db"
        with FaceRecognizer.open(gallery, embedder=arguments.embedder, detector=arguments.detector) as recognizer:
            print(*recognizer.notes, recognizer.rule, sep="\n")
            enrolled = [PersonFolder(p.name, p.files[: arguments.enrol]) for p in known]
            parts = (recognizer.gallery, recognizer.detector, recognizer.embedder)
            reviews = list(enrol_people(enrolled, *parts, EnrolmentOptions(threads=recognizer.threads)))
            for review in reviews:
                if review.status == "refused":
                    print("not enrolled:", review.path, review.text)
            probes = [(p.name, path) for p in known for path in p.files[arguments.enrol :]]
            names = named(recognizer, [path for _, path in probes])
            right = sum(name == found for (name, _), found in zip(probes, names, strict=True))
            for (name, path), found in zip(probes, names, strict=True):
                if found not in (name, None):
                    print("wrong:", path, found)
            print(f"accuracy with Unknown allowed: {right}/{len(probes)} = {right / len(probes):.4f}")
            for label, files in (
                ("the other people", [path for p in others for path in p.files]),
                ("further strangers", [f for s in arguments.strangers for f in sorted(s.iterdir())]),
            ):
                if files:
                    wrong = sum(name is not None for name in named(recognizer, files))
                    print(f"strangers named, {label}: {wrong}/{len(files)} = {wrong / len(files):.4f}")


def named(recognizer: FaceRecognizer, files: list[Path]) -> list[str | None]:
    """The name of the largest face of each photo."""
    answers = recognizer.identify_many(files, read_image)
    return [answer.faces[0].name if answer.faces else None for answer in answers]


if __name__ == "__main__":
    main()
