"""Parts by name: detectors, embedders, liveness checks, indexes and commands that packages register as entry points.

A package, this one among them, registers a part in its ``pyproject.toml``, in one of the groups below. A script names a
part of its own as ``module:Factory``. What registers needs no other line in this package.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import re
import sys
from collections.abc import Mapping
from importlib import metadata
from importlib.metadata import EntryPoint
from typing import Any

from knownface.errors import KnownFaceError, PartError
from knownface.files import sha256_of

DETECTORS = "knownface.detectors"
EMBEDDERS = "knownface.embedders"
LIVENESS = "knownface.liveness"
INDEXES = "knownface.indexes"
COMMANDS = "knownface.commands"


def registered(group: str) -> Mapping[str, EntryPoint]:
    """The entry points of a group by name, sorted; of two of one name, knownface's own counts.

    Raises:
        PartError: Not even knownface's own parts are registered: it was installed from an older state of its source.
    """
    points = sorted(_installed(*sys.path).select(group=group), key=_is_own)
    if not points:
        raise PartError(
            f"No part is registered as {group}: knownface was installed from an older state of its source.",
            "Install it again: pip install -e .",
        )
    by_name = {point.name: point for point in points}
    return {name: by_name[name] for name in sorted(by_name)}


@functools.cache
def _installed(*_path: str) -> Any:
    """All entry points; what is installed is read once for each path that Python looks along."""
    return metadata.entry_points()


def _is_own(point: EntryPoint) -> bool:
    return point.dist is not None and point.dist.name == "knownface"


def is_script(name: str) -> bool:
    """Whether a name has ``module:Factory`` in it, which imports code; ``A+B:2`` has a weight after the colon."""
    return re.search(r":(?![\d.]+(\+|$))", name) is not None


def find_part(group: str, name: str) -> EntryPoint | None:
    """The registered part of that name, or the script's own one; None if nothing is registered so."""
    return EntryPoint(name, name, group) if is_script(name) else registered(group).get(name)


def load_part(point: EntryPoint) -> object:
    """What an entry point names.

    Raises:
        PartError: It cannot be imported.
    """
    try:
        loaded: object = point.load()
    except Exception as error:  # somebody else's code may raise anything
        why = f"importing it raises {type(error).__name__}: {error}"
        raise _unusable(point, why, _where_to_look(point, error)) from error
    return loaded


def make_part(point: EntryPoint, factory: object, protocol: type) -> Any:
    """The part that a factory makes, which is called without arguments.

    Args:
        point: Where the factory is from, for errors.
        factory: A class or function.
        protocol: What the part must have.

    Raises:
        PartError: The factory cannot be called, or what it makes lacks a member of the protocol.
    """
    if not callable(factory):
        raise _unusable(point, "it is not callable")
    try:
        part = factory()
    except KnownFaceError:
        raise
    except Exception as error:
        raise _unusable(point, f"making it raises {type(error).__name__}: {error}") from error
    lacking = [name for name in vars(protocol) if not name.startswith("_") and not hasattr(part, name)]
    if lacking:
        raise _unusable(point, f"it lacks {' and '.join(lacking)}")
    return part


def fingerprint_of(part: object) -> str:
    """What the results of a part depend on, as a hex digest; what is remembered of a part is remembered by it.

    The part's own ``fingerprint``, which should be a digest over its weights and parameters (:func:`digest_of`); for a
    part without one, a digest of its name, of the :func:`code_digest` of its class, and of the fingerprint in its
    contract where it is an embedder. That fingerprint alone is the gallery's, and need not cover the code.
    """
    if own := getattr(part, "fingerprint", None):
        return str(own)
    described = {"name": getattr(part, "name", ""), "code": code_digest(part)}
    contract = getattr(part, "contract", None)
    return digest_of(described if contract is None else {**described, "contract": contract.fingerprint})


def digest_of(described: Mapping[str, Any]) -> str:
    """A fingerprint: SHA-256 in hex of a description as canonical JSON, the same on every machine."""
    canonical = json.dumps(described, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def code_digest(thing: object) -> str:
    """A digest of a class or function, or of another thing's class: its name and its module's source.

    Mended code is other code by it; what a function reads from other files is not seen.
    """
    code: Any = thing if hasattr(thing, "__qualname__") else type(thing)
    module = sys.modules.get(code.__module__)
    path = getattr(module, "__file__", None)
    try:
        source = sha256_of(path) if path else inspect.getsource(code)
    except (OSError, TypeError):  # typed into a console
        source = ""
    return digest_of({"module": code.__module__, "name": code.__qualname__, "source": source})


def _where_to_look(point: EntryPoint, error: Exception) -> str:
    """The hint where a script's module was not found, which is not that of one that it imports itself."""
    if not (isinstance(error, ModuleNotFoundError) and f"{point.module}.".startswith(f"{error.name}.")):
        return ""
    return (
        f"Only the commands' options look for {point.module} in the working folder too, not variables and settings "
        "files: name it yourself, or set PYTHONPATH to its folder."
    )


def _unusable(point: EntryPoint, why: str, hint: str = "") -> PartError:
    named = point.name if point.name == point.value else f"{point.name} ({point.value})"
    return PartError(f"The part {named} cannot be used: {why}.", hint)
