"""``knownface people``: who is in the gallery."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape

from knownface.cli.alike import command as alike
from knownface.cli.common import gallery_option, open_gallery, open_recognizer, out, table
from knownface.cli.consent import consent
from knownface.cli.outputs import (
    OutputFile,
    OutputFolder,
    bom_option,
    byte_order_mark,
    claim,
    json_option,
    overwrite_option,
)
from knownface.cli.removing import removal_options, remove_people
from knownface.cli.writing import write_json
from knownface.errors import PersonError
from knownface.files import replacing

if TYPE_CHECKING:
    from knownface.gallery import Gallery, Template


@click.group(
    name="people",
    short_help="List, show, rename, merge, split and remove people, and their templates.",
)
def command() -> None:
    """List, show and edit the people of a gallery."""


command.add_command(consent)
command.add_command(alike)


@command.command(name="list")
@gallery_option
@click.option("--group", help="Only the people of this group.")
@json_option("id", "name", help="Write a list of people.")
@overwrite_option
def list_people(gallery: str | None, group: str | None, json_file: Path | None) -> None:
    """List everybody."""
    with open_gallery(gallery) as opened:
        found = opened.people(group)
    if json_file is not None:
        write_json(json_file, [person.to_dict() for person in found])
        return
    rows = table("id", "name", "external id", "groups", "templates", "threshold")
    for p in found:
        own = "" if p.threshold is None else f"{p.threshold:.3f}"
        groups = escape(", ".join(p.groups))
        rows.add_row(str(p.id), escape(p.name), escape(p.external_id or ""), groups, str(p.templates), own)
    out().print(rows)


@command.command()
@click.argument("name")
@json_option("person", help="Write the person and a list of templates.")
@overwrite_option
@gallery_option
def show(name: str, json_file: Path | None, gallery: str | None) -> None:
    """Show a person and every template."""
    with open_gallery(gallery) as opened:
        person = opened.person(name)
        templates, aside = opened.templates(person.name), opened.template_store.set_aside(person.id)
        former = [was for was, _ in opened.people_store.former_names(person.id).values()]
    if json_file is not None:
        write_json(json_file, {"person": person.to_dict(), "templates": [t.to_dict() for t in templates]})
        return
    rows = table("id", "source", "time", "quality", "enrolled", "kind")
    for t in templates:
        rows.add_row(
            str(t.id),
            escape(t.source),
            "" if t.frame_time is None else f"{t.frame_time:.2f}",
            "" if t.quality is None else f"{t.quality:.2f}",
            f"{t.created:%Y-%m-%d %H:%M}",
            "is not this person" if t.negative else "",
        )
    console = out()
    facts = [f"external id {person.external_id}"] if person.external_id else []
    facts += [f"groups {', '.join(person.groups)}"] if person.groups else []
    facts += [f"own threshold {person.threshold:.3f}"] if person.threshold is not None else []
    facts += [f"formerly {', '.join(former)}"] if former else []
    console.print(escape("; ".join([person.name, *facts])), soft_wrap=True)
    console.print(rows)
    if aside:
        lost = table("id", "source", "network", "why", title="Set aside: not searched, kept for a change of network")
        for one in aside:
            lost.add_row(str(one.template.id), escape(one.template.source), escape(one.network), escape(one.reason))
        console.print(lost)


@command.command()
@click.argument("name")
@click.argument("new_name")
@gallery_option
def rename(name: str, new_name: str, gallery: str | None) -> None:
    """Give the person NAME the name NEW_NAME."""
    with open_gallery(gallery) as opened:
        person = opened.rename(name, new_name)
    out().print(f"{escape(name)} is now {escape(person.name)}.", soft_wrap=True)


@command.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--into", required=True, help="Who keeps all the templates.")
@gallery_option
def merge(names: tuple[str, ...], into: str, gallery: str | None) -> None:
    """Join the people NAME... into another: they are the same person."""
    with open_gallery(gallery) as opened:
        person = opened.merge(list(names), into)
    out().print(f"{escape(person.name)} has {person.templates} templates now.", soft_wrap=True)


@command.command()
@click.argument("name")
@click.option("--to", "new_name", required=True, help="The new person.")
@click.option("--template", "templates", type=int, multiple=True, help="Id of a template that moves (`people show`).")
@click.option("--source", "sources", multiple=True, help="Glob of the sources whose templates move.")
@gallery_option
def split(name: str, new_name: str, templates: tuple[int, ...], sources: tuple[str, ...], gallery: str | None) -> None:
    """Move some templates of NAME to a new person: they are two people."""
    with open_gallery(gallery) as opened:
        chosen = [t.id for t in opened.templates(name) if t.id in templates or _is_among(t.source, sources)]
        person = opened.split(name, chosen, new_name)
    out().print(f"{escape(person.name)} has {person.templates} templates.", soft_wrap=True)


@command.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@removal_options
@overwrite_option
@gallery_option
def remove(names: tuple[str, ...], yes: bool, folder: Path | None, gallery: str | None) -> None:
    """Remove people with every template, so that nothing of theirs is left in the gallery. Backups are not touched."""
    remove_people(names, folder, gallery, ask=not yes)


@command.command(name="set")
@click.argument("name")
@click.option("--external-id", help="Such as a student number; an empty text removes it.")
@click.option("--group", "groups", multiple=True, help="Replaces the person's groups; may be given several times.")
@click.option("--no-groups", is_flag=True, help="Takes the person out of every group.")
@click.option("--threshold", type=click.FloatRange(0, 2), help="A threshold of their own.")
@click.option("--no-threshold", is_flag=True, help="Back to everybody's threshold.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="The last day, after which the person is removed.")
@click.option("--no-until", is_flag=True, help="Keep the person for good.")
@gallery_option
def set_facts(
    name: str,
    external_id: str | None,
    groups: tuple[str, ...],
    no_groups: bool,
    threshold: float | None,
    no_threshold: bool,
    until: datetime | None,
    no_until: bool,
    gallery: str | None,
) -> None:
    """Set what is known of a person."""
    with open_gallery(gallery) as opened:
        if external_id is not None:
            opened.set_external_id(name, external_id or None)
        if groups or no_groups:
            opened.set_groups(name, groups)
        if threshold is not None or no_threshold:
            opened.set_threshold(name, threshold)
        if until is not None or no_until:
            opened.edit(name, until=until.date() if until else None)
        person = opened.person(name)
    out().print(f"{escape(person.name)} is set.", soft_wrap=True)


@command.command(name="import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@gallery_option
def import_people(file: Path, gallery: str | None) -> None:
    """Read names, external ids and groups from a CSV file with the columns name, external_id, groups (a;b).

    Consents are read from the columns consent_by, consent_guardian (yes), consent_on and consent_until (2026-09-01),
    consent_for (photos;live;attendance), consent_basis and consent_document.
    """
    from knownface.gallery import Gallery
    from knownface.settings import load_settings

    with Gallery.open_by(load_settings(gallery=gallery)) as opened:
        done = opened.import_people(file)
    summed = f"{done.created} people added and {done.updated} updated from {file}."
    out().print(escape(summed), soft_wrap=True)


@command.command(name="export")
@click.argument("file", type=OutputFile(".csv"))
@overwrite_option
@bom_option
@gallery_option
def export_people(file: Path, gallery: str | None) -> None:
    """Write everybody's name, external id and groups to a CSV file."""
    with open_gallery(gallery) as opened:
        count = opened.export_people(file, bom=bool(byte_order_mark()))
    out().print(f"{count} people written to {escape(str(file))}.", soft_wrap=True)


