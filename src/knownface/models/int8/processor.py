"""Whether the processor multiplies bytes quicker than floats."""

from __future__ import annotations

import cv2

_AVX512_VNNI = 23
"""``CV_CPU_AVX_512VNNI`` of OpenCV, which Python does not know by name."""


def quick_at_int8() -> bool:
    """Whether this processor has AVX-512 VNNI: four products of bytes, summed in 32 bits, for each of a float.

    Without it ONNX Runtime sums two products in 16 bits, which can overflow, and is no quicker than with floats.
    """
    return bool(cv2.checkHardwareSupport(_AVX512_VNNI))
