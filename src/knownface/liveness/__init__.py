"""Is a face alive, or a photo or screen that is held up? Presentation attack detection, as a value with a threshold."""

from knownface.liveness.base import LivenessCheck, combined
from knownface.liveness.load import choose_liveness

__all__ = ["LivenessCheck", "choose_liveness", "combined"]
