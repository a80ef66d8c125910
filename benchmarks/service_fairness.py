"""Another key's identify while one key floods the service: large pictures, cameras, connections that say nothing."""

from __future__ import annotations

import argparse
import asyncio
import io
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from PIL import Image as PilImage
from service_load import Tally, one_client, request_of, service, silent
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from knownface.client import Client
from knownface.media import expand_paths


async def camera(address: str, key: str, picture: bytes, end: float, told: Counter[str]) -> None:
    """A camera that sends its next picture as soon as the last one was answered; closed out, it comes again."""
    while time.monotonic() < end:
        try:
            async with connect(
                f"ws://{address}/v1/live/camera", additional_headers={"Authorization": f"Bearer {key}"}
            ) as socket:
                await socket.recv()
                while time.monotonic() < end:
                    await socket.send(picture)
                    await socket.recv()
                    told["answered"] += 1
        except ConnectionClosed as closed:
            told[str(closed.rcvd.code if closed.rcvd else "lost")] += 1
            await asyncio.sleep(1)
        except (OSError, TimeoutError) as error:
            told[type(error).__name__] += 1
            await asyncio.sleep(1)


def percentile(seconds: list[float], share: float) -> float:
    """A share of all took no longer, in seconds."""
    return sorted(seconds)[int(share * (len(seconds) - 1))]


async def measure(arguments: argparse.Namespace, address: str, keys: dict[str, str], bomb: Path) -> None:
    """Idle, then flooded; print what the other key waits."""
    host, port = address.split(":")
    photos = [Path(path) for path in expand_paths([arguments.data])][::11]
    asked = [request_of(photo, address, keys["victim"]) for photo in photos]
    large = [request_of(bomb, address, keys["flood"])]
    frame = photos[0].read_bytes()
    await one_client(host, int(port), asked, 0, time.monotonic() + 3, Tally())
    idle, flooded, flood, told = Tally(), Tally(), Tally(), Counter[str]()
    for _ in range(arguments.rounds):  # in turns: how busy the machine is otherwise may change
        await one_client(host, int(port), asked, 0, time.monotonic() + arguments.seconds, idle)
        end = time.monotonic() + arguments.seconds + 2
        work = [one_client(host, int(port), large, 0, end, flood, pause=0.5) for _ in range(arguments.in_flight)]
        work += [camera(address, keys["flood"], frame, end, told) for _ in range(arguments.cameras)]
        work += [silent(arguments.silent_host, int(port), end) for _ in range(arguments.silent)]
        flooding = asyncio.gather(*work)
        await asyncio.sleep(2)
        await one_client(host, int(port), asked, 0, end, flooded)
        flooding.cancel()
        with suppress(asyncio.CancelledError):
            await flooding
        await asyncio.sleep(3)
    for name, tally in (("idle", idle), ("flooded", flooded), ("the flood itself", flood)):
        shares = (0.5, 0.95, 1.0) if tally.seconds else ()
        shown = ", ".join(f"p{100 * share:.0f} {1000 * percentile(tally.seconds, share):.0f}" for share in shares)
        print(f"{name}: {len(tally.seconds)} answers {dict(tally.statuses)}, {shown} ms")
    print(f"pictures of cameras: {dict(told)}")
    print(f"p95 flooded / idle: {percentile(flooded.seconds, 0.95) / percentile(idle.seconds, 0.95):.2f}")


def main() -> None:
    """Print both latencies and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="one folder a person")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--in-flight", type=int, default=24, help="requests with a PNG of 39.7 megapixels")
    parser.add_argument("--cameras", type=int, default=32)
    parser.add_argument("--silent", type=int, default=0, help="connections that say nothing")
    parser.add_argument("--silent-host", default="127.0.0.1")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bomb = Path(folder) / "bomb.png"
        content = io.BytesIO()
        PilImage.new("1", (6300, 6300)).save(content, "PNG")
        bomb.write_bytes(content.getvalue())
        with service(folder, []) as (_, address, admin), Client(address, admin) as client:
            for person in sorted(path for path in arguments.data.iterdir() if path.is_dir())[:20]:
                client.enrol(person.name, sorted(person.iterdir())[:3])
            keys = {
                name: client.request("POST", "keys", json={"name": name, "role": "device"})["token"]
                for name in ("flood", "victim")
            }
            asyncio.run(measure(arguments, address.removeprefix("http://"), keys, bomb))


if __name__ == "__main__":
    main()
