"""A form for consent, made of the settings: HTML to print."""

from __future__ import annotations

from html import escape

from knownface.law.receipt_page import html_page
from knownface.settings import Settings

PURPOSE_TEXTS = {
    "photos": "my name may be put to my face in photos and videos that are examined.",
    "live": "my name may be put to my face by live cameras, and when and where they saw me may be recorded.",
    "attendance": "it may be counted from this that I was present.",
}
"""What somebody agrees to, by purpose."""


def consent_form(settings: Settings) -> str:
    """The form; what the settings do not say is left to be filled in by hand."""
    controller = _given(settings.controller, "name and address of whoever answers for this")
    contact = _given(settings.privacy_contact, "whom to turn to")
    purposes = "".join(f"<p>☐ I agree: {escape(text)}</p>\n" for text in PURPOSE_TEXTS.values())
    body = f"""<h1>Consent to face recognition</h1>
<p>{controller} wants to recognise faces with the program knownface. For this, photos of your face are turned into rows
of numbers (“templates”). They are biometric data by which you can be told from others (GDPR Art. 4(14) and 9).</p>
<h2>What is kept, and how long</h2>
<ul>{"".join(f"<li>{escape(line)}</li>" for line in kept(settings))}</ul>
<p>Everything stays on the machines of {controller}; the program sends nothing elsewhere by itself.</p>
<h2>Your rights</h2>
<p>This is voluntary: saying no, or withdrawing it later, has no disadvantage for you, and you may sign in another way.
You may withdraw it at any time, without a reason, also for single purposes: from then on you are not recognised. You
may know what is kept of you (Art. 15), have it corrected (Art. 16) and removed (Art. 17), for which you get a signed
receipt, and complain to the supervisory authority. Turn to {contact}.</p>
<h2>Agreed</h2>
{purposes}<p>Valid until: ____________________ &nbsp; (empty: until I withdraw it)</p>
<p>Name: ______________________________________________</p>
<p>For a child or ward, name of the guardian: ______________________________</p>
<p>Place, day: ____________________________ &nbsp; Signature: ____________________________</p>
"""
    return html_page("Consent to face recognition", body)


def kept(settings: Settings) -> list[str]:
    """What a gallery with these settings keeps of somebody, and how long; a sentence each."""
    days = settings.retention_days
    seen = "until it is deleted" if days is None else f"for {days:g} days"
    picture = ", with a small picture of the face" if settings.keep_pictures else ""
    pictures = " and a small picture of the face" if settings.serve.store_pictures else ""
    return [
        f"Name, groups, templates{pictures}: until you are removed.",
        f"When and where a camera saw you{picture}: {seen}.",
        "Entries in attendance lists: until the list or you are removed.",
    ]


def _given(text: str, missing: str) -> str:
    return escape(text) if text else f"______________________________ ({escape(missing)})"
