"""How many threads FAISS is given."""

from __future__ import annotations

import faiss
import pytest

from knownface.search import threads


@pytest.mark.parametrize(
    ("probes", "numbers", "given"),
    [(1, 10**9, 1), (8, 250 * 512, 1), (6, 5_000 * 128, 1), (8, 20_000 * 512, 2), (1000, 100_000 * 128, 2)],
)
def test_one_thread_for_one_probe_and_for_little_work(monkeypatch, probes, numbers, given):
    before = faiss.omp_get_max_threads()
    monkeypatch.setattr(threads, "_ALL_THREADS", 2)
    try:
        threads.set_threads(probes, numbers)
        assert faiss.omp_get_max_threads() == given
    finally:
        faiss.omp_set_num_threads(before)
