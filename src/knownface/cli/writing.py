"""Result files: text, JSON, CSV and Excel, whole or not at all; ``-`` is standard output, always in UTF-8."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from knownface.cli.outputs import byte_order_mark
from knownface.errors import OutputError
from knownface.files import replacing
from knownface.tables import Table, as_json, csv_text, plain, write_xlsx


def write_text(path: Path, text: str) -> None:
    """Write a text; a file name in it that is none (on systems where that can be) with its bytes escaped."""
    if str(path) == "-":
        click.echo(text.encode("utf-8", "backslashreplace"), nl=False)
        return
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8", errors="backslashreplace", newline="")


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON; times are ISO 8601, those of UTC with a Z."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=1, default=_json_value) + "\n")


def write_tables(path: Path, sheets: Mapping[str, Table]) -> None:
    """Write tables by the suffix of the file: all of them as sheets of an Excel file, the first as JSON or CSV.

    Raises:
        OutputError: The suffix is another, or the file cannot be written.
    """
    suffix, first = path.suffix.lower(), next(iter(sheets.values()))
    if suffix not in {".csv", ".json", ".xlsx", ""}:
        raise OutputError(
            f"{path} cannot be written: its suffix is none of .csv, .json, .xlsx.", "Choose another name."
        )
    if suffix == ".xlsx":
        write_xlsx(path, sheets)
    elif suffix == ".json":
        write_text(path, as_json(first))
    else:
        write_text(path, byte_order_mark() + csv_text(*plain(first)))


def _json_value(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
