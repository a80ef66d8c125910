"""The number formats that a network can be made in; apart from what makes them, so that help loads neither."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

Precision: TypeAlias = Literal["int8", "int8-dynamic", "fp16", "bf16"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
