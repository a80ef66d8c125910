"""Learns people from a folder and names the faces in photos.

    python examples/name_faces_in_photos.py PEOPLE/ party.jpg group.jpg

PEOPLE/ holds one folder a person. Labelled copies are written beside the photos.
"""

from __future__ import annotations

import sys
from pathlib import Path

from knownface import FaceRecognizer, read_image
from knownface.media import Label, draw_labels, write_image


def main(people: Path, photos: list[Path]) -> None:
    with FaceRecognizer.open(":memory:") as recognizer:  # a file name instead keeps the gallery
        report = recognizer.load_known_faces(people)
        print(f"{report.templates} pictures enrolled.")
        for review in report.reviews:
            if review.status == "refused":
                print(f"  not used: {review.path.name}: {review.text}")
        for photo in photos:
            found = recognizer.identify(photo)
            for face in found:
                print(f"{photo.name}: {face.name or 'Unknown'} at distance {face.distance:.2f}")
            labels = [Label(face.box, face.name or "Unknown", known=face.name is not None) for face in found]
            write_image(photo.with_name(f"{photo.stem}-named.jpg"), draw_labels(read_image(photo), labels))


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(argument) for argument in sys.argv[2:]])
