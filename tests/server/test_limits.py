from __future__ import annotations

import asyncio
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knownface.errors import BusyError, RateLimitedError
from knownface.server.limits import RateLimiter
from knownface.server.live.event_bus import EventBus
from knownface.server.webhook_delivery import LONGEST_WAIT_SECONDS, wait_seconds
from knownface.server.work import Workers


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@given(
    rate=st.floats(0.1, 1000),
    burst=st.floats(1, 100),
    steps=st.lists(st.floats(0, 10), min_size=1, max_size=200),
)
def test_no_more_than_the_burst_and_the_rate_pass(rate: float, burst: float, steps: list[float]) -> None:
    clock = Clock()
    limiter = RateLimiter(rate, burst, clock)
    passed = 0
    for step in steps:
        clock.now += step
        wait = limiter.take("a")
        passed += wait == 0
        if wait:
            assert 0 < wait <= 1 / rate + 1e-6
    assert passed <= burst + rate * clock.now + 1e-6


def test_who_waits_as_told_may_pass() -> None:
    clock = Clock()
    limiter = RateLimiter(2.0, 2.0, clock)
    assert [limiter.take("a") for _ in range(2)] == [0, 0]
    wait = limiter.take("a")
    assert wait == pytest.approx(0.5)
    assert limiter.take("b") == 0
    clock.now += wait
    assert limiter.take("a") == 0


def test_only_so_many_callers_are_remembered() -> None:
    limiter = RateLimiter(1.0, 1.0, Clock())
    for number in range(25_000):
        limiter.take(str(number))
    assert len(limiter._buckets) == 10_000


def test_what_is_larger_than_the_burst_passes_once_and_is_made_up_for() -> None:
    clock = Clock()
    limiter = RateLimiter(10.0, 100.0, clock)
    assert limiter.take("a", 150) == 0
    assert limiter.take("a", 10) == pytest.approx(6)
    clock.now += 6
    assert limiter.take("a", 10) == 0


def test_the_queue_takes_all_of_a_request_or_none() -> None:
    go = threading.Event()
    workers = Workers(shares=2, queue=3)

    async def scene() -> list[int]:
        first = asyncio.create_task(workers.run_all("a", lambda i: go.wait(10) and i, [1, 2, 3]))
        await asyncio.sleep(0)
        with pytest.raises(RateLimitedError) as refused:
            await workers.run_all("a", lambda i: i, [4, 5, 6])
        assert refused.value.retry_after >= 1
        second = asyncio.create_task(workers.run_all("a", lambda i: i, [4]))
        await asyncio.sleep(0)
        go.set()
        done = [*await first, *await second]
        assert workers.pending == 0
        return done

    assert asyncio.run(scene()) == [1, 2, 3, 4]
    workers.close()


def test_who_would_wait_too_long_is_sent_away_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knownface.server.work._PROMPT_SECONDS", 0.5)
    go = threading.Event()
    workers = Workers(shares=1, queue=100)

    async def scene() -> None:
        # A picture counts for 0.1 s until it is known how long they take.
        waiting = [asyncio.create_task(workers.run("a", lambda _: go.wait(10), i)) for i in range(7)]
        await asyncio.sleep(0)
        with pytest.raises(RateLimitedError, match="of this key are waiting already: 6") as refused:
            await workers.run("a", lambda i: i, 7)
        assert 1 <= refused.value.retry_after <= 10
        assert await workers.run("b", lambda i: i, 8) == 8
        go.set()
        await asyncio.gather(*waiting)

    asyncio.run(scene())
    workers.close()


@pytest.mark.parametrize("patient", [False, True])
def test_who_comes_while_one_key_fills_everything_begins_at_once(patient: bool) -> None:
    go = threading.Event()
    workers = Workers(shares=2, queue=100)

    async def scene() -> None:
        flood = [asyncio.create_task(workers.run("a", lambda _: go.wait(10), i)) for i in range(50)]
        many = asyncio.create_task(workers.run_all("a", lambda _: go.wait(10), range(30), patient=True))
        await asyncio.sleep(0.01)
        with pytest.raises(RateLimitedError, match="of this key"):
            await workers.run_all("a", lambda i: i, range(10))
        assert await workers.run_all("b", lambda i: i, [1, 2, 3], patient=patient) == [1, 2, 3]
        many.cancel()
        await asyncio.wait([many])
        assert workers.pending == 50  # of the many none had begun: this key had its part of the places
        go.set()
        await asyncio.gather(*flood)

    asyncio.run(scene())
    workers.close()


def test_a_failure_frees_its_place() -> None:
    workers = Workers(shares=1, queue=1)

    async def scene() -> None:
        for _ in range(5):
            with pytest.raises(ZeroDivisionError):
                await workers.run("a", lambda i: 1 // i, 0)
        assert workers.pending == 0
        assert await workers.run("a", lambda i: 1 // i, 1) == 1

    asyncio.run(scene())
    workers.close()
    with pytest.raises(BusyError, match="stopping"):
        asyncio.run(workers.run("a", lambda i: i, 1))


def test_waits_for_webhooks_double_up_to_an_hour() -> None:
    waits = [wait_seconds(failures) for failures in (1, 2, 3, 20, 500)]
    assert 4 <= waits[0] <= 5
    assert 8 <= waits[1] <= 10
    assert 16 <= waits[2] <= 20
    assert max(waits) <= LONGEST_WAIT_SECONDS
    assert waits[-1] >= 0.8 * LONGEST_WAIT_SECONDS


def test_a_slow_listener_loses_the_oldest_events_and_holds_up_nobody() -> None:
    bus = EventBus()

    async def scene() -> tuple[list[int], list[int]]:
        slow, quick = bus.subscribe(), bus.subscribe()
        got = []
        for number in range(250):
            await asyncio.to_thread(bus.publish, {"n": number})
            got.append((await quick.get())["n"])
        left = [slow.get_nowait()["n"] for _ in range(slow.qsize())]
        bus.unsubscribe(slow)
        bus.publish({"n": 250})
        await asyncio.sleep(0)
        assert slow.empty()
        return got, left

    got, left = asyncio.run(scene())
    assert got == list(range(250))
    assert left == list(range(150, 250))
    bus.publish({"n": 251})  # whose loop is closed is told nothing
