"""Column types that seal what goes into the database and open what comes out of it.

No statement has to remember it: a value that is compared with such a column, inserted or read goes through its type.
What the database copies from one column to another of the same kind stays sealed.
"""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy import Column, ColumnElement, Dialect, LargeBinary, String, Text, TypeDecorator
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.visitors import InternalTraversal

from knownface.errors import GalleryDamagedError, GalleryKeyError
from knownface.storage.failures import UnplacedError
from knownface.storage.sealing.sealer import TEXT_MAGIC, Sealer, is_sealed

_log = logging.getLogger(__name__)

_SEALER = "knownface_sealer"
"""Attribute of a dialect: every engine has one of its own, by which a column's type knows whose value it has."""


def use_sealer(dialect: Dialect, sealer: Sealer | None) -> None:
    """Have an engine's values sealed from now on, or, with None, not any more."""
    setattr(dialect, _SEALER, sealer)


def sealer_of(dialect: Dialect) -> Sealer | None:
    """What seals an engine's values; None where its gallery is not encrypted."""
    return getattr(dialect, _SEALER, None)


class DamagedRecord(bytes):
    """What a record reads as that cannot be opened: nothing."""


def whole(record: bytes, what: str) -> bytes:
    """A record, if it could be opened.

    Args:
        record: As read.
        what: For people, such as "The picture of sighting 5".

    Raises:
        UnplacedError: A GalleryDamagedError that names it.
    """
    if isinstance(record, DamagedRecord):
        raise UnplacedError(
            GalleryDamagedError,
            f"{what} is damaged in {{place}}; everything else can be used.",
            "Remove it, or bring it back from a backup with `knownface gallery restore`.",
        )
    return record


class Sealed(TypeDecorator[bytes]):
    """Bytes that are sealed in an encrypted gallery; damaged ones read as a :class:`DamagedRecord`.

    Args:
        kind: What they are. What may be copied from one column to another by the database is of one kind.
    """

    impl = LargeBinary
    cache_ok = True

    def __init__(self, kind: str = "record") -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        """Seal."""
        sealer = sealer_of(dialect)
        return value if value is None or sealer is None else sealer.seal(value, self.kind)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        """Open."""
        if value is None:
            return None
        sealer = sealer_of(dialect)
        if sealer is not None:
            opened = sealer.open(value, self.kind)
            return DamagedRecord() if opened is None else opened
        if is_sealed(value):
            raise _sealed_meanwhile()
        return value


class SealedText(TypeDecorator[str]):
    """A text that is sealed in an encrypted gallery, equal ones equally.

    Args:
        kind: What it is.
        length: The most characters; None for any number. PostgreSQL keeps any number.
        damaged: What one reads as that cannot be opened.
    """

    impl = Text
    cache_ok = True

    def __init__(self, kind: str, length: int | None = None, damaged: str | None = None) -> None:
        super().__init__()
        self.kind, self.length, self.damaged = kind, length, damaged

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Sealed, a text is longer than its column allows; SQLite does not mind."""
        short = self.length is not None and dialect.name == "sqlite"
        return dialect.type_descriptor(String(self.length) if short else Text())

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Seal."""
        sealer = sealer_of(dialect)
        return value if value is None or sealer is None else sealer.seal_text(value, self.kind)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Open."""
        if value is None:
            return None
        sealer = sealer_of(dialect)
        if sealer is not None:
            opened = sealer.open_text(value, self.kind)
            if opened is None:
                _log.warning("A sealed text (%s) is damaged and is taken for %r.", self.kind, self.damaged)
            return self.damaged if opened is None else opened
        if value.startswith(TEXT_MAGIC):
            raise _sealed_meanwhile()
        return value


class SealedName(TypeDecorator[str]):
    """A text that names somebody or may, sealed where the gallery seals names too, equal ones equally.

    Statements compare and insert it as any text; what orders or searches by its letters asks :func:`readable`.

    Args:
        kind: What it is.
        length: The most characters; None for any number.
    """

    impl = Text
    cache_ok = True

    def __init__(self, kind: str, length: int | None = None) -> None:
        super().__init__()
        self.kind, self.length = kind, length

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """As long as names are; where they are sealed, which SQLite alone does, it does not mind longer ones."""
        return dialect.type_descriptor(Text() if self.length is None else String(self.length))

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Seal."""
        sealer = sealer_of(dialect)
        return value if value is None or sealer is None or not sealer.names else sealer.seal_text(value, self.kind)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Open."""
        sealer = sealer_of(dialect)
        if value is None or sealer is None or not sealer.names:
            return value
        opened = sealer.open_text(value, self.kind)
        if opened is None:
            _log.warning("A sealed text (%s) is damaged.", self.kind)
        return DAMAGED_NAME if opened is None else opened


DAMAGED_NAME = "(damaged)"
"""What a sealed name reads as that cannot be opened."""

OPEN_NAME = "knownface_open"
"""The SQL function by which SQLite reads a sealed name, of a kind."""


class _Readable(ColumnElement[str]):
    """See :func:`readable`."""

    inherit_cache = True

    def __init__(self, column: Column[Any]) -> None:
        self.column, self.kind = column, column.type.kind  # type: ignore[attr-defined]  # it is a SealedName
        self.type = Text()

    __visit_name__ = "readable"
    _traverse_internals = [("column", InternalTraversal.dp_clauseelement)]  # noqa: RUF012  (as SQLAlchemy reads it)


def readable(column: Column[Any]) -> ColumnElement[str]:
    """The letters of a :class:`SealedName`, to order or search by; without a sealed name it is the column itself."""
    return _Readable(column)


@compiles(_Readable)
def _compile_readable(element: _Readable, compiler: Any, **kw: Any) -> str:
    column: str = compiler.process(element.column, **kw)
    sealer = sealer_of(compiler.dialect)
    if sealer is None or not sealer.names:
        return column
    return f"{OPEN_NAME}({column}, '{element.kind}')"


def _sealed_meanwhile() -> UnplacedError:
    return UnplacedError(
        GalleryKeyError,
        "The gallery {place} was encrypted meanwhile.",
        "Start the program again, with gallery_key set.",
    )
