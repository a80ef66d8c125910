"""The record of processing (GDPR Art. 30), the outline of an impact assessment (Art. 35), filled from the settings."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from knownface.events import list_rules
from knownface.gallery import Gallery
from knownface.law.consent_form import kept
from knownface.law.receipt_page import facts_table, html_page
from knownface.settings import Settings

_BLANK = "______________________________"


def record_page(gallery: Gallery, settings: Settings) -> str:
    """The record of processing activities, Art. 30(1)."""
    rows = [
        ("Controller (a)", settings.controller or _BLANK),
        ("Contact, data protection officer (a)", settings.privacy_contact or _BLANK),
        ("Purpose (b)", _BLANK),
        ("Legal basis (Art. 6, Art. 9(2))", _basis(gallery)),
        (
            "Data subjects (c)",
            f"{len(gallery.names):,} people in the gallery; whoever passes a camera or is on a photo",
        ),
        ("Categories of data (c)", "; ".join(_categories(settings))),
        ("Recipients (d)", _recipients(settings)),
        (
            "Transfers to third countries (e)",
            f"none by the program: everything stays on its machine and its database{_but_for_mqtt(settings)}",
        ),
        ("Time limits (f)", "; ".join(kept(settings))),
        ("Security (g)", "; ".join(_security(gallery, settings))),
    ]
    return html_page(
        "Record of processing activities",
        f"<h1>Record of processing activities</h1><p>GDPR Art. 30(1), face recognition with knownface. What a line "
        f"shows as {_BLANK} only you know.</p>{facts_table(rows)}",
    )


def assessment_page(gallery: Gallery, settings: Settings, accuracy: Sequence[str]) -> str:
    """The outline of a data protection impact assessment, Art. 35(7), with what the program knows filled in.

    Args:
        gallery: Whose.
        settings: In force.
        accuracy: What is known about its mistakes, a sentence each.
    """
    safeguards = [
        *_security(gallery, settings),
        f"faces that look like a picture held up get no name: {_yes(settings.liveness == 'require')}",
        f"pictures that may show somebody else wait for a person: {_yes(settings.review == 'hold')}",
        f"consent is demanded: {_yes(gallery.consents.required)}",
        _oversight(gallery),
    ]
    risks = [
        (
            "Somebody is taken for somebody else",
            "a threshold by the rate of strangers who may get a name; see accuracy",
        ),
        (
            "Groups of people are recognised worse",
            "`knownface evaluate --groups` measures it on your people: " + _BLANK,
        ),
        ("People are followed over places", "sightings go by themselves after `retention_days`: " + _days(settings)),
        ("Templates are stolen", "they stay on your machine; who may read its files: " + _BLANK),
        ("Somebody cannot say no", "another way in without disadvantage: " + _BLANK),
        ("A decision is made by a machine alone (Art. 22)", "who looks at it before something follows: " + _BLANK),
    ]
    body = f"""<h1>Data protection impact assessment: outline</h1>
<p>GDPR Art. 35(7). Biometric identification of many people needs one (Art. 35(3)(b)), and advice of the data protection
officer (Art. 35(2)). What a line shows as {_BLANK} only you can say.</p>
<h2>a. What is processed, and what for</h2>{record_rows(gallery, settings)}
<h2>b. Is it necessary and proportionate?</h2>
<p>Would a list, a badge or a person do? {_BLANK}</p><p>Are only those concerned who must be? {_BLANK}</p>
<h2>c. Risks to the people concerned, and what is done about them</h2>{facts_table(risks)}
<h2>Accuracy, as far as it was measured</h2><ul>{_items(accuracy)}</ul>
<h2>d. Safeguards that are switched on</h2><ul>{_items(safeguards)}</ul>
<h2>Outcome</h2><p>Remaining risk, decision, day, signature: {_BLANK}</p>"""
    return html_page("Impact assessment: outline", body)


def record_rows(gallery: Gallery, settings: Settings) -> str:
    """What is processed, as a table."""
    return facts_table(
        [
            ("Controller", settings.controller or _BLANK),
            ("People", f"{len(gallery.names):,}"),
            ("Data", "; ".join(_categories(settings))),
            ("Purpose", _BLANK),
            ("Time limits", "; ".join(kept(settings))),
        ]
    )


def _basis(gallery: Gallery) -> str:
    if not gallery.consents.required:
        return _BLANK
    used = sorted({one.given.basis for one in gallery.consents.list()}) or ["consent"]
    return f"demanded by the program: {', '.join(used)}"


def _recipients(settings: Settings) -> str:
    set_up = f"webhooks and commands of alerts that were set up: {_BLANK}"
    if settings.mqtt.url is None:
        return f"none by the program, but for {set_up}"
    return f"whoever may read the MQTT broker {settings.mqtt.address[0]}: {_BLANK}; {set_up}"


def _but_for_mqtt(settings: Settings) -> str:
    if settings.mqtt.url is None:
        return ""
    return f", but for what is told to the MQTT broker ({'with' if settings.mqtt.tls else 'without'} TLS)"


def _categories(settings: Settings) -> list[str]:
    return [
        "names, external ids, groups",
        "biometric templates (Art. 9)",
        *(["small pictures of faces"] if settings.serve.store_pictures else []),
        "when and where somebody was seen by a camera" + (", with a picture" if settings.keep_pictures else ""),
        *(["templates of people who are not known"] if settings.keep_unknown_faces else []),
        "attendance and hours, consents, alerts",
    ]


def _security(gallery: Gallery, settings: Settings) -> list[str]:
    days = settings.serve.audit_days
    return [
        "no data leaves the machine by itself" + _but_for_mqtt(settings),
        "keys with roles; an audit log " + ("that is kept" if days is None else f"kept for {days:g} days"),
        "removal overwrites rows, indexes and journals, with a signed receipt",
        f"the gallery: {gallery.location}",
        f"TLS: {'on' if settings.serve.tls != 'off' or settings.serve.tls_cert else 'off, or by a proxy'}",
    ]


def _oversight(gallery: Gallery) -> str:
    rules = list_rules(gallery.database)
    counts = [sum(rule.confirm == people for rule in rules) for people in (1, 2)]
    return f"alerts that one person must confirm: {counts[0]} of {len(rules)} rules; two people: {counts[1]}"


def _days(settings: Settings) -> str:
    return "not set" if settings.retention_days is None else f"{settings.retention_days:g} days"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _items(lines: Sequence[str]) -> str:
    return "".join(f"<li>{escape(line)}</li>" for line in lines)
