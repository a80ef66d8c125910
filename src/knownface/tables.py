"""Tables that people open in a spreadsheet: CSV out and in."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from knownface.errors import InputError, MissingExtraError, UnreadableError
from knownface.files import replacing


class Table(NamedTuple):
    """What becomes a CSV file or a sheet: column names, and rows of texts, numbers, times and durations."""

    columns: list[str]
    rows: list[list[Any]]


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV (RFC 4180) that spreadsheets open without taking a name for a formula."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([_harmless(column) for column in columns])
    for row in rows:
        writer.writerow([_harmless(cell) for cell in row])
    return buffer.getvalue()


def _harmless(cell: Any) -> Any:
    # A spreadsheet would run a text that begins like a formula (CWE-1236).
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell


def read_csv(path: Path, hint: str, *, semicolons: bool = False) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Read a CSV file in UTF-8, with or without a byte order mark.

    Args:
        path: The file.
        hint: What a user should know whose file has faults.
        semicolons: Whether a file whose first line has semicolons and no comma is separated by them, as spreadsheets
            of countries with a decimal comma write it.

    Returns:
        The cells of the first line in lower case, and of each line after it its number and cells; lines without
        content are left out, white space around cells too.

    Raises:
        UnreadableError: It is missing, or not UTF-8.
        InputError: It is empty or no CSV.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            separator = ";" if semicolons and ";" in first and "," not in first else ","
            reader = csv.reader(file, strict=True, delimiter=separator)
            lines = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except OSError as error:
        raise UnreadableError(f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise UnreadableError(f"{path} is not UTF-8.", "Save it as CSV UTF-8.") from error
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: {error}.", hint) from error
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
