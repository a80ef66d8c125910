"""``knownface receipt``: checking what was handed out when somebody was removed."""

from __future__ import annotations

from pathlib import Path

import click
from rich.markup import escape

from knownface.cli.common import gallery_option, out, say
from knownface.cli.outputs import OutputFile, json_option, overwrite_option
from knownface.cli.writing import write_json, write_text


@click.group(name="receipt", short_help="Check receipts of removals; show the key that signs them.")
def command() -> None:
    """Check receipts of removals, and hand out the key by which others can."""


@command.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--key", "key_file", type=click.Path(path_type=Path, dir_okay=False),
              help="The public key of whoever handed it out. Default: this gallery's, where there is one.")  # fmt: skip
@json_option("key", "statement", help="Write what was signed.")
@overwrite_option
@gallery_option
def verify(file: Path, key_file: Path | None, json_file: Path | None, gallery: str | None) -> None:
    """Check that not one character of the receipt FILE (JSON) was altered, and who signed it."""
    from knownface.errors import UnreadableError
    from knownface.law.receipt_page import kind_text
    from knownface.law.signing import key_file as own_key_file
    from knownface.law.signing import read_public_key
    from knownface.law.signing import verify as check
    from knownface.settings import load_settings

    try:
        text = file.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableError(f"{file} cannot be read: {error}.") from error
    own = own_key_file(load_settings(gallery=gallery))
    known = key_file or (own if own.exists() else None)
    verified = check(text, None if known is None else read_public_key(known))
    if json_file is not None:
        write_json(json_file, {"key": verified.fingerprint, "statement": verified.statement})
        return
    statement = verified.statement
    name = (statement.get("person") or {}).get("name")
    said = f"{statement['what']}{f', {name}' if name else ''}, {statement['at']}, by {statement['by']}"
    out().print(f"Unaltered: {escape(said)}.", soft_wrap=True)
    for kind, count in (statement.get("removed") or {}).items():
        out().print(f"  {escape(kind_text(kind))}: {count:,}", soft_wrap=True)
    if known is None:
        say(f"Signed by the key {verified.fingerprint}: ask whoever handed it out whether that is theirs.")
    else:
        say(f"Signed by the key {verified.fingerprint}, which {known} holds.")


@command.command()
@click.option("--out", "file", type=OutputFile(".pem"), help="A file to write it to, instead of standard output.")
@overwrite_option
@gallery_option
def key(file: Path | None, gallery: str | None) -> None:
    """Write the public key, PEM, by which anybody can check this gallery's receipts; makes it where there is none."""
    from knownface.law.signing import fingerprint_of, key_file, open_key, public_pem
    from knownface.settings import load_settings

    public = open_key(key_file(load_settings(gallery=gallery))).public_key()
    write_text(file or Path("-"), public_pem(public))
    say(f"Its fingerprint is {fingerprint_of(public)}.")
