"""The file of a compressed index: what is small is read when it is opened, the vectors are mapped.

A line of JSON says where the parts lie; the parts follow, each at a multiple of 4096 bytes, little-endian: the
quantizer's arrays, ids, codes, two checksums a row (of id and code, of the vector), and last the vectors. A removed
row is overwritten where it stands, so that a file of gigabytes need not be written anew for one person.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from knownface.errors import IndexDamagedError
from knownface.files import sync
from knownface.search.rows import ERASED, Checks, checks_of
from knownface.types import Embeddings, Ids

if TYPE_CHECKING:
    from knownface.search.quantizer import Codes, Quantizer

_FORMAT = 2
_PAGE = 4096
_HEADER = 4 * _PAGE


@dataclass(frozen=True, slots=True)
class _Part:
    offset: int
    dtype: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        return int(np.dtype(self.dtype).itemsize * np.prod(self.shape, dtype=np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class RowFile:
    """What a file holds; erased rows are left out of ``alive``.

    Attributes:
        ids: Int64, shape (n,), ascending.
        codes: Uint8, shape (n, code size).
        alive: Bool, shape (n,).
        vectors: Float32, shape (n, dim), mapped.
        mapping: What they are a view of.
        checks: Uint64, shape (n,), mapped: of the vectors.
        quantizer: What the codes were made by.
    """

    ids: Ids
    codes: Codes
    alive: npt.NDArray[np.bool_]
    vectors: Embeddings
    mapping: mmap.mmap
    checks: Checks
    quantizer: Quantizer


def write_rows(path: Path, count: int, quantizer: Quantizer, blocks: Iterable[tuple[Ids, Embeddings]]) -> None:
    """Write a file that only its owner may read, in little memory; not whole or not at all, and not yet safe.

    Args:
        path: The file.
        count: How many rows will come.
        quantizer: Makes the codes.
        blocks: Ids, ascending from block to block, and vectors.

    Raises:
        OSError: It cannot be written.
        ValueError: Another number of rows came.
    """
    path.touch(mode=0o600)
    with path.open("r+b") as file:
        written = _fill(file, count, quantizer, blocks)
    if written != count:
        raise ValueError(f"{count} rows were announced, {written} came")


def _fill(file: IO[bytes], count: int, quantizer: Quantizer, blocks: Iterable[tuple[Ids, Embeddings]]) -> int:
    parts = _plan(count, quantizer)
    _write_header(file, parts, quantizer)
    row = 0
    for ids, vectors in blocks:
        codes = quantizer.encode(vectors)
        values: dict[str, npt.NDArray[Any]] = {
            "ids": ids.astype("<i8"),
            "codes": codes,
            "row_checks": checks_of(_words(ids, codes)),
            "vector_checks": checks_of(np.ascontiguousarray(vectors, dtype="<f4")),
            "vectors": np.ascontiguousarray(vectors, dtype="<f4"),
        }
        for name, value in values.items():
            file.seek(parts[name].offset + row * (value.nbytes // len(value)))
            file.write(value.data)
        row += len(ids)
    file.truncate(parts["vectors"].offset + parts["vectors"].size)
    return row


def _words(ids: Ids, codes: Codes) -> npt.NDArray[np.uint8]:
    """Ids and codes side by side."""
    return np.concatenate([ids.astype("<i8").view(np.uint8).reshape(len(ids), 8), codes], axis=1)


def _plan(count: int, quantizer: Quantizer) -> dict[str, _Part]:
    shapes: list[tuple[str, str, tuple[int, ...]]] = [
        *((name, "<f4", array.shape) for name, array in quantizer.arrays().items()),
        ("ids", "<i8", (count,)),
        ("codes", "|u1", (count, quantizer.size)),
        ("row_checks", "<u8", (count,)),
        ("vector_checks", "<u8", (count,)),
        ("vectors", "<f4", (count, quantizer.dim)),
    ]
    parts, offset = {}, _HEADER
    for name, dtype, shape in shapes:
        parts[name] = _Part(offset, dtype, shape)
        offset += -(-parts[name].size // _PAGE) * _PAGE
    return parts


def _write_header(file: IO[bytes], parts: dict[str, _Part], quantizer: Quantizer) -> None:
    arrays = {name: np.ascontiguousarray(array, dtype="<f4") for name, array in quantizer.arrays().items()}
    digest = hashlib.sha256(b"".join(array.tobytes() for array in arrays.values())).hexdigest()
    places = {name: [part.offset, part.dtype, list(part.shape)] for name, part in parts.items()}
    header = {
        "format": _FORMAT,
        "dim": quantizer.dim,
        "token": uuid.uuid4().hex,
        "coder_sha256": digest,
        "parts": places,
    }
    text = json.dumps(header)
    head = f"{hashlib.sha256(text.encode()).hexdigest()} {text}\n".encode()
    file.write(head.ljust(_HEADER, b" "))
    for name, array in arrays.items():
        file.seek(parts[name].offset)
        file.write(array.data)


def read_rows(path: Path) -> RowFile:
    """Open a file; its vectors are mapped and each checked when it is read.

    Raises:
        IndexDamagedError: It is missing, no such file, or not as it was written.
    """
    with _damage_named(path):
        header, parts = _read_header(path)
        small = {name: _read(path, part) for name, part in parts.items() if not name.startswith("vector")}
        arrays = [small["pieces"], small["turn"]]
        if hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest() != header["coder_sha256"]:
            raise ValueError("the quantizer was altered")
        from knownface.search.quantizer import Quantizer  # FAISS, which removing rows does without

        quantizer = Quantizer.from_arrays(header["dim"], *arrays)
        ids, codes, row_checks = small["ids"], small["codes"], small["row_checks"]
        if parts["vectors"].shape != (len(ids), quantizer.dim) or codes.shape != (len(ids), quantizer.size):
            raise ValueError("the parts do not fit together")
        (vectors, mapping), (checks, _) = _map(path, parts["vectors"]), _map(path, parts["vector_checks"])
        alive = (row_checks != ERASED) & (np.asarray(checks) != ERASED)
        if not np.array_equal(checks_of(_words(ids, codes))[alive], row_checks[alive]):
            raise ValueError("ids or codes were altered")
        if (np.diff(ids) <= 0).any() or (ids < 0).any():
            raise ValueError("ids do not ascend")
        return RowFile(ids, codes, alive, vectors, mapping, checks, quantizer)


def read_token(path: Path) -> str:
    """A random text that no other file has; erasing leaves it.

    Raises:
        IndexDamagedError: It is missing, or no such file.
    """
    with _damage_named(path):
        return str(_read_header(path)[0]["token"])


def erase_rows(path: Path, ids: Ids) -> int:
    """Overwrite the vectors, codes and checksums of these ids with zeros; returns how many were there.

    Programs that have the file mapped see it at once, and take the rows for gone. Cut short by a power cut it has
    done a part of it; done again it does the rest.

    Raises:
        IndexDamagedError: It is missing, or no such file.
        OSError: It cannot be written.
    """
    with _damage_named(path):
        _, parts = _read_header(path)
        held, _ = _map(path, parts["ids"])  # looking for a few reads a few pages
    if not len(held):
        return 0
    places = np.minimum(np.searchsorted(held, ids), len(held) - 1)
    rows = np.unique(places[held[places] == ids])
    with path.open("r+b") as file:
        # Checksums first: see VectorRows.
        for name in ("vector_checks", "row_checks", "codes", "vectors"):
            part = parts[name]
            size = part.size // part.shape[0]
            for row in rows.tolist():
                file.seek(part.offset + row * size)
                file.write(bytes(size))
            file.flush()
    sync(path)
    return len(rows)


@contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise IndexDamagedError(f"{path} is no index, or not as it was saved ({reason}).") from error


def _read_header(path: Path) -> tuple[dict[str, Any], dict[str, _Part]]:
    with path.open("rb") as file:
        digest, _, text = file.read(_HEADER).decode("utf-8").rstrip().partition(" ")
    if hashlib.sha256(text.encode()).hexdigest() != digest:
        raise ValueError("its first line was altered")
    header = json.loads(text)
    if header["format"] != _FORMAT:
        raise ValueError(f"format {header['format']} is not known")
    parts = {name: _Part(offset, dtype, tuple(shape)) for name, (offset, dtype, shape) in header["parts"].items()}
    if path.stat().st_size != parts["vectors"].offset + parts["vectors"].size:
        raise ValueError("it was cut")
    return header, parts


def _read(path: Path, part: _Part) -> npt.NDArray[Any]:
    count = int(np.prod(part.shape, dtype=np.int64))
    return np.fromfile(path, dtype=part.dtype, count=count, offset=part.offset).reshape(part.shape)


def _map(path: Path, part: _Part) -> tuple[npt.NDArray[Any], mmap.mmap]:
    with path.open("rb") as file:
        mapping = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    count = int(np.prod(part.shape, dtype=np.int64))
    return np.frombuffer(mapping, part.dtype, count, min(part.offset, len(mapping))).reshape(part.shape), mapping
