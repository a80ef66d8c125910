"""Measures how well people are recognised, then chooses the threshold for the false alarms that are acceptable.

    python examples/evaluate_and_calibrate.py PEOPLE/ STRANGERS/ REPORT/

STRANGERS/ holds pictures of people who are not in PEOPLE/: a file a person, or a folder a person. Needs the extra
`evaluation`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from knownface import FaceRecognizer
from knownface.errors import TooFewStrangersError
from knownface.evaluation.bench import open_bench
from knownface.evaluation.datasets import read_strangers
from knownface.evaluation.gallery_calibration import calibrate_gallery
from knownface.evaluation.runs import EvaluateOptions, run_evaluation


def main(people: Path, strangers: Path, report: Path) -> None:
    with open_bench() as bench:
        # Holds pictures of everybody out, tries every k1, k2 and threshold, and writes a page.
        _, headline = run_evaluation(bench, people, report, EvaluateOptions(strangers=strangers), {})
        print(headline)
        samples, _ = read_strangers(strangers, [folder.name for folder in people.iterdir()])
        unknown_faces = bench.reader.read(samples)

    with FaceRecognizer.open(report / "people.db") as recognizer:
        recognizer.load_known_faces(people)
        try:
            calibration = calibrate_gallery(recognizer.gallery, unknown_faces.faces, fpir=0.1)
        except TooFewStrangersError as error:
            print(error, error.hint)
            return
        print(calibration.sentence)
        print(recognizer.rule)  # whoever has the gallery open uses it from now on


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:4]))
