"""The latest picture with its labels, drawn only when somebody looks."""

from __future__ import annotations

import threading
from dataclasses import replace

import cv2
import numpy as np

from knownface.live.values import FrameResult
from knownface.media import Label, draw_labels
from knownface.types import Box, Image

_LONGEST_SIDE = 1280
_QUALITY = 85


def face_labels(result: FrameResult, scale: float = 1.0) -> list[Label]:
    """What is drawn for the faces of a frame: the box, the name known so far and its distance, or what is asked first.

    Args:
        result: Of the frame.
        scale: Of the picture that is drawn on, relative to the frame.
    """
    labels = []
    for face in result.faces:
        identity, box = face.identity, face.box
        challenge = result.challenges.get(face.track_id)
        asked = challenge.words if challenge is not None and challenge.state != "passed" else ""
        known, decision = identity.state == "named", identity.decision
        near = decision.distance if known and decision and decision.person_id == identity.person_id else 9.0
        labels.append(
            Label(
                Box(box.x * scale, box.y * scale, box.width * scale, box.height * scale),
                identity.label or asked,
                known,
                f"{near:.2f}" if near <= 2 else "",
            )
        )
    return labels


class Preview:
    """The newest result of a stream, and its picture as JPEG for any number of viewers."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._drawing = threading.Lock()
        self._result: FrameResult | None = None
        self._number = 0
        self._closed = False
        self._drawn: tuple[int, bytes | None] = (0, None)

    def show(self, result: FrameResult) -> None:
        """Takes the next result."""
        with self._changed:
            self._result = result
            self._number += 1
            self._changed.notify_all()

    def clear(self) -> None:
        """Shows the newest frame without its faces, as when nobody can be asked who they are."""
        with self._changed:
            if self._result is not None and self._result.faces:
                self._result = replace(self._result, faces=())
                self._number += 1
                self._changed.notify_all()

    def close(self) -> None:
        """Notes that no more will come: viewers need not wait."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def wait(self, after: int, timeout: float) -> int:
        """Waits for a result newer than number ``after``; returns the newest one's number, 0 before the first."""
        with self._changed:
            self._changed.wait_for(lambda: self._number > after or self._closed, timeout)
            return self._number

    @property
    def closed(self) -> bool:
        """Whether no more will come."""
        return self._closed

    def jpeg(self) -> bytes | None:
        """The newest frame with its labels, longer side at most 1280 pixels; None before the first."""
        with self._changed:
            result, number = self._result, self._number
        if result is None or result.frame is None:
            return None
        with self._drawing:  # once, however many look
            if self._drawn[0] < number:
                self._drawn = number, _encode(_labelled(result.frame.image, result))
            return self._drawn[1]


def _labelled(image: Image, result: FrameResult) -> Image:
    scale = min(1.0, _LONGEST_SIDE / max(image.shape[:2]))
    if scale < 1:
        size = round(image.shape[1] * scale), round(image.shape[0] * scale)
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    return draw_labels(image, face_labels(result, scale))


def _encode(image: Image) -> bytes | None:
    ok, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return data.tobytes() if ok else None
