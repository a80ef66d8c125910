"""``knownface serve``: the service and its page."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from knownface.cli.common import open_recognizer, out, recognizer_options, rule_options, say
from knownface.errors import MissingExtraError

if TYPE_CHECKING:
    from knownface.recognizer import FaceRecognizer
    from knownface.settings import ServeSettings


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
        from knownface.server.running import open_service
        from knownface.server.serving import bound_socket, make_server, run
    except ImportError as error:
        raise MissingExtraError(f"The service needs {error.name}, which is not installed.", "server") from error
    given = {key: value for key, value in wanted.items() if value not in (None, ())}
    configured = load_settings(serve=given or None)
    options["max_pixels"] = min(configured.max_pixels, configured.serve.max_upload_pixels)
    # The socket comes first: a port that is taken is reported before weights are loaded.
    with (
        bound_socket(configured.serve) as listening,
        open_recognizer(gallery, serve=given or None, **options) as recognizer,
    ):
        settings = recognizer.settings.serve
        with open_service(recognizer) as (service, housekeeping):
            tls, notes = _certificate(recognizer)
            scheme = "http" if tls is None else "https"
            host = settings.host if settings.host not in {"0.0.0.0", "::"} else "localhost"  # noqa: S104 - compared
            address = f"{scheme}://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"

            def started() -> None:
                out().print(f"knownface answers at {address}/", soft_wrap=True)
                for note in notes:
                    say(note)
                _first_key(service.keys, service.audit, address)
                service.authenticator.refresh()
                if scheme == "http" and not _is_loopback(settings.host):
                    say("Without TLS keys and faces cross the network unprotected, and browsers give no camera to it.")

            run(make_server(service, tls), housekeeping, listening, started)
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


def _first_key(keys: Any, audit: Any, address: str) -> None:
    from knownface.law.audit import Actor

    if keys.all():
        return
    made = keys.create("first administrator", "admin")
    audit.note(Actor(None, getpass.getuser(), "local"), "key.create", made.key.id, role="admin")
    console = out()
    console.print(f"Administrator's key, shown only now: {made.token}", soft_wrap=True, markup=False)
    console.print(f"Sign in at {address}/sign-in#key={made.token}", soft_wrap=True, markup=False)


def _is_loopback(host: str) -> bool:
    return host in {"localhost", "::1"} or host.startswith("127.")
