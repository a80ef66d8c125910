"""Removing people, with receipts."""

from __future__ import annotations

from pathlib import Path

import click
from rich.markup import escape

from knownface.cli.common import Command, out
from knownface.cli.outputs import OutputFolder, claim


def removal_options(command: Command) -> Command:
    """``--yes`` and ``--receipts``."""
    text = "A folder for a signed receipt of each person (JSON), and a page to print."
    receipts = click.option("--receipts", "folder", type=OutputFolder(), help=text)
    return click.option("--yes", is_flag=True, help="Do not ask.")(receipts(command))


def remove_people(names: tuple[str, ...], folder: Path | None, gallery: str | None, *, ask: bool) -> None:
    """Remove people, after asking, and write their receipts into a folder, where one is named."""
    from knownface.gallery import Gallery
    from knownface.law.audit import note_local
    from knownface.law.receipts import removal_receipt, this_user
    from knownface.law.signing import key_file, open_key
    from knownface.settings import load_settings

    settings = load_settings(gallery=gallery)
    with Gallery.open_by(settings, create=False) as opened:
        people = [opened.person(name) for name in names]
        listed = ", ".join(f"{p.name} ({p.templates} templates)" for p in people)
        if ask:
            click.confirm(f"Remove {listed} for good? This cannot be undone.", abort=True)
        key = None
        if folder is not None:  # before anything is removed
            claim(folder)
            key = open_key(key_file(settings))
        removed = opened.remove(*dict.fromkeys(person.id for person in people))
        for one in removed:
            if one.person is not None:
                note_local(opened.database, "person.delete", one.person.id, templates=one.counts["templates"])
        out().print(f"Removed {escape(listed)}.", soft_wrap=True)
        if any(one.counts.get("person_keys") for one in removed):
            text = "Keys that were written out before still open earlier backups: write them anew with"
            out().print(f"{text} `knownface gallery backup --keys KEYS FILE`, over every copy.", soft_wrap=True)
        if folder is None or key is None:
            return
        opened.scrub()
        for one in removed:
            path = removal_receipt(opened, one, this_user(), key, settings).write(folder)
            text = f"Receipt of {escape(one.name)}: {escape(str(path))}; beside it a page to print."
            out().print(text, soft_wrap=True)
