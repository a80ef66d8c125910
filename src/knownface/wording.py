"""Numbers in sentences."""

from __future__ import annotations


def plural(count: int, one: str, many: str = "") -> str:
    """A number with its word: ``1 stranger``, ``1,200 strangers``; ``many`` where an s does not make the plural."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
