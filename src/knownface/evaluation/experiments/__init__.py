"""The paper's experiments, one file each: every one takes a bench and a data set, and gives a report."""

from knownface.evaluation.experiments.altered import augment, background, degrade
from knownface.evaluation.experiments.clips import video
from knownface.evaluation.experiments.compare import compare
from knownface.evaluation.experiments.growth import growth
from knownface.evaluation.experiments.one_video import one_video

__all__ = ["augment", "background", "compare", "degrade", "growth", "one_video", "video"]
