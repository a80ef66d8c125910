"""The proxy by which this program reads http(s) streams, if it has one of its own."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

_OPENCV = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
_proxies: list[str] = []
_before: dict[str, str | None] = {}


@contextlib.contextmanager
def streams_through(proxy: str) -> Iterator[None]:
    """Have all http(s) streams that are opened meanwhile, in the whole program, read through a proxy.

    OpenCV hands options to FFmpeg in the environment only. Proxies that the environment names are not used for streams
    then, and neither are exceptions from them. Of several that overlap the last one begun counts.

    Args:
        proxy: Its address, ``http://USER:PASSWORD@HOST:PORT``.
    """
    if not _proxies:
        _before.update({name: os.environ.pop(name, None) for name in (_OPENCV, "no_proxy")})
    _proxies.append(proxy)
    _tell()
    try:
        yield
    finally:
        _proxies.remove(proxy)
        _tell()


def _tell() -> None:
    if _proxies:
        os.environ[_OPENCV] = f"{_before[_OPENCV] or 'rtsp_transport;tcp'}|http_proxy;{_proxies[-1]}"
        return
    for name, value in _before.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value


def is_proxied() -> bool:
    """Whether streams are read through a proxy at present."""
    return bool(_proxies)


def environment() -> dict[str, str] | None:
    """What a program that reads a stream is started with, so that it uses the proxy; None without one."""
    return {**os.environ, "http_proxy": _proxies[-1], "no_proxy": ""} if _proxies else None
