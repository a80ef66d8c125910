"""Where a gallery demands consent, nobody without one is enrolled, named, recorded or exported, whatever the path."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

import toy_plugin
from knownface import FaceRecognizer
from knownface.errors import ConsentError
from knownface.events import SampleCandidate, SeenTrack, SightingFilter, SightingLog, offer_sample, read_alerts
from knownface.events.alerts import Alerts
from knownface.events.attendance import close_session, open_session, report_session
from knownface.events.photographed import mark_photographed
from knownface.events.rules import AlertRule, Kind, add_rule
from knownface.events.unknowns import name_unknown
from knownface.events.values import RetentionPolicy
from knownface.gallery import Gallery, NewConsent, NewHeld, NewTemplate, PersonKey
from knownface.gallery.consents import today
from knownface.live.options import SessionOptions
from knownface.live.session import LiveSession
from knownface.media import read_image, write_image
from knownface.review.alike import alike_people
from knownface.storage.events_schema import attendance_entries, events, offers, sightings
from knownface.storage.schema import held, templates

YES, NO = "Eileen Collins", "Ben"


@pytest.fixture
def demanding(enrolled_toys: Path) -> Iterator[FaceRecognizer]:
    """Three are enrolled, then consent is demanded, which only Eileen has given."""
    with FaceRecognizer.open(consent="required") as recognizer:
        recognizer.gallery.consents.give(YES, NewConsent(YES, today()))
        yield recognizer


def rows_of(gallery: Gallery, person: PersonKey) -> dict[str, int]:
    person_id = gallery.person(person).id
    with gallery.database.reading() as connection:
        return {
            table.name: len(connection.execute(select(table.c.id).where(table.c.person_id == person_id)).all())
            for table in (templates, held, sightings, offers, events, attendance_entries)
        }


def photo(folder: Path, name: str) -> Path:
    return folder / name / ("portrait.png" if name == YES else "one.png")


def track_of(gallery: Gallery, name: str, key: str) -> SeenTrack:
    now = datetime.now(UTC)
    return SeenTrack(key, "door", gallery.person(name).id, None, now, now, frames=9)


def template(seed: int = 5) -> NewTemplate:
    vector = np.random.default_rng(seed).normal(size=64).astype(np.float32)
    return NewTemplate(vector / np.linalg.norm(vector), "file.png", f"{seed:064x}", quality=0.9)


def _live(recognizer: FaceRecognizer, folder: Path, who: str) -> list[Any]:
    session = LiveSession(recognizer, SessionOptions(wait_for_names=True))
    with session:
        image = read_image(photo(folder, who))
        frames = [session.frame(image, 0.1 * i, datetime.now(UTC)) for i in range(8)]
        return [[face.identity.label for face in frame.faces] for frame in frames]


def _offer(recognizer: FaceRecognizer, who: str) -> str:
    gallery = recognizer.gallery
    vector = gallery.template_store.vectors(who).embeddings[0]
    near = vector + np.random.default_rng(1).normal(size=64).astype(np.float32) * 0.03
    picture = np.zeros((90, 90, 3), np.uint8)
    embedding = (near / np.linalg.norm(near)).astype(np.float32)
    person_id = gallery.person(who).id
    candidate = SampleCandidate(person_id, "door", datetime.now(UTC), embedding, picture, 0.95, 10, 0)
    return offer_sample(gallery, candidate, recognizer.rule.threshold)


def _name_unknown(recognizer: FaceRecognizer, who: str) -> object:
    gallery, now = recognizer.gallery, datetime.now(UTC)
    SightingLog(gallery).record([SeenTrack("u", "door", None, 7, now, now)])
    return name_unknown(gallery, [7], who, recognizer.person_review, faces=[template()])


def _photographed(recognizer: FaceRecognizer, who: str) -> list[str]:
    gallery = recognizer.gallery
    session = open_session(gallery.database, f"class of {len(who)}", people=[YES])
    done = mark_photographed(gallery.database, session.id, [gallery.person(who).id])
    return [*done.came, *done.there]


def _seen_in_session(recognizer: FaceRecognizer, who: str) -> list[str]:
    gallery, now = recognizer.gallery, datetime.now(UTC)
    session = open_session(gallery.database, f"class of {len(who)}", people=[YES], start=now - timedelta(hours=1))
    SightingLog(gallery).record([track_of(gallery, who, "k")])
    return [a.name for a in report_session(gallery.database, session.id).attendees if a.first_seen is not None]


def _alike(recognizer: FaceRecognizer, who: str) -> list[str]:
    """Somebody with the very face of another, who has given consent."""
    gallery, twin = recognizer.gallery, f"Twin of {len(who)} letters"
    vectors = gallery.template_store.vectors(who).embeddings
    gallery.consents.require(False)
    faces = [NewTemplate(vector, f"{i}.png", f"{i:064x}", quality=0.9) for i, vector in enumerate(vectors)]
    gallery.add_templates(twin, faces)
    gallery.consents.give(twin, NewConsent(twin, today()))
    gallery.consents.require(True)
    pairs = alike_people(gallery, recognizer.embedder.contract, recognizer.rule)
    return [name for pair in pairs for name in (pair.first, pair.second)]


def _imported(recognizer: FaceRecognizer, folder: Path, who: str) -> str:
    gallery = recognizer.gallery
    (folder / "in.csv").write_text(f"name,external_id,groups\n{who},{len(who)},class\n", "utf-8")
    assert gallery.import_people(folder / "in.csv").updated == 1
    gallery.export_people(folder / "out.csv")
    return (folder / "out.csv").read_text("utf-8")


def _load(recognizer: FaceRecognizer, folder: Path, who: str) -> list[str]:
    write_image(folder / who / "new.png", toy_plugin.picture(9, 1))
    reviews = recognizer.load_known_faces(folder).reviews
    return [one.person for one in reviews if one.status in {"enrolled", "held"}]


def _withdrawn_after(recognizer: FaceRecognizer, who: str, record: Callable[[Gallery], object]) -> Any:
    """What is recorded of somebody who then takes the consent back."""
    gallery = recognizer.gallery
    if who == NO:
        gallery.consents.give(NO, NewConsent(NO, today()))
    found = record(gallery)
    if who == NO:
        gallery.consents.withdraw(NO)
    return found


def _alert(recognizer: FaceRecognizer, who: str, *, kind: Kind) -> list[str]:
    gallery = recognizer.gallery
    gallery.set_groups(who, ["watched"])
    by = time(0) if kind == "missing" else None
    add_rule(gallery.database, AlertRule(f"rule of {who}", kind, group="watched", by=by))
    seen = [] if kind == "missing" else [track_of(gallery, who, "k")]

    def raised(gallery: Gallery) -> None:
        SightingLog(gallery).record(seen)
        with Alerts(gallery.database) as alerts:
            alerts.evaluate(seen)

    if kind == "missing":
        raised(gallery)
    else:
        _withdrawn_after(recognizer, who, raised)
    return [alert.sentence for alert in read_alerts(gallery.database)]


def _written_session(recognizer: FaceRecognizer, who: str) -> list[str]:
    def closed(gallery: Gallery) -> int:
        now = datetime.now(UTC)
        session = open_session(gallery.database, f"class of {who}", people=["Zoë"], start=now - timedelta(hours=1))
        SightingLog(gallery).record([track_of(gallery, who, "k")])
        close_session(gallery.database, session.id)
        return session.id

    number = _withdrawn_after(recognizer, who, closed)
    return [a.name for a in report_session(recognizer.gallery.database, number).attendees]


def _held_accepted(recognizer: FaceRecognizer, who: str) -> str:
    gallery = recognizer.gallery
    hold = [(who, NewHeld(template(), "odd", "odd", b""))]
    _withdrawn_after(recognizer, who, lambda gallery: gallery.enrol([], held=hold))
    return f"{who} has {gallery.held_store.accept([one.id for one in gallery.held_store.list(who)])} more"


PATHS: dict[str, Callable[[FaceRecognizer, Path, str], object]] = {
    "add_known_face": lambda r, f, who: r.add_known_face(who, toy_plugin.picture(9, 1), insist=True),
    "load_known_faces": _load,
    "add_templates": lambda r, f, who: r.gallery.add_templates(who, [template()]),
    "held": lambda r, f, who: r.gallery.enrol([], held=[(who, NewHeld(template(), "odd", "odd", b""))]),
    "move_templates": lambda r, f, who: r.gallery.people_store.move_templates([r.gallery.templates("Zoë")[0].id], who),
    "identify": lambda r, f, who: [(x.name, x.decision.candidates) for x in r.identify(photo(f, who), top=3)],
    "classify_face": lambda r, f, who: r.classify_face(r.identify(photo(f, who), with_embeddings=True)[0].embedding),
    "verify_person": lambda r, f, who: r.verify_person(photo(f, who), who),
    "live": _live,
    "record": lambda r, f, who: SightingLog(r.gallery).record([track_of(r.gallery, who, "k")]),
    "offer": lambda r, f, who: _offer(r, who),
    "name_unknown": lambda r, f, who: _name_unknown(r, who),
    "photographed": lambda r, f, who: _photographed(r, who),
    "attendance": lambda r, f, who: _seen_in_session(r, who),
    "people_alike": lambda r, f, who: _alike(r, who),
    "migrate": lambda r, f, who: (r.migrate("toy-coarse"), [x.name for x in r.identify(photo(f, who))])[1],
    "import_people": _imported,
    "missing": lambda r, f, who: _alert(r, who, kind="missing"),
    "export_people": lambda r, f, who: (r.gallery.export_people(f / "x.csv"), (f / "x.csv").read_text("utf-8"))[1],
    "export_npz": lambda r, f, who: set(r.gallery.template_store.enrolled_faces().names.tolist()),
}


ONCE = {"held", "move_templates", "offer"}
"""Paths of which the test tries only what is refused: what they take of others is gone after that, or too like them."""


@pytest.mark.parametrize("path", PATHS)
def test_no_path_enrols_names_records_or_exports_without_consent_and_each_goes_on_with_it(
    demanding: FaceRecognizer, enrolled_toys: Path, path: str
) -> None:
    before = rows_of(demanding.gallery, NO)
    try:
        said = PATHS[path](demanding, enrolled_toys, NO)
    except ConsentError:
        said = ""
    assert NO not in str(said), said
    assert rows_of(demanding.gallery, NO) == before
    if path not in ONCE:
        before = rows_of(demanding.gallery, YES)
        said = PATHS[path](demanding, enrolled_toys, YES)
        assert YES in str(said) or rows_of(demanding.gallery, YES) != before or getattr(said, "same", False), said


@pytest.mark.parametrize("tell", [partial(_alert, kind="seen"), _written_session, _held_accepted])
def test_what_was_recorded_before_a_withdrawal_names_and_enrols_nobody_after_it(
    demanding: FaceRecognizer, tell: Callable[[FaceRecognizer, str], object]
) -> None:
    try:
        said = tell(demanding, NO)
    except ConsentError:
        said = ""
    assert NO not in str(said), said
    assert YES in str(tell(demanding, YES))


def test_a_consent_counts_for_what_it_was_given_and_while_it_holds(
    demanding: FaceRecognizer, enrolled_toys: Path
) -> None:
    gallery = demanding.gallery
    day = today()
    for new in (
        NewConsent(NO, day + timedelta(days=1)),
        NewConsent(NO, day - timedelta(days=9), until=day - timedelta(days=1)),
        NewConsent("Eva", day, {"live"}, guardian=True),
    ):
        gallery.consents.give(NO, new)
        assert demanding.identify(photo(enrolled_toys, NO))[0].name is None
    assert NO in str(_live(demanding, enrolled_toys, NO))
    assert gallery.consents.missing() == [gallery.person("Zoë")]
    gallery.consents.give(NO, NewConsent(NO, day, {"photos"}, until=day))
    assert demanding.identify(photo(enrolled_toys, NO))[0].name == NO


def test_whoever_withdraws_is_not_named_in_the_next_frame(demanding: FaceRecognizer, enrolled_toys: Path) -> None:
    session, image = LiveSession(demanding, SessionOptions(wait_for_names=True)), read_image(photo(enrolled_toys, YES))
    with session, FaceRecognizer.open() as other:
        names = [session.frame(image, 0.1 * i, datetime.now(UTC)).faces[0].identity.label for i in range(6)]
        assert names[-1] == YES
        SightingLog(demanding.gallery).record([track_of(demanding.gallery, YES, "k")])
        other.gallery.consents.withdraw(YES)
        assert session.frame(image, 0.7, datetime.now(UTC)).faces[0].identity.label != YES
    assert SightingLog(demanding.gallery).find(SightingFilter()) == []
    assert not demanding.gallery.index.snapshot().names_for("live"), "a film that was read before names nobody either"
    assert demanding.gallery.templates(YES), "removal is another choice"


def test_of_unknowns_neither_face_nor_picture_is_kept(demanding: FaceRecognizer) -> None:
    log = SightingLog(demanding.gallery, RetentionPolicy(pictures=True, unknown_faces=True))
    now, picture = datetime.now(UTC), np.zeros((40, 40, 3), np.uint8)
    log.record([SeenTrack("u", "door", None, 1, now, now, picture=picture, embedding=template().vector)])
    (seen,) = log.find(SightingFilter())
    assert (seen.has_face, seen.has_picture) == (False, False)


def test_a_restored_backup_brings_no_withdrawn_consent_back(
    demanding: FaceRecognizer, enrolled_toys: Path, tmp_path: Path
) -> None:
    gallery = demanding.gallery
    gallery.consents.require(False)
    gallery.backup(tmp_path / "backup.db")
    gallery.consents.require(True)
    gallery.consents.withdraw(YES)
    demanding.close()
    location = gallery.location
    Gallery.restore(tmp_path / "backup.db", location)
    with FaceRecognizer.open(location) as recognizer:
        assert recognizer.gallery.consents.required
        assert [recognizer.identify(photo(enrolled_toys, who))[0].name for who in (YES, NO)] == [None, None]


def test_whoever_is_joined_brings_their_consent_and_takes_it_back(demanding: FaceRecognizer) -> None:
    gallery = demanding.gallery
    gallery.merge([YES], NO)
    assert [one.name for one in gallery.consents.list()] == [NO]
    gallery.history.undo()
    assert [one.name for one in gallery.consents.list()] == [YES]
    with pytest.raises(ConsentError):
        gallery.split(YES, [gallery.templates(YES)[0].id], "Somebody new")


def test_the_command_line_and_a_file_write_consents_down(
    enrolled_toys: Path, alone: Path, knownface: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KNOWNFACE_CONSENT", "required")

    def named() -> set[str | None]:
        files = [photo(enrolled_toys, name) for name in (YES, NO, "Zoë")]
        ran = knownface("identify", *files, "--json")
        return {face["name"] for face in json.loads(ran.out)} if ran.out else set()

    assert named() == {None}
    ran = knownface("enroll", enrolled_toys)
    assert "no valid consent" in ran.out + ran.err
    assert knownface("people", "consent", "give", YES, "--by", "Ida", "--guardian", "--document", "A 1").status == 0
    rows = f"name,consent_by,consent_on,consent_for\nZoë,Zoë,2026-01-02,photos;live\n{NO},,,\n"
    (alone / "people.csv").write_text(rows, "utf-8")
    assert knownface("people", "import", "people.csv").status == 0
    assert named() == {YES, "Zoë", None}
    assert knownface("people", "consent", "list", "--missing").out.split() == [NO]
    assert knownface("people", "consent", "withdraw", "Zoë").status == 0
    assert knownface("people", "import", "people.csv").status == 0, "the same file brings nothing back"
    assert named() == {YES, None}
    ran = knownface("people", "consent", "withdraw", YES, "--remove", "--yes")
    assert (ran.status, named()) == (0, {None})
    with Gallery.open(alone.parent / "gallery.db") as gallery:
        assert [person.name for person in gallery.people()] == [NO, "Zoë"]
    (alone / "people.csv").write_text("name,consent_by,consent_on,consent_for\nA,B,soon,photos\nC,D,2026-01-01,tea\n")
    ran = knownface("people", "import", "people.csv")
    assert (ran.status, "line 2" in ran.err, "line 3" in ran.err) == (3, True, True)


def test_the_form_says_what_the_settings_say(alone: Path, knownface: Callable[..., Any]) -> None:
    (alone / "knownface.toml").write_text(
        'controller = "Hill School"\nprivacy_contact = "dpo@hill"\nretention_days = 30\n'
    )
    assert knownface("people", "consent", "form").status == 0
    page = (alone / "consent.html").read_text("utf-8")
    assert all(text in page for text in ("Hill School", "dpo@hill", "30 days", "guardian"))


def test_dates_are_those_of_the_paper() -> None:
    with pytest.raises(Exception, match="end before"):
        NewConsent("Ann", date(2026, 5, 2), until=date(2026, 5, 1))
