"""``knownface gallery migrate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape

from knownface.cli.common import (
    batch_size_option,
    detector_options,
    err,
    gallery_option,
    machine_options,
    out,
    part_option,
    progress,
    say,
    table,
)
from knownface.cli.outputs import OutputFile, bom_option, overwrite_option
from knownface.cli.writing import write_tables
from knownface.tables import Table

if TYPE_CHECKING:
    from knownface.enrolment import MigratedFace, Migration
    from knownface.gallery import GalleryCalibration

_SHOWN = 40


@click.command(name="migrate")
@part_option("--embedder", help="The network to change to (`knownface models list`), auto, or module:Factory.")
@detector_options
@machine_options
@batch_size_option
@click.option(
    "--leave-out", is_flag=True, help="Change also where some faces are not found again; these are set aside."
)
@click.option(
    "--learn-weights", is_flag=True, help="Weigh the gallery's joined networks by the people enrolled; needs no files."
)
@click.option("--discard", is_flag=True, help="Forget what is kept of other networks; there is no way back to them.")
@click.option(
    "--report",
    type=OutputFile(".csv", ".xlsx", fields=("source", "person")),
    help="Write what was not found again: .csv or .xlsx.",
)
@overwrite_option
@bom_option
@gallery_option
def migrate(
    embedder: str | None,
    leave_out: bool,
    learn_weights: bool,
    discard: bool,
    report: Path | None,
    gallery: str | None,
    **options: Any,
) -> int:
    """Change to another network without enrolling again.

    Every template is embedded anew, from the file that it came from or from the picture that was kept of its face.
    The gallery is searched as before until all of it is there. It may be stopped at any time: the same command goes on
    where it was. Faces that are not found again are listed, and nothing is changed, unless --leave-out is given. The
    way back is the same command with the network before, and takes no time.
    """
    if (embedder is not None) + learn_weights + discard != 1:
        raise click.UsageError("Give one of --embedder, --learn-weights and --discard.")
    return _discard(gallery) if discard else _migrate(embedder, leave_out, report, gallery, options)


def _discard(gallery: str | None) -> int:
    from knownface.gallery import Gallery
    from knownface.settings import load_settings

    with Gallery.open_by(load_settings(gallery=gallery), create=False) as opened:
        count = opened.migration.discard()
    out().print(f"{count} vectors of other networks forgotten.")
    return 0


def _migrate(
    embedder: str | None, leave_out: bool, report: Path | None, gallery: str | None, options: dict[str, Any]
) -> int:
    from knownface.detection import choose_detector
    from knownface.embedding import choose_embedder
    from knownface.enrolment import Migration, MigrationOptions, learn_join, renew_kept_faces
    from knownface.errors import OutputError
    from knownface.gallery import Gallery
    from knownface.models import ModelStore
    from knownface.models.session import usable_processors
    from knownface.settings import load_settings

    wished = load_settings(gallery=gallery).embedder
    settings = load_settings(gallery=gallery, embedder=embedder or "auto", **options)
    with Gallery.open_by(settings, create=False) as opened, progress() as bar:
        store = ModelStore(settings.models, settings.cache)
        fetching = bar.add_task("Fetching weights", total=None, visible=False)
        network, why = choose_embedder(
            settings,
            store,
            opened.contract if embedder is None else None,
            lambda done, total: bar.update(fetching, completed=done, total=total, visible=True),
        )
        bar.update(fetching, visible=False)
        if embedder is None:
            network, people = learn_join(opened, network, store.catalog)
            why = f"Embedder {network.contract.name}, with weights learnt from {people} people."
        detector, why_detector = choose_detector(settings, store)
        say(why)
        say(why_detector)
        old, calibration = opened.contract, opened.calibration
        how = MigrationOptions(settings.batch_size, settings.threads or usable_processors(), settings.max_pixels)
        # What is set aside stays so: of what is searched nothing can be lost here.
        leave_out = leave_out or embedder is None
        migration = Migration(opened, detector, network, how, leave_out=leave_out)
        if migration.done:
            say(f"{migration.done} of {migration.total} templates have a vector of {network.contract.name} already.")
        task = bar.add_task("Embedding anew", total=migration.total, completed=migration.done)
        try:
            for _ in migration:
                bar.update(task, completed=migration.done + len(migration.lost))
        finally:
            if report:
                _write_report(report, migration)
        if migration.change is not None:
            try:
                opened.build_index()
            except OutputError as error:  # it is built again when it is needed
                say(f"The index was not saved: {error.message}", style="yellow")
            renewed = renew_kept_faces(opened, detector, network, settings.max_pixels)
            if renewed:
                say(f"Embedded anew of what is held back, offered and kept of Unknowns: {renewed}.")
    _summary(migration, "" if old is None else old.name, calibration)
    if migration.change is not None and wished not in ("auto", network.contract.name):
        say(f"Your settings name the embedder {wished}: set it to {network.contract.name}, or to auto.", "yellow")
    return 1 if migration.lost else 0


def _summary(migration: Migration, before: str, calibration: GalleryCalibration | None) -> None:
    console, change, name = out(), migration.change, migration.embedder.contract.name
    if migration.lost:
        rows = table("id", "person", "source", "why", title="Not found again")
        for lost in _sorted(migration)[:_SHOWN]:
            face = lost.face
            rows.add_row(str(face.id), escape(face.person), escape(face.source), escape(lost.reason))
        console.print(rows)
        if len(migration.lost) > _SHOWN:
            err().print(f"… of {len(migration.lost)} in all; --report FILE.csv lists them.", style="dim")
    if change is None:
        console.print(
            f"Nothing was changed: {len(migration.lost)} of {migration.total} faces were not found again. Bring their "
            "files back and repeat the command, or repeat it with --leave-out: they are then set aside, not searched, "
            "until a later change of network finds them.",
            soft_wrap=True,
        )
        return
    restored = f", {change.restored} of them had been set aside" if change.restored else ""
    console.print(f"Templates of {name} now: {change.templates}{restored}.", soft_wrap=True)
    if change.set_aside:
        console.print(f"Set aside: {change.set_aside}; `knownface people show NAME` lists a person's.", soft_wrap=True)
    if change.thresholds:
        console.print(
            f"People whose own threshold was a distance of {before} and is not used: {change.thresholds}. Set it anew.",
            soft_wrap=True,
        )
    if before == name:
        return
    if calibration is not None and calibration.fingerprint != migration.embedder.contract.fingerprint:
        console.print(
            f"The calibration was made for {before} and is not used: run `knownface calibrate`.", soft_wrap=True
        )
    console.print(
        f"The way back: `knownface gallery migrate --embedder {before}`; --discard forgets what is kept for it.",
        soft_wrap=True,
    )


def _write_report(path: Path, migration: Migration) -> None:
    rows = [[lost.face.id, lost.face.person, lost.face.source, lost.reason] for lost in _sorted(migration)]
    write_tables(path, {"Not found": Table(["template", "person", "source", "reason"], rows)})


def _sorted(migration: Migration) -> list[MigratedFace]:
    return [lost for _, lost in sorted(migration.lost.items())]
