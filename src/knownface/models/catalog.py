"""The catalogue: every weight file that knownface knows, and the contract of the network in it.

The shipped part is ``catalog.toml`` beside this module. A user's own networks are added by ``knownface models
import FILE --as NAME --contract FILE.toml``, whose contract has the same keys as an entry of the catalogue, less
``files``; see :func:`parse_contract`.
"""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import TypeAdapter, ValidationError

from knownface.errors import ModelError, UnknownModelError
from knownface.models.contract import InputContract
from knownface.models.entry import DecisionDefaults, ModelEntry, WeightFile
from knownface.models.kinds import kind_of

CONTRACT_FILE = "contract.toml"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")

Catalog: TypeAlias = Mapping[str, ModelEntry]
_ENTRY = TypeAdapter(ModelEntry)
_JOINS = TypeAdapter(dict[str, DecisionDefaults])


def load_catalog(user_folder: Path | None = None) -> Catalog:
    """The shipped entries, and the user's own ones.

    Args:
        user_folder: A folder with one folder a model; those with a ``contract.toml`` are the user's own.

    Returns:
        Entries by name, shipped ones first.

    Raises:
        ModelError: A user's contract is malformed.
    """
    entries = dict(_shipped())
    if user_folder is None or not user_folder.is_dir():
        return entries
    paths = {path.parent.name: path for path in sorted(user_folder.glob(f"*/{CONTRACT_FILE}"))}
    tables = {name: _read_toml(path) for name, path in paths.items()} | dict(_shipped_tables())
    for name, path in paths.items():
        entry = _entry(name, _inherited(tables, name, str(path)), str(path))
        entries.setdefault(entry.name, replace(entry, own=True))
    return entries


def resolve(catalog: Catalog, name: str) -> ModelEntry:
    """The entry of that name.

    Raises:
        UnknownModelError: There is none; the sentence names the nearest ones.
    """
    if name in catalog:
        return catalog[name]
    near = difflib.get_close_matches(name.lower(), catalog, n=3, cutoff=0.5)
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    raise UnknownModelError(f"No model is named {name!r}.{meant}")


def parse_contract(path: Path, name: str, file: WeightFile) -> ModelEntry:
    """A user's own network from a contract file.

    The file has the keys of an entry of the catalogue, less ``files``: ``kind`` (a registered one, such as
    ``face-network``), ``title``, ``licence`` and the tables ``input`` and ``decision``. ``task`` is ``embedder`` where
    not given; with ``like`` all that is not given is a shipped model's.

    Args:
        path: The contract, TOML.
        name: The new entry's name.
        file: The weight file it is about.

    Raises:
        ModelError: The contract or the name is malformed; the sentence names the key.
    """
    if not _NAME.fullmatch(name):
        raise ModelError(
            f"{name!r} cannot be a model's name.",
            "Use 1 to 64 small letters, digits, dots, dashes and underscores, beginning with a letter or digit.",
        )
    if name in _shipped():
        raise ModelError(f"{name} is a model of the catalogue already.", "Choose another name for your own.")
    table = _read_toml(path)
    if "files" in table:
        raise ModelError(f"{path}: files is written by the import.", "Delete that key.")
    whole = _inherited({**_shipped_tables(), name: table}, name, str(path))
    entry = replace(_entry(name, {**whole, "files": [file]}, str(path)), own=True)
    kind_of(entry, str(path))
    return entry


def own_bases(user_folder: Path) -> Mapping[str, str]:
    """The user's own models whose contract says ``like``, by name, each with the model that it names.

    Raises:
        ModelError: A contract is malformed.
    """
    tables = {path.parent.name: _read_toml(path) for path in sorted(user_folder.glob(f"*/{CONTRACT_FILE}"))}
    return {name: table["like"] for name, table in tables.items() if "like" in table}


def files_table(file: WeightFile) -> str:
    """The TOML of a file, as a contract in the cache holds it."""
    names = ", ".join(json.dumps(name) for name in file.names)
    lines = [
        "[[files]]",
        f"part = {json.dumps(file.part)}",
        f"names = [{names}]",
        f"byte_count = {file.byte_count}",
        f'sha256 = "{file.sha256}"',
    ]
    if file.package is not None:
        where = f"distribution = {json.dumps(file.package.distribution)}, path = {json.dumps(file.package.path)}"
        lines.append(f"package = {{ {where} }}")
    return "\n".join(lines) + "\n"


@cache
def _shipped() -> Catalog:
    tables = _shipped_tables()
    return {name: _entry(name, _inherited(tables, name, "catalog.toml"), "catalog.toml") for name in tables}


@cache
def measured_joins() -> Mapping[str, DecisionDefaults]:
    """What was measured on joined embedders, by their names with weights."""
    return _JOINS.validate_python(_shipped_toml()["joined"])


@cache
def _shipped_tables() -> Mapping[str, Any]:
    return {name: table for name, table in _shipped_toml().items() if name != "joined"}


@cache
def _shipped_toml() -> Mapping[str, Any]:
    text = resources.files("knownface.models").joinpath("catalog.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _inherited(tables: Mapping[str, Any], name: str, where: str, above: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The table with what the entry named by ``like`` says; its own tables are laid over the other's."""
    table = dict(tables[name])
    base = table.pop("like", None)
    if base is None:
        return table
    if base not in tables or base in above | {name}:
        raise ModelError(
            f"{where}: like is wrong: there is no other model named {base!r}.",
            f"Delete the folder of {name}, or bring {base} back.",
        )
    merged = _inherited(tables, base, where, above | {name})
    for key, value in table.items():
        merged[key] = {**merged.get(key, {}), **value} if isinstance(value, dict) else value
    return merged


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}.", "Name a contract file in TOML.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} is not valid TOML: {error}.", "Mend the file.") from error


def _entry(name: str, table: Mapping[str, Any], where: str) -> ModelEntry:
    try:
        return _ENTRY.validate_python({"task": "embedder", **table, "name": name})
    except ValidationError as error:
        first = error.errors()[0]
        # Where a value may be of several types, pydantic names the type after the key.
        key = ".".join(str(part) for part in first["loc"] if str(part).isalnum() or "_" in str(part)) or "the whole"
        hint = "The documentation's page on models describes every key of a model's contract."
        if first["type"] == "unexpected_keyword_argument" and first["loc"][0] == "input":
            hint = f"Its keys are {', '.join(key.name for key in fields(InputContract))}. {hint}"
        raise ModelError(f"{where}: {key} is wrong: {first['msg']}.", hint) from error
