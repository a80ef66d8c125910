"""Tables that people open in a spreadsheet: CSV out and in."""

from __future__ import annotations

import csv
import importlib
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from knownface.errors import InputError, MissingExtraError, UnreadableError
from knownface.files import replacing


class Table(NamedTuple):
    """What becomes a CSV file or a sheet: column names, and rows of texts, numbers, times and durations."""

    columns: list[str]
    rows: list[list[Any]]

    def to_pandas(self) -> Any:
        """As a ``pandas.DataFrame``; pandas must be installed (``pip install pandas``)."""
        return importlib.import_module("pandas").DataFrame(self.rows, columns=self.columns)


def table_of(values: Iterable[Mapping[str, Any]]) -> Table:
    """Dictionaries, such as ``to_dict()`` of any value gives, as a table.

    A dictionary within becomes columns of its own (``box`` becomes ``box_x``, ``box_y`` …), lists are left out. Columns
    are in the order in which they first occur; what a row lacks is None.
    """
    flat = [dict(_cells(value)) for value in values]
    columns = list(dict.fromkeys(name for row in flat for name in row))
    return Table(columns, [[row.get(name) for name in columns] for row in flat])


def _cells(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, cell in value.items():
        if isinstance(cell, Mapping):
            yield from _cells(cell, f"{prefix}{name}_")
        elif not isinstance(cell, list):
            yield f"{prefix}{name}", cell


def plain(table: Table) -> Table:
    """The same for CSV: times by ISO 8601 with their zone, durations in hours with two decimals, nothing empty."""
    return Table(table.columns, [[_plain(cell) for cell in row] for row in table.rows])


def as_json(table: Table) -> str:
    """The same as a JSON list of objects; durations in seconds."""
    plain_value: Callable[[Any], Any] = lambda v: v.total_seconds() if isinstance(v, timedelta) else v.isoformat()  # noqa: E731
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    return json.dumps(rows, ensure_ascii=False, indent=2, default=plain_value) + "\n"


def _plain(cell: Any) -> Any:
    if isinstance(cell, datetime):
        return cell.isoformat(timespec="seconds")
    if isinstance(cell, timedelta):
        return f"{cell / timedelta(hours=1):.2f}"
    return "" if cell is None else cell


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV (RFC 4180) that spreadsheets open without taking a name for a formula."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([_harmless(column) for column in columns])
    for row in rows:
        writer.writerow([_harmless(cell) for cell in row])
    return buffer.getvalue()


# What a spreadsheet would run as a formula (CWE-1236), or has an apostrophe before it already.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def _harmless(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def _as_meant(cell: str) -> str:
    """A cell without the apostrophe that :func:`csv_text` put before it."""
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell


def read_csv(path: Path, hint: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Read a CSV file in UTF-8, with or without a byte order mark, as :func:`csv_text` or a spreadsheet wrote it.

    Cells are separated by what a first line such as ``sep=;`` says, which Excel writes and reads; else by semicolons
    where the line of columns has these and no comma, as spreadsheets of countries with a decimal comma write it.

    Args:
        path: The file.
        hint: What a user should know whose file has faults.

    Returns:
        The cells of the first line in lower case, and of each line after it its number and cells; lines without
        content are left out, white space around cells too.

    Raises:
        UnreadableError: It is missing, or not UTF-8.
        InputError: It is empty or no CSV.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            text = file.read()
    except OSError as error:
        raise UnreadableError(f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise UnreadableError(f"{path} is not UTF-8.", "Save it as CSV UTF-8.") from error
    first, _, rest = text.partition("\n")
    declared = re.fullmatch(r"sep=(.)\s*", first, re.IGNORECASE)
    if declared:
        text = rest
    separator = declared[1] if declared else ";" if ";" in first and "," not in first else ","
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator)
    skipped = 1 if declared else 0
    try:
        lines = [(reader.line_num + skipped, [_as_meant(cell.strip()) for cell in cells]) for cells in reader]
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num + skipped}: {error}.", hint) from error
    lines = [(line, cells) for line, cells in lines if any(cells)]
    if not lines:
        raise InputError(f"{path} is empty.", hint)
    return [cell.lower() for cell in lines[0][1]], lines[1:]


def check_no_faults(path: Path, faults: Sequence[str], hint: str, *, shown: int = 10) -> None:
    """Raise if a file has faults, telling the first ones.

    Raises:
        InputError: It has.
    """
    if not faults:
        return
    listed = "; ".join(fault.rstrip(".") for fault in faults[:shown])
    more = f"; and {len(faults) - shown} more" if len(faults) > shown else ""
    raise InputError(f"{path} has faults, so nothing was changed: {listed}{more}.", hint)


def write_xlsx(path: Path, sheets: Mapping[str, Table]) -> None:
    """Write an Excel file, whole or not at all. Texts stay texts, durations can be summed.

    Args:
        path: The file; an existing one is replaced.
        sheets: Tables by the name of their sheet, at most 31 characters. Times with a zone are written as that zone's
            clock shows them.

    Raises:
        MissingExtraError: ``knownface[xlsx]`` is not installed.
        OutputError: The disk is full, or the folder may not be written.
    """
    try:
        import xlsxwriter
    except ImportError as error:
        raise MissingExtraError("Excel files need XlsxWriter.", "xlsx") from error
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "remove_timezone": True}) as book:
        bold = book.add_format({"bold": True, "bottom": 1})
        formats = {
            datetime: book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
            date: book.add_format({"num_format": "yyyy-mm-dd"}),
            timedelta: book.add_format({"num_format": "[h]:mm"}),
        }
        for name, table in sheets.items():
            sheet = book.add_worksheet(name)
            for column, title in enumerate(table.columns):
                sheet.write_string(0, column, title, bold)
            for number, row in enumerate(table.rows, start=1):
                for column, cell in enumerate(row):
                    if isinstance(cell, str):
                        sheet.write_string(number, column, cell)  # never a formula or a link
                    elif cell is not None:
                        sheet.write(number, column, cell, formats.get(type(cell)))
            sheet.freeze_panes(1, 0)
            sheet.autofit()
    with replacing(path) as part:
        part.write_bytes(buffer.getvalue())
