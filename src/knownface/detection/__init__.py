"""Face detectors, one file each, and the choice among them."""

from knownface.detection.base import FaceDetector
from knownface.detection.choice import choose_detector
from knownface.detection.function import FunctionDetector
from knownface.detection.hog import HogDetector
from knownface.detection.looks import best_look
from knownface.detection.tilted import straightened
from knownface.detection.upright import as_shown, quarter_turns, turned
from knownface.detection.yunet import YuNetDetector

__all__ = [
    "FaceDetector",
    "FunctionDetector",
    "HogDetector",
    "YuNetDetector",
    "as_shown",
    "best_look",
    "choose_detector",
    "quarter_turns",
    "straightened",
    "turned",
]
