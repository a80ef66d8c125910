"""``knownface gallery``: the file in which people are kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.markup import escape

from knownface.cli.common import contract_of, gallery_option, out, say, table
from knownface.cli.migrate import migrate
from knownface.cli.outputs import OutputFile, json_option, may_overwrite, overwrite_option
from knownface.cli.sealing import decrypt, encrypt, rekey
from knownface.cli.writing import write_json
from knownface.errors import GalleryError, GalleryLockedError

if TYPE_CHECKING:
    from knownface.settings import Settings

_SAVED = {True: "can be used", False: "none that can be used"}


@click.group(name="gallery", short_help="Describe, back up, restore, migrate and encrypt the gallery.")
def command() -> None:
    """Describe, back up, restore, export and encrypt a gallery, and change its network."""


for _command in (migrate, encrypt, rekey, decrypt):
    command.add_command(_command)


def _settings(gallery: str | None) -> Settings:
    from knownface.settings import load_settings

    return load_settings(gallery=gallery)


@command.command()
@json_option("location", help="Write the same.")
@overwrite_option
@gallery_option
def info(json_file: Path | None, gallery: str | None) -> None:
    """Show how many people and templates there are, which embedder filled it, and where it lies."""
    from knownface.gallery import Gallery
    from knownface.parameters import notes_on, rule_in_force

    settings = _settings(gallery)
    with Gallery.open_by(settings, create=False) as opened:
        facts, calibration, contract = opened.info(), opened.calibration, contract_of(opened, settings)
        opened.index.measure()  # a gallery of an earlier version holds no measurement
        snapshot = opened.index.snapshot()
        others, aside = opened.migration.others(), len(opened.template_store.set_aside())
    found = None if contract is None else rule_in_force(snapshot, contract, settings)
    notes = () if contract is None else notes_on(snapshot, calibration, contract, settings)
    if json_file is not None:
        fits = contract is not None and calibration is not None and calibration.fingerprint == contract.fingerprint
        measured = calibration and {"sentence": calibration.sentence, "fits": fits}
        in_force = found and {"threshold": found.rule.threshold, "source": found.source, "fpir": found.fpir}
        write_json(json_file, {**facts.to_dict(), "calibration": measured, "in_force": in_force})
        return
    rows = table("fact", "value")
    for key, value in (
        ("gallery", facts.location),
        ("people", facts.people),
        ("templates", facts.templates),
        ("counter-examples", facts.negatives),
        (
            "embedder",
            f"{contract.name}, {contract.dim} numbers, licence {contract.licence}" if contract else "none yet",
        ),
        ("fingerprint", contract.fingerprint[:16] if contract else ""),
        *[("also kept of", f"{other.name}: {other.templates} templates") for other in others],
        *([("set aside", f"{aside} templates that {contract.name} has no vector of")] if aside and contract else []),
        ("threshold", "" if found is None else f"{found.rule.threshold:.3f}"),
        ("Unknown", " ".join(notes)),
        *([("measured", calibration.sentence)] if calibration else []),
        ("encrypted", "yes" if facts.encrypted else "no"),
        ("schema", facts.schema),
        ("MB on disk", "" if facts.size is None else f"{facts.size / 1e6:.1f}"),
        ("index", facts.index),
        *([] if facts.index_saved is None else [("saved index", _SAVED[facts.index_saved])]),
    ):
        rows.add_row(key, escape(str(value)))
    out().print(rows)


@command.command()
@click.argument("file", type=OutputFile(".db", ".sqlite", ".sqlite3"))
@click.option(
    "--keys",
    type=OutputFile(".keys"),
    help="Write the people's keys here and not into FILE: who is removed later cannot be brought back from FILE. "
    "An earlier file is replaced. Of an encrypted gallery only.",
)
@overwrite_option
@gallery_option
def backup(file: Path, keys: Path | None, gallery: str | None) -> None:
    """Copy the gallery to FILE, also while it is in use. The copy holds everybody's templates: keep it as safe."""
    from knownface.gallery import Gallery
    from knownface.gallery.sealing import backup_with_keys_apart

    settings, overwrite = _settings(gallery), may_overwrite(click.get_current_context())
    with Gallery.open_by(settings, create=False) as opened:
        if keys is None:
            opened.backup(file, overwrite=overwrite)
            if opened.database.sealer is not None:
                say("Who is removed later can be brought back from this copy; with --keys FILE they cannot.")
        else:
            backup_with_keys_apart(opened, settings.gallery_key or "", file, keys, overwrite=overwrite)
    out().print(f"Backed up to {escape(str(file))}.", soft_wrap=True)


@command.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--keys",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The people's keys, as `backup --keys` wrote them; otherwise those of the gallery that is there count.",
)
@gallery_option
def restore(file: Path, keys: Path | None, gallery: str | None) -> None:
    """Replace the gallery by the backup FILE; the present one is kept beside it."""
    from knownface.gallery import Gallery
    from knownface.gallery.sealing import people_keys

    settings = _settings(gallery)
    location = settings.gallery
    secrets = people_keys(settings, file, keys)
    done = Gallery.restore(file, location, key=settings.gallery_key, secrets=secrets)
    before = f" The gallery that was there is kept as {done.kept}." if done.kept else ""
    out().print(escape(f"{location} is restored from {file}.{before}"), soft_wrap=True)
    if done.left_out:
        names = ", ".join(done.left_out)
        text = f"Not brought back, since their keys are destroyed: {names}. Everybody else is there."
        out().print(escape(text), soft_wrap=True)


@command.command()
@gallery_option
def index(gallery: str | None) -> None:
    """Build the search index afresh and save it beside the gallery."""
    from knownface.gallery import Gallery

    with Gallery.open_by(_settings(gallery), create=False) as opened:
        count = opened.build_index()
    out().print(f"Index of {count} templates built.")


@command.command()
@gallery_option
def scrub(gallery: str | None) -> None:
    """Overwrite the last traces of what was removed from a large gallery, without waiting for it to be closed."""
    from knownface.gallery import Gallery
    from knownface.storage import parse_location

    settings = _settings(gallery)
    location = parse_location(settings.gallery)
    if not location.is_sqlite:
        raise GalleryError(
            f"A server keeps {location}, and with it the traces of what was removed.",
            "They go with VACUUM and as the server recycles its log; archives and backups are the operator's.",
        )
    with Gallery.open_by(settings, create=False) as opened:
        done = opened.scrub()
    if not done:
        raise GalleryLockedError("Another program was reading the gallery all the time.", "Try again later.")
    out().print("No trace is left.")


@command.command()
@click.option(
    "--npz",
    type=OutputFile(".npz"),
    required=True,
    help="File to write: arrays for NumPy.",
)
@overwrite_option
@gallery_option
def export(npz: Path, gallery: str | None) -> None:
    """Write every template's embedding, person and source for research.

    Counter-examples are left out. The file holds everybody's templates: keep it as safe as the gallery. Of an encrypted
    gallery none is written.
    """
    from knownface.gallery import Gallery

    with Gallery.open_by(_settings(gallery), create=False) as opened:
        if opened.database.sealer is not None:
            raise GalleryError(
                f"The gallery {opened.location} is encrypted, and such a file would hold its templates open.",
                "Decrypt a copy of it with `knownface gallery decrypt`, and export that.",
            )
        faces = opened.template_store.enrolled_faces()
    faces.save(npz)
    out().print(f"{len(faces)} templates written to {escape(str(npz))}.", soft_wrap=True)
