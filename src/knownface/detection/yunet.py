"""YuNet (Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", 2023).

YuNet finds faces of about 10 to 900 pixels in what it is given. A picture is therefore searched in its own size, or,
where it is very large, reduced as far as a face of 20 pixels stays visible; a picture in which a close-up could be
larger than YuNet sees is searched a second time, small. The two views are merged by non-maximum suppression.

ONNX Runtime runs the graph, one made for 640 x 640 too if its operations take any size; what it cannot, OpenCV does.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from knownface.detection.base import largest_first, resized
from knownface.detection.yunet_network import Rows, YuNetNetwork, free_size_session
from knownface.errors import ModelError
from knownface.files import sha256_of
from knownface.models import ModelEntry
from knownface.models.kinds import Kind
from knownface.parts import digest_of
from knownface.settings import Settings
from knownface.types import Face, Image

RECIPE = 1
"""Version of this code and of ``yunet_network``: raised when a change of it changes what is found."""
SCORE_THRESHOLD = 0.6
"""Smallest score of a face, as OpenCV's own example has it."""
NMS_THRESHOLD = 0.3
"""Overlap (intersection over union) above which two finds are one face."""
_CANDIDATES = 5000
SURE_SCORE = 0.92
"""Score from which a face surely stands upright: 0.1 % of the faces on their head or side reach it, and 83 % of those
that are upright."""

DETAIL_SIDE = 2240
"""Longest side of the detailed view. A 20-pixel face of a 12-megapixel photo is 11 pixels there: still found."""
OVERVIEW_ABOVE = 960
"""Pictures longer than this get the second view: YuNet misses faces larger than about this."""
OVERVIEW_SIDE = 640


class YuNetDetector:
    """YuNet from one of its ONNX files.

    Args:
        path: The file; which of them fit the OpenCV that is installed the catalogue knows.
        name: Catalogue name of the file.
        score: Smallest score of a face, 0 to 1.
        detail_side: Longest side of the detailed view in pixels. Live video lowers it for speed.

    Raises:
        ModelError: The file cannot be read.
    """

    gives_landmarks = True
    sure_score = SURE_SCORE

    def __init__(
        self, path: Path, *, name: str = "yunet", score: float = SCORE_THRESHOLD, detail_side: int = DETAIL_SIDE
    ) -> None:
        self.name = name
        self.detail_side = detail_side
        self._path = path
        self._score = score
        self._local = threading.local()
        session = free_size_session(path)
        self._free = None if session is None else YuNetNetwork(session, score, NMS_THRESHOLD, _CANDIDATES)
        self.fingerprint = digest_of(
            {
                "recipe": RECIPE,
                "weights": sha256_of(path),
                "score": score,
                "overlap": NMS_THRESHOLD,
                "candidates": _CANDIDATES,
                "sides": [detail_side, OVERVIEW_ABOVE, OVERVIEW_SIDE],
            }
        )
        if self._free is None:
            cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
            self._network()

    def _network(self) -> cv2.FaceDetectorYN:
        # The input size is state of the network, so each thread has its own.
        network = getattr(self._local, "network", None)
        if network is None:
            try:
                network = cv2.FaceDetectorYN.create(
                    str(self._path), "", (320, 320), self._score, NMS_THRESHOLD, _CANDIDATES
                )
            except cv2.error as error:
                raise ModelError(
                    f"OpenCV {cv2.__version__} cannot read the face detector {self._path}.",
                    'Choose detector="yunet", which takes the file that fits this OpenCV.',
                ) from error
            self._local.network = network
        return network

    def detect(self, image: Image) -> list[Face]:
        """The faces of an RGB image, largest first."""
        bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        views = [self._found(view) / scale for view, scale in self._views(bgr)]
        scored = [rows for rows in views if len(rows)]
        if not scored:
            return []
        rows = np.concatenate(scored)
        if len(scored) > 1:
            kept = cv2.dnn.NMSBoxes(rows[:, :4].tolist(), rows[:, 14].tolist(), 0.0, NMS_THRESHOLD)
            rows = rows[np.asarray(kept).ravel()]
        return largest_first([Face.from_opencv_yunet(row) for row in rows])

    def _views(self, bgr: Image) -> Iterator[tuple[Image, npt.NDArray[np.float32]]]:
        longest = max(bgr.shape[:2])
        for limit in [self.detail_side, OVERVIEW_SIDE] if longest > OVERVIEW_ABOVE else [self.detail_side]:
            scale = min(1.0, limit / longest)
            factors = np.full(15, scale, dtype=np.float32)
            factors[14] = 1.0  # the score
            yield resized(bgr, scale), factors

    def _found(self, bgr: Image) -> Rows:
        if self._free is not None:
            return self._free.rows(bgr)
        network = self._network()
        size = (bgr.shape[1], bgr.shape[0])
        if size != getattr(self._local, "size", None):  # setting it again costs a tenth of a small picture's time
            network.setInputSize(size)
            self._local.size = size
        rows = network.detect(bgr)[1]
        return np.empty((0, 15), dtype=np.float32) if rows is None else rows


def _make(entry: ModelEntry, files: Mapping[str, Path], settings: Settings) -> YuNetDetector:
    score = SCORE_THRESHOLD if settings.detector_score is None else settings.detector_score
    return YuNetDetector(files["network"], name=entry.name, score=score)


def _hindrance(entry: ModelEntry) -> str:
    installed = tuple(int(part) for part in cv2.__version__.split(".")[:2])
    runs = entry.opencv  # a user's own contract need not say
    if runs is None or (runs.at_least <= installed and (runs.below is None or installed < runs.below)):
        return ""
    return f"does not fit OpenCV {cv2.__version__}"


KIND = Kind(_make, hindrance=_hindrance)
