"""The main job on real faces, to be seen by somebody who has just installed knownface."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from knownface.answers import Identification
from knownface.enrolment import EnrolmentOptions, FileReview, PersonFolder, enrol_people, scan_people
from knownface.errors import InputError, MissingExtraError
from knownface.identification import labels
from knownface.media import draw_labels, kind_of, read_image, write_image
from knownface.recognizer import FaceRecognizer
from knownface.types import Image

ASTRONAUT = "Eileen Collins"
_STRANGERS = 100
"""The first hundred pictures of ``lfw_subset`` are faces, the others are not."""
_HELD_OUT = 5
"""One picture in so many is kept back from enrolment when a user's own folder is shown."""


@dataclass(frozen=True, slots=True)
class DemoRow:
    """One picture of the demonstration.

    Attributes:
        what: What the picture is.
        expected: Names that ought to be found; anybody else on it is a stranger.
        found: The names given, Unknown left out.
        strangers: Faces called Unknown.
        distance: To the person expected, where named.
        picture: The labelled copy.
    """

    what: str
    expected: tuple[str, ...]
    found: tuple[str, ...]
    strangers: int
    distance: float | None
    picture: Path

    @property
    def right(self) -> bool:
        """Exactly the expected people were named."""
        return sorted(self.expected) == sorted(self.found)


def astronaut_demo(recognizer: FaceRecognizer, folder: Path) -> Iterator[DemoRow]:
    """Enrol the astronaut Eileen Collins from one photo, then find her in altered ones and among strangers.

    Args:
        recognizer: With an empty gallery.
        folder: For the labelled pictures.

    Raises:
        MissingExtraError: scikit-image, which ships the pictures, is not installed.
    """
    photo, strangers = _pictures()
    recognizer.add_known_face(ASTRONAUT, photo, faces="largest")
    box = max((face.box for face in recognizer.identify(photo)), key=lambda b: b.area)
    for number, (what, picture, expected) in enumerate(
        [*_altered(photo, (int(box.x), int(box.y), int(box.width), int(box.height))), *_among(photo, strangers)]
    ):
        found = recognizer.identify(picture)
        yield _row(what, (ASTRONAUT,) if expected else (), picture, found, folder / f"{number:02d} {what}.jpg")


def _pictures() -> tuple[Image, list[Image]]:
    try:
        from skimage import data
    except ImportError as error:
        raise MissingExtraError("The demonstration needs the pictures that scikit-image ships.", "demo") from error
    faces = (data.lfw_subset()[:_STRANGERS] * 255).astype(np.uint8)
    return data.astronaut(), [
        cv2.cvtColor(cv2.resize(face, (160, 160), interpolation=cv2.INTER_CUBIC), cv2.COLOR_GRAY2RGB) for face in faces
    ]


def _altered(photo: Image, face: tuple[int, int, int, int]) -> Iterator[tuple[str, Image, bool]]:
    height, width = photo.shape[:2]
    yield "as enrolled", photo, True
    yield "dark", (photo * 0.2).astype(np.uint8), True
    yield "blurred", cv2.GaussianBlur(photo, (0, 0), 3.0), True
    yield "small", cv2.resize(photo, (width // 2, height // 2), interpolation=cv2.INTER_AREA), True
    turn = cv2.getRotationMatrix2D((face[0] + face[2] / 2, face[1] + face[3] / 2), 15, 1.0)
    yield "turned", cv2.warpAffine(photo, turn, (width, height), borderMode=cv2.BORDER_REPLICATE), True
    masked = photo.copy()
    x, y, w, h = face
    outline = [(0.08, 0.7), (0.5, 0.6), (0.92, 0.7), (0.85, 0.9), (0.5, 1.08), (0.15, 0.9)]
    corners = np.array([(x + across * w, y + down * h) for across, down in outline], dtype=np.int32)
    cv2.fillPoly(masked, [corners], (70, 120, 170), cv2.LINE_AA)
    yield "mask over mouth and chin", masked, True


def _among(photo: Image, strangers: list[Image]) -> Iterator[tuple[str, Image, bool]]:
    """The astronaut with strangers around her, then strangers alone."""
    columns, side = 6, 160
    for index, sheet in enumerate([strangers[:20], strangers[20:60]]):
        rows = [np.hstack(sheet[i : i + columns]) for i in range(0, len(sheet) - columns + 1, columns)]
        wall = np.vstack(rows)
        if index == 0:
            beside = cv2.resize(photo[:320, 60:380], (wall.shape[0], wall.shape[0]), interpolation=cv2.INTER_AREA)
            yield "beside strangers", np.hstack([beside, wall]), True
        else:
            yield "strangers only", np.pad(wall, ((side // 4,) * 2, (side // 4,) * 2, (0, 0)), mode="edge"), False


def _row(what: str, expected: tuple[str, ...], picture: Image, found: list[Identification], target: Path) -> DemoRow:
    write_image(target, draw_labels(picture, labels(found)))
    names = tuple(face.name for face in found if face.name is not None)
    distances = [face.distance for face in found if face.name in expected]
    return DemoRow(what, expected, names, len(found) - len(names), min(distances, default=None), target)


def own_folder_demo(
    recognizer: FaceRecognizer, directory: Path, folder: Path, refused: list[FileReview]
) -> Iterator[DemoRow]:
    """Enrol a user's own people with every fifth picture of each held out, then name the held-out ones.

    Args:
        recognizer: With an empty gallery.
        directory: One folder a person.
        folder: For the labelled pictures.
        refused: Filled with the files that could not be used for enrolment.

    Raises:
        InputError: Nobody has two pictures, so that none can be held out.
    """
    kept, held = [], []
    scan = scan_people(directory)
    refused += scan.refused
    for person in scan.people:
        photos = [path for path in person.files if kind_of(path) == "image"]
        out = photos[_HELD_OUT - 1 :: _HELD_OUT] or photos[1:][-1:]
        held += [(person.name, path) for path in out]
        kept.append(PersonFolder(person.name, tuple(path for path in person.files if path not in out)))
    if not held:
        raise InputError(f"Nobody in {directory} has two photos, so none can be held out to be named.")
    options = EnrolmentOptions(batch_size=recognizer.settings.batch_size, threads=recognizer.threads)
    reviews = enrol_people(kept, recognizer.gallery, recognizer.detector, recognizer.embedder, options)
    refused += [review for review in reviews if review.status in ("held", "refused")]
    limit = recognizer.settings.max_pixels
    for answer in recognizer.identify_many(held, lambda item: read_image(item[1], limit), keep_images=True):
        name, path = answer.item
        if answer.image is None:
            yield DemoRow(f"{path.name} (cannot be read)", (name,), (), 0, None, path)
        else:
            target = folder / f"{name} {path.name}.jpg"  # the whole name, since a.jpg and a.png may lie side by side
            yield _row(path.name, (name,), answer.image, list(answer.faces), target)
