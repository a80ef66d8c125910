"""Where results are written: never onto a user's photo, video, database or any other file that is no such result."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from knownface.cli.common import Command
from knownface.errors import OutputError
from knownface.files import is_stream

MARK = ".knownface"
"""A file by which a folder is known to hold results: whatever lies in it may be replaced."""

_HEAD_BYTES = 4096
_DATABASE_START = b"SQLite format 3\0"


class OutputFile(click.Path):
    """The type of an option or argument that names a file to be written.

    A path is refused whose suffix says that it is something else, that lies on a picture, video or database of
    another kind, or that exists and is no earlier result of the same option, unless ``--overwrite`` allows the last.

    Args:
        *suffixes: What such a file may end in, the usual one first.
        fields: The first columns of an earlier result, which are also the first keys of it as JSON; empty where an
            existing file can only be replaced by ``--overwrite``.
    """

    def __init__(self, *suffixes: str, fields: tuple[str, ...] = ()) -> None:
        super().__init__(path_type=Path, dir_okay=False)
        self.suffixes = suffixes
        self.fields = fields

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path, checked.

        Raises:
            OutputError: It must not be written.
        """
        path = super().convert(value, param, ctx)
        assert isinstance(path, Path)  # noqa: S101  (click makes what path_type says)
        _check_file(path, self, overwrite=may_overwrite(ctx))
        return path


class OutputFolder(click.Path):
    """The type of an option that names a folder for results.

    A folder that holds other things is refused, unless ``--overwrite`` allows it: files of the same names would be
    replaced. What writes into it calls :func:`claim` first.
    """

    def __init__(self) -> None:
        super().__init__(path_type=Path, file_okay=False)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path, checked.

        Raises:
            OutputError: It holds other things.
        """
        path = super().convert(value, param, ctx)
        assert isinstance(path, Path)  # noqa: S101  (as above)
        if path.is_dir() and any(path.iterdir()) and not (path / MARK).exists() and not may_overwrite(ctx):
            raise OutputError(
                f"The folder {path} holds files that are no results of knownface.",
                "Name a new folder, or allow files of the same names to be replaced with --overwrite.",
            )
        return path


def claim(folder: Path) -> None:
    """Make a folder for results and mark it as one, so that the next run may write there again.

    Raises:
        OutputError: It cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARK).write_text("knownface writes results here and may replace what lies in this folder.\n")
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror or error}.") from error


def json_option(
    *fields: str,
    help: str,  # noqa: A002  (as click calls it)
    suffixes: tuple[str, ...] = (".json",),
) -> Callable[[Command], Command]:
    """``--json``: alone it is standard output, with a FILE behind it that file; the value of ``json_file``.

    Args:
        *fields: The first keys of the result, as for :class:`OutputFile`.
        help: What is written.
        suffixes: What a file may end in.
    """
    return click.option(
        "--json",
        "json_file",
        is_flag=False,
        flag_value="-",
        metavar="[FILE]",
        type=OutputFile(*suffixes, fields=fields),
        help=f"{help} Without FILE, or with -, to standard output.",
    )


def _remembered_flag(name: str, help: str) -> Callable[[Command], Command]:  # noqa: A002  (as click calls it)
    def remember(ctx: click.Context, _param: click.Parameter, value: bool) -> bool:
        ctx.meta[f"knownface.{name}"] = value
        return value

    # Eager, so that it is known when the paths are checked, in whatever order they are given.
    return click.option(f"--{name}", is_flag=True, is_eager=True, expose_value=False, callback=remember, help=help)


overwrite_option = _remembered_flag(
    "overwrite", "Replace an existing output, whatever it is; never a picture, video or database by another kind."
)
"""``--overwrite``, for every command that has an :class:`OutputFile` or :class:`OutputFolder`."""

bom_option = _remembered_flag("bom", "Begin CSV files with a byte order mark, so that Excel reads every letter right.")
"""``--bom``, for every command that writes CSV."""


def may_overwrite(ctx: click.Context | None) -> bool:
    """Whether a command was given ``--overwrite``."""
    return ctx is not None and bool(ctx.meta.get("knownface.overwrite", False))


def byte_order_mark() -> str:
    """What the CSV files of the present command begin with."""
    ctx = click.get_current_context(silent=True)
    return "\ufeff" if ctx is not None and ctx.meta.get("knownface.bom", False) else ""


@functools.cache
def _precious_suffixes() -> dict[str, str]:
    """What a file is by its suffix, of those that nobody wants to lose to a slip of the hand."""
    from knownface.media.files import IMAGE_SUFFIXES, VIDEO_SUFFIXES  # loading OpenCV takes a while

    return {
        **dict.fromkeys(IMAGE_SUFFIXES, "picture"),
        **dict.fromkeys(VIDEO_SUFFIXES, "video"),
        **dict.fromkeys((".db", ".db3", ".sqlite", ".sqlite3", ".db-wal", ".db-shm"), "database"),
        **dict.fromkeys((".onnx", ".tflite", ".pb", ".npz", ".npy"), "network or array"),
        **dict.fromkeys((".xlsx", ".xls", ".ods", ".docx", ".pdf", ".zip"), "document"),
        **dict.fromkeys((".toml", ".py", ".pem", ".key"), "program or setting"),
    }


def _check_file(path: Path, kind: OutputFile, *, overwrite: bool) -> None:
    wanted = " or ".join(kind.suffixes)
    suffix = path.suffix.lower()
    if suffix not in kind.suffixes and suffix in _precious_suffixes():
        raise OutputError(
            f"{path} is named like a {_precious_suffixes()[suffix]}, and a {wanted} file would be written there.",
            f"Name the file to write first, such as result{kind.suffixes[0]}.",
        )
    if str(path) == "-" or is_stream(path) or not path.is_file():
        return
    head = _head_of(path)
    if not head:
        return
    found = _precious_content(head)
    if found is not None and _precious_suffixes().get(kind.suffixes[0]) != found:
        raise OutputError(f"{path} is a {found}; it is not replaced by a {wanted} file.", "Choose another name.")
    if not overwrite and not _is_earlier_result(head, kind.fields):
        raise OutputError(
            f"{path} exists already and is no earlier result of this option.",
            "Choose another name, or allow it to be replaced with --overwrite.",
        )


def _head_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD_BYTES)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}.") from error


def _precious_content(head: bytes) -> str | None:
    from knownface.media.signatures import image_format, is_video

    if head.startswith(_DATABASE_START):
        return "database"
    if image_format(head) is not None:
        return "picture"
    return "video" if is_video(head) else None


def _is_earlier_result(head: bytes, fields: tuple[str, ...]) -> bool:
    text = head.decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    if not fields:
        return False
    if text[:1] in {"[", "{"}:
        if text.strip() == "[]":
            return True  # a result of nothing
        begun = re.findall(r'"(\w+)":', text)
    else:
        begun = [cell.strip('"') for cell in text.partition("\n")[0].strip().split(",")]
    return begun[: len(fields)] == list(fields)
