"""YuNet's graph on ONNX Runtime.

What OpenCV's ``FaceDetectorYN`` does with the same file (``modules/objdetect/src/face_detect.cpp``), with the same
result; on one thread ONNX Runtime takes 2.0 ms for 320 x 180 pixels, OpenCV 5.0 takes 5.0 ms.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime

from knownface.detection.views import Rows
from knownface.models.onnx_graph import with_free_size
from knownface.models.session import Device, load_session, providers_of
from knownface.types import Image

log = logging.getLogger(__name__)

_NOTHING: Rows = np.empty((0, 15), dtype=np.float32)
_STRIDES = (8, 16, 32)
_TRIED = (1, 3, 64, 96)
"""Shape of the picture at which a graph made for one size is tried."""
_OUTPUTS = [f"{name}_{stride}" for stride in _STRIDES for name in ("cls", "obj", "bbox", "kps")]


class YuNetNetwork:
    """YuNet for pictures of any size; may be used by several threads at once.

    Args:
        session: ONNX Runtime's, of a graph whose height and width are free; see :func:`free_size_session`.
        score_threshold: Smallest score, 0 to 1, of a face.
        nms_threshold: Overlap (intersection over union) above which two finds are one face.
        candidates: Finds that take part in non-maximum suppression at most, the best ones.
    """

    def __init__(self, session: Any, score_threshold: float, nms_threshold: float, candidates: int) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name
        self._score_threshold = score_threshold
        self._nms_threshold = nms_threshold
        self._candidates = candidates

    def rows(self, bgr: Image) -> Rows:
        """The faces of a BGR picture, best first, in its pixels."""
        height, width = bgr.shape[:2]
        # The graph halves the picture five times.
        bottom, right = -height % _STRIDES[-1], -width % _STRIDES[-1]
        padded = cv2.copyMakeBorder(bgr, 0, bottom, 0, right, cv2.BORDER_CONSTANT, value=(0, 0, 0))
        # Half the time of OpenCV's blobFromImage, or less.
        planes = np.array(cv2.split(padded), dtype=np.float32)[np.newaxis]
        outputs = self._session.run(_OUTPUTS, {self._input: planes})
        found = np.concatenate([_NOTHING, *self._found(outputs, width + right)])
        if len(found) <= 1:
            return found
        # OpenCV suppresses by boxes of whole pixels.
        boxes = np.trunc(found[:, :4]).astype(np.int32).tolist()
        kept = cv2.dnn.NMSBoxes(
            boxes, found[:, 14].tolist(), self._score_threshold, self._nms_threshold, 1.0, self._candidates
        )
        best: Rows = found[np.asarray(kept).ravel()]
        return best

    def _found(self, outputs: list[Any], width: int) -> Iterator[Rows]:
        """What each of the three resolutions found, in pixels."""
        for i, stride in enumerate(_STRIDES):
            classes, objects, boxes, points = (output[0] for output in outputs[4 * i : 4 * i + 4])
            scores = np.sqrt(np.clip(classes[:, 0], 0, 1) * np.clip(objects[:, 0], 0, 1))
            (cells,) = np.nonzero(scores >= self._score_threshold)
            if not len(cells):
                continue  # most pictures have faces of one size
            row, column = np.divmod(cells, width // stride)
            corner = np.stack([column, row], axis=1).astype(np.float32)
            middles = (corner + boxes[cells, :2]) * stride
            sides = np.exp(boxes[cells, 2:]) * stride
            landmarks = (points[cells] + np.tile(corner, 5)) * stride
            yield np.hstack([middles - sides / 2, sides, landmarks, scores[cells, np.newaxis]]).astype(np.float32)


def free_size_session(path: Path, device: Device = "cpu") -> Any:
    """An ONNX Runtime session for pictures of any size, on one thread of the processor or on CUDA.

    None if the graph runs at one size only.

    A graph that states one size, as those exported for 640 x 640 do, is tried at another.

    Raises:
        ModelError: The file cannot be loaded.
    """
    providers = providers_of(device)
    session = load_session(path, providers, threads=1)
    if not any(isinstance(side, int) for side in session.get_inputs()[0].shape[2:]):
        return session
    try:
        session = load_session(path, providers, threads=1, content=with_free_size(path.read_bytes()))
        quiet = onnxruntime.RunOptions()
        quiet.log_severity_level = 4
        [classes] = session.run(_OUTPUTS[:1], {session.get_inputs()[0].name: np.zeros(_TRIED, np.float32)}, quiet)
    except Exception as error:  # noqa: BLE001 - ONNX Runtime's own errors share no base below it
        log.debug("%s runs at its own size only: %s", path, error)
        return None
    return session if classes.shape[1] == _TRIED[2] * _TRIED[3] // _STRIDES[0] ** 2 else None
