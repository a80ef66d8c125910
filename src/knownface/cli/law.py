"""``knownface law``: papers that data protection law asks for, filled from the settings."""

from __future__ import annotations

from pathlib import Path

import click
from rich.markup import escape

from knownface.cli.common import contract_of, gallery_option, out, say
from knownface.cli.outputs import OutputFile, OutputFolder, claim, json_option, overwrite_option
from knownface.cli.writing import write_json, write_text


@click.group(name="law", short_help="Papers for data protection; what has been kept long enough.")
def command() -> None:
    """Do what data protection law asks for: papers with what the program knows filled in; removing what is overdue."""


@command.command()
@click.option("--out", "file", type=OutputFile(".html"), default="record.html", show_default=True, help="The page.")
@overwrite_option
@gallery_option
def record(file: Path, gallery: str | None) -> None:
    """Write the record of processing activities (GDPR Art. 30)."""
    from knownface.gallery import Gallery
    from knownface.gallery.own_settings import settings_in_force
    from knownface.law.records import record_page
    from knownface.settings import load_settings

    settings = load_settings(gallery=gallery)
    with Gallery.open_by(settings, create=False) as opened:
        settings = settings_in_force(opened.database, settings)
        write_text(file, record_page(opened, settings))
    _written(file, controller=settings.controller)


@command.command()
@click.option("--out", "file", type=OutputFile(".html"), default="assessment.html", show_default=True, help="The page.")
@overwrite_option
@gallery_option
def assessment(file: Path, gallery: str | None) -> None:
    """Write the outline of an impact assessment (GDPR Art. 35)."""
    from knownface.gallery import Gallery
    from knownface.gallery.own_settings import settings_in_force
    from knownface.law.records import assessment_page
    from knownface.parameters import notes_on
    from knownface.settings import load_settings

    settings = load_settings(gallery=gallery)
    with Gallery.open_by(settings, create=False) as opened:
        settings = settings_in_force(opened.database, settings)
        contract, calibration = contract_of(opened, settings), opened.calibration
        opened.index.measure()
        known = [] if calibration is None else [calibration.sentence]
        if contract is not None:
            known += notes_on(opened.index.snapshot(), calibration, contract, settings)
        none = ["Nothing was measured: `knownface evaluate` and `knownface calibrate` do on your own people."]
        write_text(file, assessment_page(opened, settings, known or none))
    _written(file, controller=settings.controller)


@command.command()
@click.option("--run", is_flag=True, help="Remove it. Without this it is only shown.")
@click.option(
    "--receipts", "folder", type=OutputFolder(), help="A folder for a signed certificate, and a page to print."
)
@json_option("people", "templates", help="Write how many of each kind.")
@overwrite_option
@gallery_option
def retention(run: bool, folder: Path | None, json_file: Path | None, gallery: str | None) -> None:
    """Show what has been kept long enough by the settings, or remove it with --run; the service does so every hour."""
    from knownface.gallery import Gallery
    from knownface.gallery.own_settings import settings_in_force
    from knownface.law.audit import note_local
    from knownface.law.receipt_page import kind_text
    from knownface.law.receipts import retention_receipt, this_user
    from knownface.law.retention import find_overdue, remove_overdue
    from knownface.law.signing import key_file, open_key
    from knownface.settings import load_settings

    settings = load_settings(gallery=gallery)
    with Gallery.open_by(settings, create=False) as opened:
        settings = settings_in_force(opened.database, settings)
        key = None
        if run and folder is not None:
            claim(folder)
            key = open_key(key_file(settings))
        found = remove_overdue(opened, settings) if run else find_overdue(opened, settings)
        if run:
            for person_id, _, _ in found.people:
                note_local(opened.database, "person.retention", person_id)
            note_local(opened.database, "retention", **found.to_dict())
        written = None
        if folder is not None and key is not None:
            opened.scrub()
            written = retention_receipt(opened, found, this_user(), key, settings).write(folder)
    if json_file is not None:
        write_json(json_file, found.to_dict())
        return
    for _, name, why in found.people:
        out().print(escape(f"{name}: {why}"), soft_wrap=True)
    for kind, count in found.to_dict().items():
        if count:
            out().print(f"{escape(kind_text(kind))}: {count:,}", soft_wrap=True)
    say(("Removed." if run else "Nothing was removed: --run does.") if found else "Nothing is overdue.")
    if written is not None:
        out().print(f"Certificate: {escape(str(written))}; beside it a page to print.", soft_wrap=True)


def _written(file: Path, *, controller: str) -> None:
    out().print(f"Written: {escape(str(file))}", soft_wrap=True)
    if not controller:
        say("Set controller and privacy_contact first, so that they stand on it.", style="yellow")
