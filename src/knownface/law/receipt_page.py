"""A receipt as a page to print: HTML that loads nothing from anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from knownface.law.signing import Verified

STYLE = """
body { font: 11pt/1.45 Georgia, "Times New Roman", serif; color: #111; background: #fff;
  max-width: 42rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem; margin: 0 0 .3rem } h2 { font-size: 1.1rem; margin: 1.6rem 0 .4rem }
table { border-collapse: collapse; width: 100% } th { text-align: left; font-weight: normal; width: 38% }
td.number { text-align: right; width: 6rem }
td, th { border-bottom: 1px solid #ccc; padding: .25rem .5rem .25rem 0; vertical-align: top; overflow-wrap: anywhere }
pre { font: 8pt/1.35 ui-monospace, Consolas, monospace; white-space: pre-wrap; overflow-wrap: anywhere;
  border: 1px solid #ccc; padding: .6rem } code { font-size: .92em }
footer { margin-top: 2rem; color: #444; font-size: .9rem }
@media print { body { margin: 0; max-width: none } h2, tr { break-inside: avoid } @page { margin: 2cm } }
"""
"""Of every page that is made to be printed."""

KINDS = {
    "templates": "face templates",
    "counter_examples": "counter-examples (“not this person”)",
    "pictures": "small pictures of the face",
    "vectors": "templates of other networks",
    "set_aside": "templates set aside",
    "sightings": "sightings, with their pictures",
    "attendance": "entries in attendance lists",
    "events": "alerts and other events",
    "pending_alerts": "alerts that were not confirmed",
    "offers": "offered pictures",
    "held": "pictures held back from enrolment",
    "person_keys": "keys of the person, without which backups made with keys apart cannot be read",
    "groups": "memberships in groups",
    "thresholds": "thresholds of other networks",
    "exclusions": "files noted as taken out",
    "former_names": "former names",
    "different_people": "notes that somebody else is another person",
    "consents": "consents written down",
    "people": "entries of people",
    "sessions": "attendance lists",
    "template_pictures": "pictures of faces",
    "template_vectors": "templates of other networks",
    "attendance_entries": "entries in attendance lists",
    "attendance_sessions": "the attendance lists",
    "audit_log": "entries of the audit log",
    "refusals": "files noted as refused",
    "edits": "entries in the history of edits",
}
"""What is said for the kinds of rows that a removal counts."""


def kind_text(kind: str) -> str:
    """What is said for a kind of rows."""
    return KINDS.get(kind, kind.replace("_", " "))


def html_page(title: str, body: str) -> str:
    """A whole page; ``body`` is HTML already."""
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{STYLE}</style></head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def facts_table(facts: Iterable[tuple[str, object]]) -> str:
    """Names and values, a row each."""
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{_cell(value)}</td></tr>\n" for name, value in facts)
    return f"<table>\n{rows}</table>"


def receipt_page(verified: Verified, text: str) -> str:
    """The page of a receipt that was checked, with the signed text at its end."""
    statement = verified.statement
    what = str(statement["what"])
    person = statement.get("person") or {}
    facts = [
        ("person", person.get("name")),
        ("number in the gallery", person.get("number")),
        ("external id", person.get("external_id")),
        ("numbers of the people", ", ".join(map(str, statement.get("numbers") or []))),
        ("rules, in days", ", ".join(f"{name} {days:g}" for name, days in (statement.get("rules") or {}).items())),
        ("done", statement["at"]),
        ("by", statement["by"]),
        ("controller", statement.get("controller")),
        ("contact", statement.get("contact")),
        ("receipt", statement["receipt"]),
    ]
    return html_page(
        f"Receipt: {what}",
        f"<h1>Receipt</h1>\n<p>{escape(what[:1].upper() + what[1:])}</p>\n"
        f"{facts_table((name, value) for name, value in facts if value not in (None, ''))}\n"
        f"<h2>What was removed</h2>\n{_counts(statement.get('removed') or {})}\n"
        f"<h2>What is left, and why</h2>\n{_left(statement.get('left') or [])}\n"
        f"<h2>How to check this receipt</h2>\n"
        f"<p>Keep the JSON file that came with this page as it is: <code>knownface receipt verify FILE</code> says "
        f"whether one character of it was altered. It is signed (Ed25519) by the key "
        f"<code>{verified.fingerprint}</code>; ask whoever handed it out whether that is theirs. The signature is over "
        f"the UTF-8 bytes of the JSON without <code>signature</code>, without spaces, its keys in order.</p>\n"
        f"<pre>{escape(text)}</pre>\n<footer>{escape(str(statement['program']))}</footer>",
    )


def _counts(removed: Mapping[str, Any]) -> str:
    if not removed:
        return "<p>Nothing but the entry itself.</p>"
    rows = "".join(
        f'<tr><th>{escape(kind_text(kind))}</th><td class="number">{count:,}</td></tr>\n'
        for kind, count in removed.items()
    )
    return f"<table>\n{rows}</table>"


def _left(left: Iterable[Mapping[str, str]]) -> str:
    return facts_table((one["what"], one["why"]) for one in left)


def _cell(value: object) -> str:
    return escape("–" if value is None or value == "" else str(value))
