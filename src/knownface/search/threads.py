"""How many threads FAISS uses."""

from __future__ import annotations

import faiss

_ALL_THREADS = faiss.omp_get_max_threads()
"""What OpenMP was given when the program began: OMP_NUM_THREADS, else every core."""


def set_threads(probes: int) -> None:
    """One thread for one probe, all for a batch: a team of threads costs a single probe more than it saves.

    OpenMP keeps this number per thread of the program.
    """
    faiss.omp_set_num_threads(1 if probes == 1 else _ALL_THREADS)
