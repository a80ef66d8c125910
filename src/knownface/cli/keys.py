"""``knownface keys``: who may use the service."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click
from rich.markup import escape

from knownface.cli.common import gallery_option, out, say, table

if TYPE_CHECKING:
    from knownface.law.audit import AuditLog
    from knownface.server.keys import KeyStore, Role


@click.group(name="keys", short_help="Make, list, rotate and revoke the keys of the service.")
def command() -> None:
    """Make, list, rotate and revoke the keys of the service. A running service follows within a second."""


@contextmanager
def _open(gallery: str | None, *, create: bool = False) -> Iterator[tuple[KeyStore, AuditLog]]:
    from knownface.law.audit import AuditLog
    from knownface.server.keys import KeyStore
    from knownface.settings import load_settings
    from knownface.storage import Database

    settings = load_settings(gallery=gallery)
    key, names = settings.gallery_key, settings.seal_names
    with Database.open(settings.gallery, create=create, key=key, seal_names=names) as database:
        yield KeyStore(database), AuditLog(database)


def _note(audit: AuditLog, action: str, key_id: int, role: Role | None = None) -> None:
    from knownface.law.audit import Actor

    details = {} if role is None else {"role": role}
    audit.note(Actor(None, getpass.getuser(), "local"), action, key_id, **details)


@command.command()
@click.argument("name")
@click.option(
    "--role", type=click.Choice(["device", "viewer", "operator", "admin"]), default="device", show_default=True
)
@click.option("--days", type=click.FloatRange(0, 36_500, min_open=True), help="After which it is void. Default: never.")
@gallery_option
def create(name: str, role: Role, days: float | None, gallery: str | None) -> None:
    """Make a key called NAME and show it once.

    A device asks who is on a picture; a viewer reads; an operator enrols, edits, deletes and exports; an admin manages
    keys, webhooks and the calibration, and reads the audit log. Each may do what those before it may.
    """
    expires = None if days is None else datetime.now(UTC) + timedelta(days=days)
    with _open(gallery, create=True) as (keys, audit):
        made = keys.create(name, role, expires)
        _note(audit, "key.create", made.key.id, role)
    say(f"Key {made.key.id}, {made.key.name}, {role}; it cannot be shown again:")
    out().print(made.token, markup=False, soft_wrap=True)


@command.command(name="list")
@gallery_option
def list_keys(gallery: str | None) -> None:
    """List every key, revoked ones too; never a secret."""
    now = datetime.now(UTC)
    rows = table("id", "name", "role", "key", "state", "created", "expires", "last used")
    with _open(gallery) as (keys, _):
        for key in keys.all():
            state = "valid" if key.valid(now) else "revoked" if key.revoked else "expired"
            days = [f"{day:%Y-%m-%d %H:%M}" if day else "" for day in (key.created, key.expires, key.last_used)]
            rows.add_row(str(key.id), escape(key.name), key.role, f"kf_{key.token_id}_…", state, *days)
    out().print(rows)


@command.command()
@click.argument("key_id", type=int)
@gallery_option
def rotate(key_id: int, gallery: str | None) -> None:
    """Give the key KEY_ID a new secret and show it once; the old one is void at once."""
    with _open(gallery) as (keys, audit):
        made = keys.rotate(key_id)
        _note(audit, "key.rotate", key_id)
    out().print(made.token, markup=False, soft_wrap=True)


@command.command()
@click.argument("key_id", type=int)
@gallery_option
def revoke(key_id: int, gallery: str | None) -> None:
    """Make the key KEY_ID void for good, with every browser session begun with it."""
    with _open(gallery) as (keys, audit):
        key = keys.revoke(key_id)
        _note(audit, "key.revoke", key_id)
    out().print(f"Key {key.id}, {escape(key.name)}, is void.", soft_wrap=True)
