"""Names of people: how they are written, and when two are the same."""

from __future__ import annotations

import re
import unicodedata

from knownface.errors import BadNameError, PersonError, ReservedNameError
from knownface.storage.spelling import spaced

LONGEST = 200

_STRANGER = re.compile(r"unknown( \d+)?")
"""What strangers are called."""

# Zero-width joiner and non-joiner: invisible, but Persian and Indian scripts write names with them.
_JOINERS = "\u200c\u200d"
_WITHOUT_JOINERS = str.maketrans("", "", _JOINERS)

# Control, format, surrogate (an undecodable file name), private use, not assigned.
_NOT_PRINTABLE = {"Cc", "Cf", "Cs", "Co", "Cn"}


def clean_name(text: str) -> str:
    """A person's name as it is kept: in Unicode's form NFC, underscores and white space folded to single spaces.

    Raises:
        BadNameError: It is empty, longer than 200 characters, or holds characters that cannot be printed.
        ReservedNameError: It is "Unknown" or "Unknown 7" in any letter case.

    Example:
        >>> clean_name("  Ann_Lee ")
        'Ann Lee'
    """
    name = clean_label(spaced(text), "name")
    if _STRANGER.fullmatch(name_key(name)):
        raise ReservedNameError(f"{name!r} is what a stranger is called, so nobody can have it as a name.")
    return name


def name_key(name: str) -> str:
    """What two spellings of a person's name have in common: as of :func:`label_key`, and an underscore is a space.

    Example:
        >>> name_key("ANN_Lee ") == name_key("ann lee")
        True
    """
    return label_key(spaced(name))


def label_key(label: str) -> str:
    """What two spellings of one label have in common: letter case, invisible joiners and white space do not count.

    Canonical caseless matching of the Unicode Standard (section 3.13, D145), composed again.
    """
    folded = unicodedata.normalize("NFD", " ".join(label.translate(_WITHOUT_JOINERS).split())).casefold()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", folded).casefold())


def clean_group(text: str) -> str:
    """A group's name as it is kept; like a person's, but "Unknown" is allowed and a semicolon is not.

    Raises:
        BadNameError: It is empty, too long, holds characters that cannot be printed, or a semicolon.
    """
    group = clean_label(text, "group")
    if ";" in group:
        raise BadNameError(f"The group {group!r} holds a semicolon.", "A semicolon separates groups in CSV files.")
    return group


def clean_external_id(text: str | None) -> str | None:
    """An external id, such as a student number, as it is kept; None where it is empty.

    Raises:
        PersonError: It is longer than 200 characters or holds characters that cannot be printed.
    """
    if text is None or not text.strip():
        return None
    try:
        return clean_label(text, "external id")
    except BadNameError as error:
        raise PersonError(error.message, "An external id has up to 200 printable characters.") from error


def clean_label(text: str, kind: str) -> str:
    """White space folded, form NFC, printable, 1 to 200 characters.

    Raises:
        BadNameError: It is not; the message calls it ``kind``.
    """
    label = " ".join(unicodedata.normalize("NFC", text).split())
    if not label.translate(_WITHOUT_JOINERS):
        raise BadNameError(f"The {kind} is empty.")
    if len(label) > LONGEST:
        raise BadNameError(f"The {kind} {label[:40] + '…'!r} has {len(label)} characters; {LONGEST} are allowed.")
    bad = next((c for c in label if c not in _JOINERS and unicodedata.category(c) in _NOT_PRINTABLE), None)
    if bad is not None:
        raise BadNameError(f"The {kind} {label!a} holds the character U+{ord(bad):04X}, which cannot be printed.")
    return label
