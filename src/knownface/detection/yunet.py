"""YuNet (Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", 2023).

YuNet finds faces of about 10 to 900 pixels in what it is given. A picture is therefore searched in several views, see
:mod:`knownface.detection.views`.

ONNX Runtime runs the graph, one made for 640 x 640 too if its operations take any size; what it cannot, OpenCV does.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from knownface.detection.base import largest_first
from knownface.detection.views import Rows, ViewPlan, search
from knownface.detection.yunet_network import YuNetNetwork, free_size_session
from knownface.errors import ModelError
from knownface.files import sha256_of
from knownface.models import ModelEntry
from knownface.models.kinds import Kind
from knownface.models.session import Device
from knownface.parts import digest_of
from knownface.settings import Settings
from knownface.types import Face, Image

RECIPE = 6
"""Version of this code, of ``views``, ``tilted``, ``dark`` and ``yunet_network``: raised when one changes what is
found."""
SCORE_THRESHOLD = 0.6
"""Smallest score of a face, as OpenCV's own example has it."""
NMS_THRESHOLD = 0.3
"""Overlap (intersection over union) above which two finds are one face."""
_CANDIDATES = 5000
SURE_SCORE = 0.92
"""Score from which a face surely stands upright: 0.1 % of the faces on their head or side reach it, and 83 % of those
that are upright."""


class YuNetDetector:
    """YuNet from one of its ONNX files.

    Args:
        path: The file; which of them fit the OpenCV that is installed the catalogue knows.
        name: Catalogue name of the file.
        score: Smallest score of a face, 0 to 1.
        plan: In what sizes and parts pictures are searched.
        device: Where the network runs; ``auto`` is the processor, which is quick enough for small pictures.

    Raises:
        ModelError: The file cannot be read.
    """

    gives_landmarks = True
    sure_score = SURE_SCORE

    def __init__(
        self,
        path: Path,
        *,
        name: str = "yunet",
        score: float = SCORE_THRESHOLD,
        plan: ViewPlan | None = None,
        device: Device = "auto",
    ) -> None:
        self.name = name
        self.plan = plan or ViewPlan()
        self._path = path
        self._score = score
        self._local = threading.local()
        session = free_size_session(path, "cuda" if device == "cuda" else "cpu")
        self._free = None if session is None else YuNetNetwork(session, score, NMS_THRESHOLD, _CANDIDATES)
        self.fingerprint = digest_of(
            {
                "recipe": RECIPE,
                "weights": sha256_of(path),
                "score": score,
                "overlap": NMS_THRESHOLD,
                "candidates": _CANDIDATES,
                "views": [self.plan.detail_side, self.plan.least_scale],
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
        rows = search(image, self.plan, self._found, NMS_THRESHOLD)
        return largest_first([Face.from_opencv_yunet(row) for row in rows])

    def _found(self, view: Image) -> Rows:
        bgr: Image = cv2.cvtColor(view, cv2.COLOR_RGB2BGR)  # of the view, which may be much smaller than the picture
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
    plan = ViewPlan(least_scale=1.0) if settings.thorough else ViewPlan()
    return YuNetDetector(files["network"], name=entry.name, score=score, plan=plan, device=settings.device)


def _hindrance(entry: ModelEntry) -> str:
    installed = tuple(int(part) for part in cv2.__version__.split(".")[:2])
    runs = entry.opencv  # a user's own contract need not say
    if runs is None or (runs.at_least <= installed and (runs.below is None or installed < runs.below)):
        return ""
    return f"does not fit OpenCV {cv2.__version__}"


KIND = Kind(_make, hindrance=_hindrance)
