"""Which sources the service watches for whoever asks: files below one folder, streams at addresses that are allowed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from knownface.errors import BadRequestError, SourceUnavailableError, UnsupportedError
from knownface.media import Source, parse_source
from knownface.media.sources import STREAM_PORTS
from knownface.server.addresses import checked_addresses


@dataclass(frozen=True, slots=True)
class SourceRules:
    """What may be watched.

    Attributes:
        folder: Videos and folders of frames lie below it; None: none of them is watched.
        networks: That are allowed although they are refused otherwise, see :func:`checked_addresses`.
    """

    folder: Path | None
    networks: tuple[str, ...] = ()

    def admit(self, address: str) -> str:
        """The address to be kept of a source that somebody asks for; files get their whole path.

        Raises:
            UnsupportedError: It is no address, or a file elsewhere. Whether that file exists is not said.
            BadRequestError: It leads to an address that is refused.
        """
        source = parse_source(address)
        if source.kind == "stream":
            self._addresses(source)
            return address
        return address if source.kind == "camera" else str(self._inside(address))

    def resolve(self, source: Source) -> Source:
        """A source just before it is opened: where its name may have come to lead since it was admitted, it is not.

        An RTSP address then names the IP address that was checked. HTTP streams, whose servers want to hear their name,
        are read through a proxy that checks where it connects to (:mod:`knownface.server.checked_proxy`).

        Raises:
            UnsupportedError: It is a file elsewhere.
            SourceUnavailableError: It leads to an address that is refused.
        """
        if source.kind in {"video", "folder"}:
            self._inside(source.address)
        if source.kind != "stream":
            return source
        try:
            addresses = self._addresses(source)
        except BadRequestError as error:
            raise SourceUnavailableError(error.message, error.hint) from error
        parts = urlsplit(source.address)
        if parts.scheme.lower() not in {"rtsp", "rtsps"} or not addresses:
            return source
        user, at, _ = parts.netloc.rpartition("@")
        host = f"[{addresses[0]}]" if ":" in addresses[0] else addresses[0]
        port = "" if parts.port is None else f":{parts.port}"
        return replace(source, address=parts._replace(netloc=f"{user}{at}{host}{port}").geturl())

    def shown(self, source: Source) -> str:
        """What people are told of where a source is: of a file what stands below the folder."""
        if source.kind not in {"video", "folder"}:
            return source.name
        path = Path(source.address)
        if self.folder is not None and path.is_relative_to(self.folder.resolve()):
            return path.relative_to(self.folder.resolve()).as_posix()
        return path.name

    def _addresses(self, source: Source) -> list[str]:
        parts = urlsplit(source.address)
        return checked_addresses(parts.hostname or "", parts.port or STREAM_PORTS[parts.scheme.lower()], self.networks)

    def _inside(self, address: str) -> Path:
        if self.folder is not None and "\0" not in address:
            root = self.folder.resolve()
            path = (root / address).resolve()
            if path.is_relative_to(root):
                return path
        raise UnsupportedError(
            "Only files below the folder for sources can be watched.",
            "The setting serve.source_folder names it on the service's machine; `knownface watch` reads any file.",
        )
