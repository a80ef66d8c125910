"""How people's names are spelled: folders are often called ``Serena_Williams``, people are not."""

from __future__ import annotations


def spaced(name: str) -> str:
    """A name with spaces for underscores, white space folded; as it is where nothing else is in it.

    Example:
        >>> spaced("Serena_Williams")
        'Serena Williams'
    """
    folded = " ".join(name.replace("_", " ").split())
    return folded or name
