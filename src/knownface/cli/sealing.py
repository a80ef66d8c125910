"""``knownface gallery encrypt``, ``rekey`` and ``decrypt``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from knownface.cli.common import gallery_option, out, say
from knownface.errors import SettingsError
from knownface.wording import plural

if TYPE_CHECKING:
    from knownface.gallery.sealing import SealChange

_SOURCES = """KEY is where the key comes from: file:PATH (made with a random key if there is no such file),
env:VARIABLE, command:COMMAND or prompt."""


@click.command(
    help=f"Encrypt templates, pictures, external ids and more in the gallery.\n\n{_SOURCES} Default: gallery_key."
)
@click.argument("key", required=False)
@click.option("--names", is_flag=True, help="Seal names too, and paths and texts that may hold one.")
@gallery_option
def encrypt(key: str | None, names: bool, gallery: str | None) -> None:
    """See the command's help."""
    from knownface.evaluation.face_cache import delete_cache
    from knownface.gallery.sealing import encrypt_gallery
    from knownface.settings import load_settings

    settings = load_settings(gallery=gallery)
    source = key or settings.gallery_key
    if source is None:
        raise SettingsError("No key is named.", "Name where it comes from, such as file:gallery.key.")
    _make(source)
    done = encrypt_gallery(settings, source, names=names or settings.seal_names)
    delete_cache(settings)
    out().print(f"{plural(done.records, 'record')} encrypted.")
    _tell(done)
    if settings.gallery_key != source:
        say(f'Set gallery_key = "{source}" in knownface.toml, or KNOWNFACE_GALLERY_KEY: every program needs it now.')


@click.command(help=f"Give an encrypted gallery another key or passphrase.\n\n{_SOURCES}")
@click.argument("key")
@click.option(
    "--records", is_flag=True, help="Seal every record anew too, where somebody may have had the key and a copy."
)
@click.option("--names/--open-names", default=None, help="Seal names too, or no more; every record is sealed anew.")
@gallery_option
def rekey(key: str, records: bool, names: bool | None, gallery: str | None) -> None:
    """See the command's help."""
    from knownface.gallery.sealing import rekey_gallery
    from knownface.settings import load_settings

    settings = load_settings(gallery=gallery)
    _make(key)
    done = rekey_gallery(settings, key, records=records, names=names)
    anew = f", and {plural(done.records, 'record')} sealed anew" if done.records else ""
    out().print(f"The gallery has another key{anew}.")
    _tell(done)
    if settings.gallery_key != key:
        say(f'Set gallery_key = "{key}" now. Backups made before still open with the former key.')


@click.command()
@gallery_option
def decrypt(gallery: str | None) -> None:
    """Decrypt the gallery: from then on it can be read without a key."""
    from knownface.gallery.sealing import decrypt_gallery
    from knownface.settings import load_settings

    done = decrypt_gallery(load_settings(gallery=gallery))
    out().print(f"{plural(done.records, 'record')} decrypted.")
    _tell(done)


def _make(source: str) -> None:
    from knownface.storage.sealing.keys import make_key_file

    if make_key_file(source):
        path = source.partition(":")[2]
        say(f"A new key was written to {path}. Keep a copy in a safe place: without it nobody can open the gallery.")


def _tell(done: SealChange) -> None:
    for record in done.damaged:
        say(f"Damaged: {record}", style="yellow")
    if not done.scrubbed:
        text = "Another program is reading the gallery, so that the former records are not yet overwritten in its file."
        say(f"{text} Stop it, then run `knownface gallery scrub`.", style="yellow")
