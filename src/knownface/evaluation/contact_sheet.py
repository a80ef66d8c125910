"""Strangers and the enrolled people whom they look like, side by side, as one picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from knownface.evaluation.embeddings import FoundFaces, Place
from knownface.evaluation.examples import picture_of
from knownface.evaluation.look_alikes import NamedStranger
from knownface.gallery import Gallery
from knownface.media.lettering import text_mask
from knownface.types import Image

_SIDE, _GAP, _TEXT, _LINE = 180, 12, 18, 28


def contact_sheet(gallery: Gallery, found: FoundFaces, near: Sequence[NamedStranger]) -> Image:
    """One row a stranger: its face, the nearest face of the person it looks like, and who both are.

    Pictures are read again from their files; where one is gone, the sheet says so.

    Args:
        gallery: In which they were searched.
        found: The strangers' faces.
        near: At least one of them.

    Returns:
        RGB ``uint8``, as wide as the longest line needs.
    """
    lines = [(str(found.faces.people[n.row]), f"looks like {n.name}", f"distance {n.distance:.3f}") for n in near]
    written = [[text_mask(line, _TEXT) for line in three] for three in lines]
    left = 2 * (_SIDE + _GAP) + _GAP
    width = left + max(mask.shape[1] for masks in written for mask in masks) + _GAP
    sheet = np.full((len(near) * (_SIDE + _GAP) + _GAP, width, 3), 255, np.uint8)
    for number, (stranger, masks) in enumerate(zip(near, written, strict=True)):
        top = _GAP + number * (_SIDE + _GAP)
        for column, picture in enumerate((_face(found.places[stranger.row]), _enrolled_face(gallery, stranger))):
            x = _GAP + column * (_SIDE + _GAP)
            sheet[top : top + _SIDE, x : x + _SIDE] = _tile(picture)
        for line, mask in enumerate(masks):
            y = top + line * _LINE
            sheet[y : y + mask.shape[0], left : left + mask.shape[1]] = 255 - mask[:, :, np.newaxis]
    return sheet


def _face(place: Place) -> Image | None:
    shown = picture_of(place, "")
    return None if shown is None else shown.image


def _enrolled_face(gallery: Gallery, stranger: NamedStranger) -> Image | None:
    template = gallery.template_store.get(stranger.template)
    if template.box is None:
        return None
    return _face(Place(Path(template.source), template.frame_time, template.box))


def _tile(picture: Image | None) -> Image:
    tile = np.full((_SIDE, _SIDE, 3), 225, np.uint8)
    if picture is None:
        mask = text_mask("no picture", _TEXT)
        top, left = (_SIDE - mask.shape[0]) // 2, max(0, (_SIDE - mask.shape[1]) // 2)
        tile[top : top + mask.shape[0], left : left + mask.shape[1]] -= (mask // 2)[:, : _SIDE - left, np.newaxis]
        return tile
    height, width = picture.shape[:2]
    scale = _SIDE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    shown = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    top, left = (_SIDE - size[1]) // 2, (_SIDE - size[0]) // 2
    tile[top : top + size[1], left : left + size[0]] = shown
    return tile
