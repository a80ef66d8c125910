"""``knownface serve``: the service and its page."""

from __future__ import annotations

import contextlib
import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from knownface.cli.common import open_recognizer, out, recognizer_options, rule_options, say
from knownface.errors import MissingExtraError, SettingsError

if TYPE_CHECKING:
    from knownface.recognizer import FaceRecognizer
    from knownface.server.context import Service
    from knownface.settings import ServeSettings, Settings


@click.command(name="serve", short_help="Answer the REST interface and the page.")
@click.option("--host", help="Address to listen on; 0.0.0.0 for the whole network. Default: this machine only.")
@click.option("--port", type=click.IntRange(0, 65535), help="Default: 8420; 0: any free one.")
@click.option("--tls", type=click.Choice(["off", "self-signed"]), help="self-signed: with a certificate of its own.")
@click.option("--tls-cert", type=click.Path(path_type=Path), help="PEM file with the certificate and its chain.")
@click.option("--tls-key", type=click.Path(path_type=Path), help="PEM file with its key.")
@click.option("--name", "names", multiple=True, help="A host name that the service is reached by.")
@click.option("--behind-proxy", multiple=True, metavar="ADDRESS", help="A reverse proxy that is to be believed.")
@click.option(
    "--challenge",
    type=click.Choice(["off", "turn"]),
    help="turn: kiosks ask for a turn of the head before they name.",
)
@recognizer_options
@rule_options
def command(gallery: str | None, **options: Any) -> None:
    """Answer the REST interface and the page, until Ctrl-C.

    The first start makes an administrator's key and shows it once. Nothing leaves this machine unless --host says so.
    """
    from knownface.settings import load_settings

    own = ("host", "port", "tls", "tls_cert", "tls_key", "names", "behind_proxy", "challenge")
    wanted = {key: options.pop(key) for key in own}
    try:
        from knownface.server.running import open_services
        from knownface.server.serving import bound_socket, make_server, run
    except ImportError as error:
        raise MissingExtraError(f"The service needs {error.name}, which is not installed.", "server") from error
    given = {key: value for key, value in wanted.items() if value not in (None, ())}
    configured = load_settings(serve=given or None)
    options["max_pixels"] = min(configured.max_pixels, configured.serve.max_upload_pixels)
    # The socket comes first: a port that is taken is reported before weights are loaded.
    with (
        bound_socket(configured.serve) as listening,
        contextlib.ExitStack() as stack,
    ):
        recognizer = stack.enter_context(open_recognizer(gallery, serve=given or None, **options))
        settings = recognizer.settings.serve
        recognizers = {"": recognizer}
        for collection, place in _further_galleries(recognizer.settings).items():
            recognizers[collection] = beside = stack.enter_context(recognizer.beside(place))
            say(f"Collection {collection!r}: {beside.gallery}")
        with open_services(recognizers) as opened_services:
            services = [service for service, _ in opened_services]
            tls, notes = _certificate(recognizer)
            scheme = "http" if tls is None else "https"
            host = settings.host if settings.host not in {"0.0.0.0", "::"} else "localhost"  # noqa: S104 - compared
            address = f"{scheme}://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"

            def started() -> None:
                out().print(f"knownface answers at {address}/", soft_wrap=True)
                for note in notes:
                    say(note)
                for service in services:
                    _first_key(service, address)
                if scheme == "http" and not _is_loopback(settings.host):
                    say("Without TLS keys and faces cross the network unprotected, and browsers give no camera to it.")

            run(make_server(services, listening, tls), [keeping for _, keeping in opened_services], started)
    say("Stopped.")


def _certificate(recognizer: FaceRecognizer) -> tuple[tuple[Path, Path] | None, list[str]]:
    settings: ServeSettings = recognizer.settings.serve
    if settings.tls_cert is not None and settings.tls_key is not None:
        return (settings.tls_cert, settings.tls_key), []
    if settings.tls == "off":
        return None, []
    from knownface.server.tls import own_addresses, self_signed

    certificate, key, digest = self_signed(recognizer.settings.cache / "tls", settings.names)
    others = ", ".join(address for address in own_addresses() if not _is_loopback(address)) or "none"
    return (certificate, key), [
        f"The certificate is this program's own. Its SHA-256 is {digest}.",
        f"From a phone on the same network open https://ADDRESS:{settings.port}/, where ADDRESS is one of this "
        f"machine's: {others}. Compare the fingerprint and accept the browser's warning once.",
    ]


def _further_galleries(settings: Settings) -> dict[str, str]:
    """Those that are served besides, by the names of their collections."""
    places = [settings.gallery, *settings.serve.collections.values()]
    if twice := next((place for place in places if places.count(place) > 1), None):
        raise SettingsError(f"serve.collections: {twice} is served twice.", "Name each gallery once.")
    return settings.serve.collections


def _first_key(service: Service, address: str) -> None:
    from knownface.law.audit import Actor

    if service.keys.all():
        return
    made = service.keys.create("first administrator", "admin")
    service.audit.note(Actor(None, getpass.getuser(), "local"), "key.create", made.key.id, role="admin")
    service.authenticator.refresh()
    console, whose = out(), f" of the collection {service.collection!r}" if service.collection else ""
    console.print(f"Administrator's key{whose}, shown only now: {made.token}", soft_wrap=True, markup=False)
    console.print(f"Sign in at {address}/sign-in#key={made.token}", soft_wrap=True, markup=False)


def _is_loopback(host: str) -> bool:
    return host in {"localhost", "::1"} or host.startswith("127.")
