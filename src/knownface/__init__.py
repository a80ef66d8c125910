"""knownface puts names to faces.

>>> from knownface import FaceRecognizer
>>> recognizer = FaceRecognizer.open("people.db")        # doctest: +SKIP
>>> recognizer.load_known_faces("PEOPLE/")               # doctest: +SKIP
>>> [found.name for found in recognizer.identify("party.jpg")]   # doctest: +SKIP
['Ada', None]

Names are imported when they are first used, so that ``import knownface`` costs next to nothing.
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from knownface.answers import Identification as Identification
    from knownface.embedding import load_embedder as load_embedder
    from knownface.gallery import Gallery as Gallery
    from knownface.media import read_image as read_image
    from knownface.media import read_video as read_video
    from knownface.recognizer import FaceRecognizer as FaceRecognizer

__version__ = "0.1.0"

logging.getLogger(__name__).addHandler(logging.NullHandler())

_HOMES = {
    "FaceRecognizer": "recognizer",
    "Identification": "answers",
    "Verification": "answers",
    "Gallery": "gallery",
    "load_embedder": "embedding",
    "read_image": "media",
    "read_video": "media",
    "Box": "types",
    "Candidate": "types",
    "Decision": "types",
    "DecisionRule": "types",
    "Face": "types",
    "Frame": "types",
    "KnownFaceError": "errors",
    "Settings": "settings",
    "load_settings": "settings",
}

__all__ = ["__version__", *_HOMES]  # noqa: PLE0604 - the keys are strings


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'knownface' has no attribute {name!r}")
    return getattr(importlib.import_module(f"knownface.{home}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
