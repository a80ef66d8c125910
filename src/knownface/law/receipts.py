"""Receipts: what was removed, when, by whom, what is left and why. Nothing of them is kept in the gallery."""

from __future__ import annotations

import getpass
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from knownface import __version__
from knownface.files import replacing
from knownface.gallery import Gallery, RemovedPerson
from knownface.law.receipt_page import receipt_page
from knownface.law.retention import Overdue
from knownface.law.signing import sign, verify
from knownface.settings import Settings
from knownface.storage import Database
from knownface.storage.scrub import is_marked

_LEFT = (
    ("backups and copies of the gallery made before", "the program does not know of them: delete them too"),
    ("photos, videos and exported files outside of the gallery", "the program never deletes files of yours"),
    ("figures without persons: how many came, how alike people are on average", "they point to nobody"),
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A signed statement and the page that shows it.

    Attributes:
        text: The JSON file, to be kept as it is.
        page: HTML to print.
        stem: A file name for both, without suffix and without a name of a person.
    """

    text: str
    page: str
    stem: str

    def write(self, folder: Path) -> Path:
        """Write both into a folder, as ``.json`` and ``.html``; returns the first.

        Raises:
            OutputError: They cannot be written.
        """
        path = folder / f"{self.stem}.json"
        for file, content in ((path, self.text), (path.with_suffix(".html"), self.page)):
            with replacing(file, private=True) as part:
                part.write_text(content, encoding="utf-8", newline="")
        return path


def removal_receipt(
    gallery: Gallery, removed: RemovedPerson, by: str, key: Ed25519PrivateKey, settings: Settings
) -> Receipt:
    """The receipt of somebody's removal.

    Args:
        gallery: Where they were; tells whether every trace in its files is overwritten already.
        removed: What was removed.
        by: Who did it: a user or the name of a key.
        key: To sign it with.
        settings: Name the controller, and how long the audit log is kept.
    """
    person = removed.person
    left = [{"what": what, "why": why} for what, why in _LEFT]
    left += [_audit_entry(settings.serve.audit_days), *_traces(gallery.database)]
    facts = {
        "person": {
            "name": removed.name,
            "number": None if person is None else person.id,
            "external_id": None if person is None else person.external_id,
        },
        "removed": {kind: count for kind, count in removed.counts.items() if count},
        "left": left,
    }
    return make_receipt("removal of a person", by, facts, key, settings)


def retention_receipt(
    gallery: Gallery, removed: Overdue, by: str, key: Ed25519PrivateKey, settings: Settings
) -> Receipt:
    """The certificate of a retention run; it names nobody, people are meant by their numbers."""
    days = {
        name: getattr(settings, name)
        for name in ("retention_days", "unseen_days", "template_days", "attendance_days")
        if getattr(settings, name) is not None
    }
    left = [{"what": what, "why": why} for what, why in _LEFT]
    facts = {
        "rules": days,
        "numbers": [person_id for person_id, _, _ in removed.people],
        "removed": {kind: count for kind, count in removed.to_dict().items() if count},
        "left": [*left, *_traces(gallery.database)],
    }
    return make_receipt("removal of what was kept long enough", by, facts, key, settings)


def make_receipt(what: str, by: str, facts: Mapping[str, Any], key: Ed25519PrivateKey, settings: Settings) -> Receipt:
    """Sign what was done, and draw its page."""
    statement = {
        "what": what,
        "receipt": str(uuid.uuid4()),
        "at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "by": by,
        "controller": settings.controller,
        "contact": settings.privacy_contact,
        **facts,
        "program": f"knownface {__version__}",
        "check": "knownface receipt verify FILE",
    }
    text = sign(statement, key)
    return Receipt(text, receipt_page(verify(text), text), f"receipt-{statement['at'][:10]}-{statement['receipt'][:8]}")


def _traces(database: Database) -> list[dict[str, str]]:
    if not database.location.is_sqlite:
        what = "traces in files of the database server"
        return [{"what": what, "why": "overwritten by its VACUUM, and with the end of its write-ahead log"}]
    with database.reading() as connection:
        marked = is_marked(connection)
    what = "traces in free space of the gallery's file"
    return [{"what": what, "why": "overwritten when it is closed, or by `knownface gallery scrub`"}] if marked else []


def _audit_entry(days: float | None) -> dict[str, str]:
    kept = "for good" if days is None else f"for {days:g} days"
    return {
        "what": "an entry of the audit log: when this was done and by whom, with the person's number, without the name",
        "why": f"to show that it was done (GDPR Art. 5(2)); kept {kept}",
    }


def this_user() -> str:
    """Who uses the command line, as the system calls them."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's user may have no name
        return "command line"