@command.command()
@click.argument("name")
@click.option("--to", required=True, help="Somebody in the gallery.")
@click.option("--template", "templates", type=int, multiple=True, help="Id of a template that moves (`people show`).")
@click.option("--file", "files", multiple=True, help="File, or glob of files, whose templates move.")
@gallery_option
def move(name: str, to: str, templates: tuple[int, ...], files: tuple[str, ...], gallery: str | None) -> None:
    """Move some templates of NAME to somebody else in the gallery, whom they show."""
    with open_gallery(gallery) as opened:
        chosen = [template.id for template in _chosen(opened, name, templates, files)]
        person = opened.people_store.move_templates(chosen, to)
    out().print(f"{escape(person.name)} has {person.templates} templates.", soft_wrap=True)


@command.command()
@click.argument("name")
@click.option("--template", "templates", type=int, multiple=True, help="Id of a template (`people show`).")
@click.option("--file", "files", multiple=True, help="File, or glob of files, whose templates go.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@gallery_option
def forget(name: str, templates: tuple[int, ...], files: tuple[str, ...], yes: bool, gallery: str | None) -> None:
    """Take wrong photos, or counter-examples, out of NAME's for good; no enrolment brings them back."""
    with open_gallery(gallery) as opened:
        chosen = _chosen(opened, name, templates, files)
        person = opened.person(name)
        if not yes:
            listed = ", ".join(sorted({template.source for template in chosen}))
            click.confirm(f"Take {len(chosen)} templates out of {person.name}'s for good ({listed})?", abort=True)
        count = opened.template_store.remove([template.id for template in chosen], exclude=True)
        person = opened.person(name)
    out().print(f"{count} templates gone; {escape(person.name)} has {person.templates}.", soft_wrap=True)


@command.command()
@click.argument("name", required=False)
@click.option("--file", "files", multiple=True, help="File, or glob of files, to let in again.")
@gallery_option
def allow(name: str | None, files: tuple[str, ...], gallery: str | None) -> None:
    """List the files that were taken out of NAME's, or everybody's; with --file, let them in again."""
    with open_gallery(gallery) as opened:
        found = opened.template_store.exclusions(name)
        if files:
            count = opened.template_store.allow([each for each in found if _is_among(each.source, files)])
            out().print(f"{count} files may be enrolled again.")
            return
    rows = table("person", "file", "taken out")
    for each in found:
        rows.add_row(escape(each.name), escape(each.source), f"{each.created:%Y-%m-%d %H:%M}")
    out().print(rows)


def _chosen(gallery: Gallery, name: str, ids: tuple[int, ...], files: tuple[str, ...]) -> list[Template]:
    """The templates of a person that options name.

    Raises:
        PersonError: None is named, or an id or file is not the person's.
    """
    own = gallery.templates(name)
    missing = [str(i) for i in ids if i not in {template.id for template in own}]
    missing += [file for file in files if not any(_is_among(template.source, (file,)) for template in own)]
    if missing or not (ids or files):
        text = f"{name!r} has no template of {', '.join(missing)}." if missing else "No template is named."
        raise PersonError(text, f"Give --template ID or --file FILE; `knownface people show {name!r}` lists them.")
    return [template for template in own if template.id in ids or _is_among(template.source, files)]


def _is_among(source: str, files: tuple[str, ...]) -> bool:
    return any(Path(source) == Path(file).absolute() or Path(source).match(file) for file in files)


@command.command(name="export-data")
@click.argument("name")
@click.option("--out", "folder", type=OutputFolder(), required=True, help="A folder for the JSON file and the page.")
@overwrite_option
@gallery_option
def export_data(name: str, folder: Path, gallery: str | None) -> None:
    """Write everything that is held about NAME, templates included: to read, and as JSON (GDPR Art. 15 and 20)."""
    from knownface.gallery import Gallery
    from knownface.law.access import data_page, person_data
    from knownface.law.audit import note_local
    from knownface.settings import load_settings

    settings = load_settings(gallery=gallery)
    with Gallery.open_by(settings, create=False) as opened:
        data = person_data(opened, name, settings)
        note_local(opened.database, "person.export", int(data.facts["number"]))
    claim(folder)
    path = folder / f"person-{data.facts['number']}.json"
    for file, text in ((path, data.to_json()), (path.with_suffix(".html"), data_page(data))):
        with replacing(file, private=True) as part:
            part.write_text(text, encoding="utf-8", newline="")
    out().print(f"Written: {escape(str(path))}, and beside it a page to read.", soft_wrap=True)


@command.command(name="not")
@click.argument("name")
@click.argument("pictures", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PICTURE...")
@click.option(
    "--face",
    "number",
    type=click.IntRange(1),
    help="Which face of a group photo, the largest is 1 (`identify` numbers them).",
)
@click.option(
    "--faces", type=click.Choice(["dominant", "largest", "only"]), default="dominant", help="Which of several faces."
)
@gallery_option
def is_not(name: str, pictures: tuple[Path, ...], number: int | None, faces: Any, gallery: str | None) -> None:
    """Teach that the face on each PICTURE is not NAME, for a stranger who keeps being taken for them."""
    with open_recognizer(gallery, create=False) as recognizer:
        recognizer.gallery.person(name)
        added = sum(
            recognizer.add_known_face(name, picture, faces=faces, is_not=True, face=number) for picture in pictures
        )
    out().print(f"{added} counter-examples of {escape(name)} added.", soft_wrap=True)
