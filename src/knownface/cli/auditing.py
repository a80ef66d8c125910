"""Commands that change or hand out something are noted in the audit log of their gallery, as requests are."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

import click

from knownface.errors import KnownFaceError

_log = logging.getLogger(__name__)

_ONLY_LOOK = """
alerts list, alerts log, alerts pending, attendance greet, attendance hours, attendance list, attendance report, audit,
doctor, gallery index, gallery info, gallery scrub, history, identify, law assessment, law record, people consent list,
people list, people show, receipt key, receipt verify, review list, samples list, serve,
sightings list, sightings unknowns, verify, watch
"""
_NOTE_IT_THEMSELVES = """
alerts confirm, alerts reject, keys create, keys list, keys revoke, keys rotate, law retention, people consent give,
people consent withdraw, people export-data, people remove
"""
_LEFT_OUT = {name.strip() for name in f"{_ONLY_LOOK},{_NOTE_IT_THEMSELVES}".split(",")}


def note_when_done(ctx: click.Context, _parameter: click.Parameter, gallery: str | None) -> str | None:
    """Note the command once it has succeeded, with the names of its options, never a value; click's callback."""
    command = ctx.command_path.partition(" ")[2]
    if command not in _LEFT_OUT and not ctx.resilient_parsing:
        ctx.with_resource(_noting(ctx, command.replace(" ", "."), gallery))
    return gallery


@contextlib.contextmanager
def _noting(ctx: click.Context, command: str, gallery: str | None) -> Iterator[None]:
    yield
    from knownface.law.audit import note_local
    from knownface.settings import load_settings
    from knownface.storage import Database
    from knownface.storage.location import MEMORY

    try:
        settings = load_settings(gallery=gallery)
        location = settings.gallery
        if location == MEMORY or ("://" not in location and not Path(location).expanduser().exists()):
            return
        command_line = click.core.ParameterSource.COMMANDLINE
        given = sorted(name for name in ctx.params if ctx.get_parameter_source(name) is command_line)
        with Database.open(location, create=False, key=settings.gallery_key) as database:
            note_local(database, f"cli.{command}"[:50], given=", ".join(given))
    except KnownFaceError as error:
        _log.warning("The command is not in the audit log: %s", error.message)
