"""Pictures as callers give them, and by what each is known again."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TypeAlias

from PIL import Image as PilImage

from knownface.files import sha256_of
from knownface.types import Image

ImageSource: TypeAlias = str | Path | bytes | PilImage.Image | Image
"""A path, an encoded file's bytes, a PIL image, or an RGB ``uint8`` array of shape (height, width, 3). What OpenCV
reads is BGR: pass ``array[:, :, ::-1]``."""


def path_of(image: ImageSource) -> str:
    """The absolute path of a file; empty for what is none."""
    return str(Path(image).absolute()) if isinstance(image, (str, Path)) else ""


def sha256_of_source(image: ImageSource, pixels: Image) -> str:
    """The SHA-256 by which a picture is known again: of the file, or of the pixels where there is none."""
    if isinstance(image, (str, Path)):
        return sha256_of(image)
    return hashlib.sha256(image if isinstance(image, bytes) else pixels.tobytes()).hexdigest()
