"""Delivering events to webhooks: signed, in order, repeated until they are accepted."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import logging
import random
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx

from knownface import __version__
from knownface.errors import BadRequestError, KnownFaceError
from knownface.events import EVENT_KINDS, Alert, Happening, log_happenings, read_events
from knownface.server.webhooks import Webhook, WebhookStore, receiver_addresses
from knownface.storage import Database

_log = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
"""How often the table of events is looked at."""
TIMEOUT_SECONDS = 10.0
FIRST_WAIT_SECONDS = 5.0
LONGEST_WAIT_SECONDS = 3600.0
UNREACHABLE = "it cannot be reached, or does not answer in time"
"""All that is told of why, so that nobody learns which ports are open."""
_BATCH = 50
_AT_ONCE = 8


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """What the header ``X-Knownface-Signature`` says: HMAC-SHA256 (RFC 2104) over the time and the body."""
    signed = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1={signed.hexdigest()}"


def wait_seconds(failures: int) -> float:
    """How long to wait after so many failed attempts: doubling up to an hour, a fifth of it at random."""
    longest: float = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** min(failures - 1, 20))
    return longest * random.uniform(0.8, 1.0)  # noqa: S311 - spreads load, keeps no secret


class WebhookDelivery:
    """A thread that delivers events: each webhook's in order, several webhooks in parallel.

    Args:
        database: The gallery's, whose events are delivered.
        store: The webhooks.
        first_wait: Scales the waits of :func:`wait_seconds`; tests make it short.
    """

    def __init__(self, database: Database, store: WebhookStore, first_wait: float = FIRST_WAIT_SECONDS) -> None:
        self._database, self._store = database, store
        self._scale = first_wait / FIRST_WAIT_SECONDS
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
        self._client = httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Stop after what is being sent."""
        self._stop.set()
        self._thread.join()
        self._client.close()

    def _run(self) -> None:
        under_way: dict[int, Future[None]] = {}
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="webhook") as pool:
            while not self._stop.wait(EVERY_SECONDS * min(1.0, max(0.05, self._scale))):
                under_way = {hook_id: one for hook_id, one in under_way.items() if not one.done()}
                try:
                    now = datetime.now(UTC)
                    hooks = self._store.all()
                    log_happenings(self._database, {kind for hook in hooks for kind in hook.kinds or EVENT_KINDS})
                    for hook in hooks:
                        if hook.active and (hook.next_attempt or now) <= now and hook.id not in under_way:
                            under_way[hook.id] = pool.submit(self._deliver, hook)
                except KnownFaceError as error:
                    _log.warning("Webhooks wait: %s", error)

    def _deliver(self, hook: Webhook) -> None:
        try:
            self._deliver_all(hook)
        except KnownFaceError as error:
            _log.warning("Webhooks wait: %s", error)

    def _deliver_all(self, hook: Webhook) -> None:
        failures = hook.failures
        for event in read_events(self._database, after=hook.last_event, limit=_BATCH):
            if self._stop.is_set():
                return
            if not hook.wants(event.kind):
                self._store.pass_over(hook.id, event.id)
                continue
            start = time.monotonic()
            problem = self._send(hook, event)
            if problem is None:
                self._store.note_delivery(hook.id, event.id)
                failures = 0
                continue
            if problem == UNREACHABLE:  # told after as long whatever the reason: a closed port answers at once
                self._stop.wait(max(0.0, start + min(1.0, self._scale) * TIMEOUT_SECONDS - time.monotonic()))
            failures += 1
            again = datetime.now(UTC) + timedelta(seconds=wait_seconds(failures) * self._scale)
            self._store.note_failure(hook.id, failures, again, problem)
            _log.warning("Webhook %d did not take the event %d: %s", hook.id, event.id, problem)
            return

    def _send(self, hook: Webhook, event: Alert | Happening) -> str | None:
        """Send one event; what went wrong, or None."""
        body = json.dumps(event.facts(), ensure_ascii=False).encode()
        now = int(time.time())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"knownface/{__version__}",
            "X-Knownface-Event": str(event.id),
            "X-Knownface-Timestamp": str(now),
            "X-Knownface-Signature": signature(hook.secret, now, body),
        }
        try:
            for address in receiver_addresses(hook.url, self._store.allowed_networks):
                with contextlib.suppress(httpx.ConnectError, httpx.ConnectTimeout):
                    return self._post(httpx.URL(hook.url), address, body, headers)
        except BadRequestError as error:
            return error.message
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            _log.debug("Webhook %d: %s", hook.id, error)
        return UNREACHABLE

    def _post(self, url: httpx.URL, address: str, body: bytes, headers: dict[str, str]) -> str | None:
        # By the address that was checked, while certificate and Host stay those of the name.
        headers = {**headers, "Host": url.netloc.decode("ascii")}
        names = {"sni_hostname": url.host}
        to = url.copy_with(host=address)
        with self._client.stream("POST", to, content=body, headers=headers, extensions=names) as answer:
            # The answer's body is never read: it could be endless, and nobody is shown it.
            return None if answer.is_success else f"it answered {answer.status_code}"
