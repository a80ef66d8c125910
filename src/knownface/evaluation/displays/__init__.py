"""Plots as scikit-learn-like display classes: ``XDisplay.from_...(...).plot(ax=None)``.

Drawing needs matplotlib, the extra ``knownface[evaluation]``; it is imported when something is drawn.
"""

from knownface.evaluation.displays.base import Display
from knownface.evaluation.displays.confusion import ConfusionMatrixDisplay
from knownface.evaluation.displays.curves import CmcDisplay, DetDisplay, PrecisionRecallDisplay, RocDisplay
from knownface.evaluation.displays.faces import DistanceHistogramDisplay, EmbeddingDisplay
from knownface.evaluation.displays.groups import GroupsDisplay
from knownface.evaluation.displays.growth import GrowthDisplay, LoadingTimeDisplay
from knownface.evaluation.displays.liveness import LivenessDisplay
from knownface.evaluation.displays.quality import ErrorRejectDisplay
from knownface.evaluation.displays.style import save
from knownface.evaluation.displays.thresholds import GridDisplay, OpenSetDisplay, ThresholdDisplay

__all__ = [
    "CmcDisplay",
    "ConfusionMatrixDisplay",
    "DetDisplay",
    "Display",
    "DistanceHistogramDisplay",
    "EmbeddingDisplay",
    "ErrorRejectDisplay",
    "GridDisplay",
    "GroupsDisplay",
    "GrowthDisplay",
    "LivenessDisplay",
    "LoadingTimeDisplay",
    "OpenSetDisplay",
    "PrecisionRecallDisplay",
    "RocDisplay",
    "ThresholdDisplay",
    "save",
]
