from __future__ import annotations

import itertools
import threading
import time

import pytest

from knownface.errors import GalleryLockedError
from knownface.live.unknown_numbers import UnknownNumbers


def test_who_asks_does_not_wait_and_no_number_is_used_up_for_nobody() -> None:
    go_on, numbers, fetched = threading.Event(), itertools.count(1), []

    def fetch() -> int:
        assert go_on.wait(60)
        fetched.append(next(numbers))
        return fetched[-1]

    supply = UnknownNumbers(fetch)
    assert [supply.poll() for _ in range(5)] == [None] * 5
    go_on.set()
    while (number := supply.poll()) is None:
        time.sleep(0.001)
    assert number == 1
    assert fetched == [1]
    assert (supply.get(), supply.get()) == (2, 3)
    supply.close()
    assert fetched == [1, 2, 3]


def test_an_error_reaches_who_asks() -> None:
    def fetch() -> int:
        raise GalleryLockedError("The gallery is locked.")

    supply = UnknownNumbers(fetch)
    with pytest.raises(GalleryLockedError):
        supply.get()
    supply.close()
