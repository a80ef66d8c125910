"""The service under load: many clients at once, against the library's own throughput in the same run."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from knownface import FaceRecognizer, read_image
from knownface.client import Client
from knownface.media import expand_paths


def request_of(picture: Path, address: str, key: str) -> bytes:
    """A whole HTTP request that asks who is on a picture."""
    head = f'--b\r\nContent-Disposition: form-data; name="picture"; filename="{picture.name}"\r\n\r\n'.encode()
    body = head + picture.read_bytes() + b"\r\n--b--\r\n"
    return (
        f"POST /v1/identify HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


class Tally:
    """What came of all requests."""

    def __init__(self) -> None:
        self.statuses: Counter[str] = Counter()
        self.seconds: list[float] = []
        """Of what was answered 200."""
        self.refused: list[float] = []
        """Of what was answered otherwise."""


async def one_client(
    host: str, port: int, requests: list[bytes], offset: int, end: float, tally: Tally, pause: float | None = 0.0
) -> None:
    """Ask, wait for the answer, ask again, on one connection. By hand: a client library would take the cores.

    A refusal is followed by a pause, in seconds; None waits as long as the answer says. A lost connection is made anew.
    """
    turn = offset
    while time.monotonic() < end:
        try:
            reader, writer = await asyncio.open_connection(host, port)
        except OSError as error:
            tally.statuses[type(error).__name__] += 1
            await asyncio.sleep(0.5)
            continue
        try:
            while time.monotonic() < end:
                start = time.perf_counter()
                writer.write(requests[turn % len(requests)])
                await writer.drain()
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"content-length: (\d+)", head)
                await reader.readexactly(int(length[1]) if length else 0)
                tally.statuses[head[9:12].decode()] += 1
                turn += 1
                if head.startswith(b"HTTP/1.1 200"):
                    tally.seconds.append(time.perf_counter() - start)
                else:
                    tally.refused.append(time.perf_counter() - start)
                    told = re.search(rb"retry-after: (\d+)", head)
                    wait = (float(told[1]) if told else 1.0) if pause is None else pause
                    await asyncio.sleep(min(wait, max(0.0, end - time.monotonic())))
        except (OSError, asyncio.IncompleteReadError) as error:
            tally.statuses[type(error).__name__] += 1
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


async def silent(host: str, port: int, end: float) -> None:
    """A connection that says nothing, made again whenever it is closed."""
    while time.monotonic() < end:
        with suppress(OSError, TimeoutError):
            reader, writer = await asyncio.open_connection(host, port)
            with suppress(TimeoutError):
                await asyncio.wait_for(reader.read(1), end - time.monotonic())
            writer.close()
        await asyncio.sleep(0.5)


async def load(host: str, port: int, requests: list[bytes], clients: int, seconds: float, idle: int = 0) -> Tally:
    """All clients together, and connections that say nothing, of the same address."""
    tally, end = Tally(), time.monotonic() + seconds
    quiet = [asyncio.ensure_future(silent(host, port, end)) for _ in range(idle)]
    await asyncio.gather(*(one_client(host, port, requests, i * 7, end, tally, None) for i in range(clients)))
    for one in quiet:
        one.cancel()
    await asyncio.gather(*quiet, return_exceptions=True)
    return tally


@contextmanager
def service(folder: str, options: list[str]) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """A service in a process of its own, with rate limits that do not bite."""
    limits = {"KNOWNFACE_SERVE__RATE_PER_KEY": "1000000", "KNOWNFACE_SERVE__RATE_PER_ADDRESS": "1000000"}
    command = [sys.executable, "-m", "knownface", "serve", "--port", "0", "--gallery", f"{folder}/g.db", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **limits}) as run:
        assert run.stdout is not None
        address = re.findall(r"http://\S+", run.stdout.readline())[0].rstrip("/")
        key = re.findall(r"kf_\S+", run.stdout.readline())[0]
        try:
            yield run, address, key
        finally:
            run.terminate()
            run.wait(60)


def cpu_of(process: psutil.Process) -> float:
    """Seconds of processor time that it has taken."""
    times = process.cpu_times()
    return float(times.user + times.system)


def library_rate(folder: str, files: list[Path], seconds: float, embedder: str) -> tuple[float, float]:
    """Pictures a second, and processor seconds a picture, of ``identify_many`` on the same pictures and gallery."""
    contents = [file.read_bytes() for file in files]
    with FaceRecognizer.open(f"{folder}/g.db", create=False, embedder=embedder) as recognizer:
        list(recognizer.identify_many(range(20), lambda i: read_image(contents[i % len(contents)])))
        start, cpu, count = time.perf_counter(), cpu_of(psutil.Process()), 0

        def endless() -> Iterator[int]:
            number = 0
            while time.perf_counter() - start < seconds:
                yield number % len(contents)
                number += 1

        for _ in recognizer.identify_many(endless(), lambda i: read_image(contents[i]), top=5):
            count += 1
        return count / (time.perf_counter() - start), (cpu_of(psutil.Process()) - cpu) / count


def main() -> None:
    """Print rates, latencies, statuses and memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="one folder a person")
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--photos", type=int, default=200, help="that are asked about, in turn")
    parser.add_argument("--embedder", default="auto")
    parser.add_argument("--idle", type=int, default=0, help="connections that say nothing, besides")
    arguments = parser.parse_args()
    folders = sorted(path for path in arguments.data.iterdir() if path.is_dir())[: arguments.people]
    files = [Path(path) for path in expand_paths([arguments.data])][:: max(1, 907 // arguments.photos)]
    with tempfile.TemporaryDirectory() as folder:
        with service(folder, ["--embedder", arguments.embedder]) as (run, address, key):
            with Client(address, key) as client:
                for person in folders:
                    client.enrol(person.name, sorted(person.iterdir())[:5])
            requests = [request_of(file, address.removeprefix("http://"), key) for file in files]
            host, port = address.removeprefix("http://").split(":")
            # Half before and half after: another load on the machine changes while this runs.
            library = [library_rate(folder, files, min(20.0, arguments.seconds), arguments.embedder)]
            memory = [psutil.Process(run.pid).memory_info().rss]
            stop = threading.Event()

            def watch() -> None:
                while not stop.wait(0.5):
                    memory.append(psutil.Process(run.pid).memory_info().rss)

            watcher = threading.Thread(target=watch)
            watcher.start()
            start, cpu = time.perf_counter(), cpu_of(psutil.Process(run.pid))
            tally = asyncio.run(load(host, int(port), requests, arguments.clients, arguments.seconds, arguments.idle))
            took, cpu = time.perf_counter() - start, cpu_of(psutil.Process(run.pid)) - cpu
            stop.set()
            watcher.join()
        library.append(library_rate(folder, files, min(20.0, arguments.seconds), arguments.embedder))
    own, own_cpu = (sum(figures) / 2 for figures in zip(*library, strict=True))
    seconds = sorted(tally.seconds)
    rate = len(seconds) / took
    refused = max(tally.refused, default=0.0)
    print(f"{arguments.clients} clients, {took:.0f} s: {dict(tally.statuses)}; refused within {1000 * refused:.0f} ms")
    print(
        f"service: {rate:.1f} pictures a second; library alone: {own:.1f} "
        f"({library[0][0]:.1f} before, {library[1][0]:.1f} after); ratio {rate / own:.2f}"
    )
    print(f"processor time a picture: service {1000 * cpu / len(seconds):.1f} ms, library {1000 * own_cpu:.1f} ms")
    for share in (0.5, 0.95, 0.99):
        print(f"p{100 * share:.0f}: {1000 * seconds[int(share * (len(seconds) - 1))]:.0f} ms")
    half = len(memory) // 2
    print(
        f"memory: {memory[0] / 1e6:.0f} MB before, at most {max(memory[:half]) / 1e6:.0f} MB in the first half, "
        f"{max(memory[half:]) / 1e6:.0f} MB in the second"
    )


if __name__ == "__main__":
    main()
