"""Is a face alive, or a photo or screen that is held up? Presentation attack detection, as a value with a threshold."""

from knownface.liveness.base import NOT_CHECKED, LivenessCheck, LivenessRule, combined
from knownface.liveness.load import choose_liveness, rule_of

__all__ = ["NOT_CHECKED", "LivenessCheck", "LivenessRule", "choose_liveness", "combined", "rule_of"]
