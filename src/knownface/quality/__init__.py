"""How good a face picture is, as a value with reasons."""

from knownface.quality.covering import Covered, covered_part
from knownface.quality.limits import QualityLimits, shortcomings
from knownface.quality.measure import FaceQuality, measure_quality

__all__ = ["Covered", "FaceQuality", "QualityLimits", "covered_part", "measure_quality", "shortcomings"]
