"""``knownface people consent``: who may be enrolled, named and recorded, and what for."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import cast

import click
from rich.markup import escape

from knownface.cli.common import gallery_option, open_gallery, out, say, table
from knownface.cli.outputs import OutputFile, json_option, overwrite_option
from knownface.cli.removing import removal_options, remove_people
from knownface.cli.writing import write_json, write_text
from knownface.types import Purpose

_PURPOSES = ("photos", "live", "attendance")
_DAY = click.DateTime(["%Y-%m-%d"])


@click.group(name="consent", short_help="Who may be enrolled, named and recorded, and what for.")
def consent() -> None:
    """Write down, list and withdraw people's consents; print a form to sign.

    With the setting `consent = "required"` nobody is enrolled, named or recorded without a valid one.
    """


@consent.command()
@click.argument("name")
@click.option("--by", "given_by", help="Who gave it. Default: the person.")
@click.option(
    "--guardian", is_flag=True, help="Somebody else gave it for the person, such as a parent: name them by --by."
)
@click.option("--for", "purposes", type=click.Choice(_PURPOSES), multiple=True,
              help="What for; may be given several times. Default: all of them.")  # fmt: skip
@click.option("--on", "given_on", type=_DAY, help="The day it was given. Default: today.")
@click.option("--until", type=_DAY, help="The last day on which it holds. Default: until it is withdrawn.")
@click.option("--document", default="", help="Where the signed paper is, such as a file number.")
@click.option("--basis", default="consent", show_default=True, help="The legal basis (GDPR Art. 6).")
@gallery_option
def give(
    name: str,
    given_by: str | None,
    guardian: bool,
    purposes: tuple[str, ...],
    given_on: datetime | None,
    until: datetime | None,
    document: str,
    basis: str,
    gallery: str | None,
) -> None:
    """Write down that NAME may be enrolled, named and recorded; somebody new is added without a template."""
    from knownface.gallery.consents import BASES, NewConsent, today
    from knownface.law.audit import note_local
    from knownface.law.receipts import this_user

    if guardian and given_by is None:
        raise click.UsageError("Name the guardian with --by.")
    if basis not in BASES:
        raise click.BadParameter(f"choose one of {', '.join(BASES)}", param_hint="--basis")
    new = NewConsent(
        given_by or name,
        given_on.date() if given_on else today(),
        cast("tuple[Purpose, ...]", purposes or _PURPOSES),
        guardian,
        basis,
        document,
        until.date() if until else None,
    )
    with open_gallery(gallery, create=True) as opened:
        person = opened.add_person(name)
        made = opened.consents.give(person.id, new, this_user())
        note_local(opened.database, "consent.give", person.id, consent=made.id)
    last = "until it is withdrawn" if new.until is None else f"until {new.until}"
    said = f"{made.name}: consent for {', '.join(made.given.purposes)}, {last}, is written down."
    out().print(escape(said), soft_wrap=True)


@consent.command(name="list")
@click.argument("name", required=False)
@click.option("--missing", is_flag=True, help="Only the people who have none that is valid today.")
@json_option("id", "person_id", "name", help="Write a list of consents, or, with --missing, of people.")
@overwrite_option
@gallery_option
def list_consents(name: str | None, missing: bool, json_file: Path | None, gallery: str | None) -> None:
    """List consents, NAME's or everybody's, withdrawn ones included."""
    from knownface.gallery.consents import today

    with open_gallery(gallery) as opened:
        required = opened.consents.required
        people = opened.consents.missing() if missing else []
        found = [] if missing else opened.consents.list(name)
    if json_file is not None:
        write_json(json_file, [one.to_dict() for one in (people if missing else found)])
        return
    if missing:
        for person in people:
            out().print(escape(person.name), soft_wrap=True)
        return
    rows = table("name", "for", "by", "from", "until", "document", "state")
    for one in found:
        given = one.given
        state = "withdrawn" if one.withdrawn else "valid" if one.holds_on(today()) else "not valid today"
        by = f"{given.given_by} (guardian)" if given.guardian else given.given_by
        until = "" if given.until is None else str(given.until)
        cells = (one.name, ", ".join(given.purposes), by, str(given.given_on), until, given.document, state)
        rows.add_row(*map(escape, cells))
    out().print(rows)
    say(
        "This gallery demands consent."
        if required
        else 'This gallery demands no consent (setting consent = "required").'
    )


@consent.command()
@click.argument("name")
@click.option("--remove", is_flag=True, help="Remove the person with everything of theirs too.")
@removal_options
@overwrite_option
@gallery_option
def withdraw(name: str, remove: bool, yes: bool, folder: Path | None, gallery: str | None) -> None:
    """Withdraw NAME's consents: they are named and recorded no more, from the next frame on."""
    from knownface.law.audit import note_local

    with open_gallery(gallery) as opened:
        count = opened.consents.withdraw(name)
        required = opened.consents.required
        note_local(opened.database, "consent.withdraw", opened.person(name).id, consents=count)
    out().print(f"{count} consents of {escape(name)} withdrawn.", soft_wrap=True)
    if remove:
        remove_people((name,), folder, gallery, ask=not yes)
    elif not required:
        say('This gallery demands no consent, so they are named all the same: set consent = "required", or --remove.')


@consent.command()
@click.option("--out", "file", type=OutputFile(".html"), default="consent.html", show_default=True, help="The page.")
@overwrite_option
def form(file: Path) -> None:
    """Write a form to print and sign, made of the settings: who answers, what for, how long what is kept."""
    from knownface.law.consent_form import consent_form
    from knownface.settings import load_settings

    settings = load_settings()
    write_text(file, consent_form(settings))
    out().print(f"Written: {escape(str(file))}", soft_wrap=True)
    if not settings.controller:
        say("Set controller and privacy_contact first, so that they stand on it.", style="yellow")
