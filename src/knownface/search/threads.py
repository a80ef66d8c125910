"""How many threads FAISS uses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import faiss

_ALL_THREADS = faiss.omp_get_max_threads()
"""What OpenMP was given when the program began: OMP_NUM_THREADS, else every core."""

_FOR_ONE = 1 << 25
"""Numbers that one thread goes through in about 8 ms, of which a second would save half. But a team waits for its next
work by spinning, 10 ms long, and takes the processor from whatever else the program does."""


def set_threads(probes: int, numbers: int) -> None:
    """One thread for one probe and for little work, all for a batch: a team of threads costs more than it saves there.

    OpenMP keeps this number per thread of the program.

    Args:
        probes: How many are searched at once.
        numbers: How many are looked at for each of them: rows times their length.
    """
    faiss.omp_set_num_threads(1 if probes == 1 or probes * numbers <= _FOR_ONE else _ALL_THREADS)


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread within the block: for work of many short parts, between which a team would spin and wait."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
