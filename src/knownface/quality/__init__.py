"""How good a face picture is, as a value with reasons."""

from knownface.quality.limits import QualityLimits, shortcomings
from knownface.quality.measure import FaceQuality, measure_quality

__all__ = ["FaceQuality", "QualityLimits", "measure_quality", "shortcomings"]
