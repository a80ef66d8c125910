"""A forward proxy on loopback that connects only to addresses that are allowed: for FFmpeg, which checks none.

FFmpeg looks up a stream's name just before it connects, and follows redirects and playlists to wherever they lead.
Told to use this proxy (``CONNECT`` for TLS, RFC 9110 section 9.3.6), it resolves nothing, and each of its connections
goes to an address that was checked. TLS is spoken through it, with the server's own name and certificate.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import logging
import secrets
import selectors
import socket
import socketserver
import threading
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from knownface.errors import BadRequestError
from knownface.server.addresses import checked_addresses

_log = logging.getLogger(__name__)

_HEAD_BYTES = 16_384
_HEAD_SECONDS = 5.0
_CONNECT_SECONDS = 5.0
_SILENT_SECONDS = 30.0
"""Without a byte in either direction, after which a connection is closed; a stream counts as lost long before."""
_OWN_HEADERS = {b"connection", b"keep-alive", b"proxy-connection", b"proxy-authorization"}


@contextlib.contextmanager
def checked_proxy(allowed: Sequence[str]) -> Iterator[str]:
    """A proxy for as long as this lasts; its address, with the password without which it connects to nothing.

    Args:
        allowed: As for :func:`checked_addresses`.
    """
    password = secrets.token_urlsafe(24)
    with _Server(password, allowed) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="stream-proxy", daemon=True)
        thread.start()
        try:
            yield f"http://knownface:{password}@127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


class _RefusedError(Exception):
    def __init__(self, status: str, header: str = "") -> None:
        super().__init__(status)
        self.answer = f"HTTP/1.1 {status}\r\n{header}Content-Length: 0\r\nConnection: close\r\n\r\n".encode()


class _Handler(socketserver.BaseRequestHandler):
    server: _Server
    request: socket.socket

    def handle(self) -> None:
        """One connection, which serves one request."""
        with contextlib.suppress(OSError):
            self.request.settimeout(_HEAD_SECONDS)
            try:
                method, target, headers = self._head()
                self._check(headers)
                with self._connected(method, target) as other:
                    if method == b"CONNECT":
                        self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    else:
                        other.sendall(_forwarded(method, target, headers))
                    _relay(self.request, other)
            except _RefusedError as refused:
                self.request.sendall(refused.answer)

    def _head(self) -> tuple[bytes, bytes, list[bytes]]:
        head = b""
        while not head.endswith(b"\r\n\r\n"):  # nothing follows the head of what FFmpeg asks before it is answered
            part = self.request.recv(_HEAD_BYTES)
            if not part or len(head) + len(part) > _HEAD_BYTES:
                raise _RefusedError("400 Bad Request")
            head += part
        first, *headers = head[:-4].split(b"\r\n")
        words = first.split(b" ")
        if len(words) != 3:
            raise _RefusedError("400 Bad Request")
        return words[0], words[1], headers

    def _check(self, headers: list[bytes]) -> None:
        given = next((value for name, value in map(_header, headers) if name == b"proxy-authorization"), b"")
        if not hmac.compare_digest(given, self.server.credentials):
            raise _RefusedError("407 Proxy Authentication Required", 'Proxy-Authenticate: Basic realm="streams"\r\n')

    def _connected(self, method: bytes, target: bytes) -> socket.socket:
        try:
            address = target.decode("ascii")
            parts = urlsplit(f"//{address}" if method == b"CONNECT" else address)
            host, port = parts.hostname, parts.port or 80
        except ValueError:  # also where it is not ASCII
            host, port = None, 0
        if not host:
            raise _RefusedError("400 Bad Request")
        try:
            addresses = checked_addresses(host, port, self.server.allowed)
        except BadRequestError as error:
            _log.warning("A stream is not read: %s", error.message)
            raise _RefusedError("403 Forbidden") from error
        why = "there is no such host"
        for one in addresses:
            try:
                connected = socket.create_connection((one, port), _CONNECT_SECONDS)
            except OSError as error:
                why = error.strerror or str(error)
                continue
            connected.settimeout(_SILENT_SECONDS)
            return connected
        _log.warning("A stream cannot be reached at %s, port %d: %s.", host, port, why)
        raise _RefusedError("502 Bad Gateway")


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, password: str, allowed: Sequence[str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.allowed = allowed
        self.credentials = b"Basic " + base64.b64encode(f"knownface:{password}".encode())


def _header(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name.strip().lower(), value.strip()


def _forwarded(method: bytes, target: bytes, headers: list[bytes]) -> bytes:
    """What the server is asked: by path, for one answer, and without what was meant for us."""
    parts = urlsplit(target.decode("ascii"))
    path = parts._replace(scheme="", netloc="", path=parts.path or "/", fragment="").geturl().encode("ascii")
    kept = [line for line in headers if _header(line)[0] not in _OWN_HEADERS]
    return b"\r\n".join([b"%s %s HTTP/1.1" % (method, path), *kept, b"Connection: close", b"", b""])


def _relay(first: socket.socket, second: socket.socket) -> None:
    first.settimeout(_SILENT_SECONDS)
    with selectors.DefaultSelector() as selector:
        for way in ((first, second), (second, first)):
            selector.register(way[0], selectors.EVENT_READ, way)
        while ready := selector.select(_SILENT_SECONDS):
            for key, _ in ready:
                data = key.data[0].recv(65_536)
                if not data:
                    return
                key.data[1].sendall(data)
