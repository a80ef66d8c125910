"""``knownface law``: papers that data protection law asks for, filled from the settings."""

from __future__ import annotations

from pathlib import Path

import click
from rich.markup import escape

from knownface.cli.common import contract_of, gallery_option, out, say
from knownface.cli.outputs import OutputFile, overwrite_option
from knownface.cli.writing import write_text


@click.group(name="law", short_help="Write papers that data protection law asks for.")
def command() -> None:
    """Write papers that data protection law asks for, as pages to print: what the program knows is filled in."""


@command.command()
@click.option("--out", "file", type=OutputFile(".html"), default="record.html", show_default=True, help="The page.")
@overwrite_option
@gallery_option
def record(file: Path, gallery: str | None) -> None:
    """Write the record of processing activities (GDPR Art. 30)."""
    from knownface.gallery import Gallery
    from knownface.law.records import record_page
    from knownface.settings import load_settings

    settings = load_settings(gallery=gallery)
    with Gallery.open_by(settings, create=False) as opened:
        write_text(file, record_page(opened, settings))
    _written(file, controller=settings.controller)


@command.command()
@click.option("--out", "file", type=OutputFile(".html"), default="assessment.html", show_default=True, help="The page.")
@overwrite_option
@gallery_option
def assessment(file: Path, gallery: str | None) -> None:
    """Write the outline of an impact assessment (GDPR Art. 35)."""
    from knownface.gallery import Gallery
    from knownface.law.records import assessment_page
    from knownface.parameters import notes_on
    from knownface.settings import load_settings

    settings = load_settings(gallery=gallery)
    with Gallery.open_by(settings, create=False) as opened:
        contract, calibration = contract_of(opened, settings), opened.calibration
        opened.index.measure()
        known = [] if calibration is None else [calibration.sentence]
        if contract is not None:
            known += notes_on(opened.index.snapshot(), calibration, contract, settings)
        none = ["Nothing was measured: `knownface evaluate` and `knownface calibrate` do on your own people."]
        write_text(file, assessment_page(opened, settings, known or none))
    _written(file, controller=settings.controller)


def _written(file: Path, *, controller: str) -> None:
    out().print(f"Written: {escape(str(file))}", soft_wrap=True)
    if not controller:
        say("Set controller and privacy_contact first, so that they stand on it.", style="yellow")
