"""What a person is compared by; apart from the values that flow, so that help does not load NumPy."""

from __future__ import annotations

from typing import Literal, TypeAlias

Scoring: TypeAlias = Literal["nearest+mean", "nearest"]
"""``nearest``: by their templates, as in the paper; ``nearest+mean``: the mean embedding of their templates counts as
one more template."""

DEFAULT_SCORING: Scoring = "nearest+mean"
