"""Galleries that seal names too: they are ordered, searched, edited and undone as ever, and nothing shows one."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Text, select, type_coerce, update

from knownface.errors import GalleryError, NameTakenError, UnknownPersonError
from knownface.events import Guest, open_session
from knownface.events.attendance import find_names
from knownface.gallery import Gallery
from knownface.gallery.sealing import (
    backup_with_keys_apart,
    decrypt_gallery,
    encrypt_gallery,
    people_keys,
    rekey_gallery,
)
from knownface.settings import Settings
from knownface.storage.schema import metadata, people
from knownface.storage.sealing.columns import DAMAGED_NAME, SealedName
from knownface.storage.sealing.keys import make_key_file

NAMES = ("Zoë", "ann lee", "Ben", "Anton", "Çelik")
IN_ORDER = ["ann lee", "Anton", "Ben", "Zoë", "Çelik"]
KINDS = [(t, c) for t in metadata.sorted_tables for c in t.c if isinstance(c.type, SealedName)]


@pytest.fixture
def settings(tmp_path):
    key = f"file:{tmp_path / 'gallery.key'}"
    make_key_file(key)
    return Settings(gallery=str(tmp_path / "g.db"), gallery_key=key, seal_names=True)


@pytest.fixture
def named(settings, face, contract):
    """Five people, their names sealed from the first byte."""
    with Gallery.open_by(settings) as opened:
        opened.bind(contract)
        opened.enrol([(name, face(10 * i)) for i, name in enumerate(NAMES)])
        yield opened


def raw(gallery):
    """Every value of a column that may be sealed, as the database has it."""
    with gallery.database.reading() as connection:
        found = [connection.scalars(select(type_coerce(column, Text()))).all() for _, column in KINDS]
    return [value for values in found for value in values if value is not None]


def shown(gallery):
    return [person.name for person in gallery.people()]


def test_people_are_ordered_searched_and_paged_as_ever(named, settings):
    assert all(value.startswith("sealed:1:") for value in raw(named))
    assert shown(named) == IN_ORDER
    page = named.people_store.page
    assert [p.name for p in page(search=" EE", group=None, after=None, limit=9)] == ["ann lee"]
    assert [p.name for p in page(search=None, group=None, after="Anton", limit=2)] == ["Ben", "Zoë"]
    assert named.person("ANN_LEE").name == "ann lee"
    with pytest.raises(UnknownPersonError, match="Anton"):
        named.person("Antom")
    with pytest.raises(NameTakenError):
        named.rename("Ben", "anton")
    with Gallery.open(settings.gallery, key=settings.gallery_key) as again:
        assert shown(again) == IN_ORDER


def test_edits_are_undone_and_what_was_renamed_is_still_known(named):
    named.rename("Ben", "Benjamin")
    named.merge(["Anton"], "Zoë")
    assert shown(named) == ["ann lee", "Benjamin", "Zoë", "Çelik"]
    named.history.undo()
    named.history.undo()
    assert shown(named) == IN_ORDER
    assert all(value.startswith("sealed:1:") for value in raw(named))


def test_names_are_sealed_and_opened_at_any_time(named, settings):
    key = settings.gallery_key
    named.close()
    for done, sealed in (
        (lambda: rekey_gallery(settings, key, names=False), False),
        (lambda: rekey_gallery(settings, key, names=True), True),
        (lambda: rekey_gallery(settings, key, records=True), True),
        (lambda: decrypt_gallery(settings), False),
        (lambda: encrypt_gallery(settings, key, names=True), True),
    ):
        assert done().damaged == ()
        is_open = b"ann lee" in Path(settings.gallery).read_bytes()
        assert is_open is not sealed
        with Gallery.open(settings.gallery, key=key) as again:
            assert shown(again) == IN_ORDER
            assert {value.startswith("sealed:1:") for value in raw(again)} == {sealed}


def test_a_program_that_had_it_open_before_writes_no_open_name(settings, face, contract):
    plain = Settings(gallery=settings.gallery)
    with Gallery.open_by(plain) as before:
        before.bind(contract)
        before.enrol([("Ann", face(1))])
        encrypt_gallery(settings, settings.gallery_key, names=True)
        with pytest.raises(GalleryError):
            before.enrol([("Open Name", face(2))])
    assert b"Open Name" not in Path(settings.gallery).read_bytes()


def test_a_damaged_name_is_told_and_the_rest_is_served(named):
    with named.database.writing() as connection:
        of_ben = people.c.id == named.person("Ben").id
        connection.execute(update(people).where(of_ben).values(name=type_coerce("sealed:1:AAAA", Text())))
    with named.database.reading() as connection:
        assert sorted(connection.scalars(select(people.c.name))) == [DAMAGED_NAME, *sorted({*NAMES} - {"Ben"})]


def test_a_backup_with_keys_apart_names_nobody_who_was_removed(named, settings, tmp_path):
    backup_with_keys_apart(named, settings.gallery_key, tmp_path / "b.db", tmp_path / "people.keys")
    number = named.person("Ben").id
    named.remove("Ben")
    named.close()
    keys = people_keys(settings, tmp_path / "b.db", None)
    done = Gallery.restore(tmp_path / "b.db", settings.gallery, key=settings.gallery_key, secrets=keys)
    assert list(done.left_out) == [f"person {number}"]
    with Gallery.open(settings.gallery, key=settings.gallery_key) as again:
        assert shown(again) == [name for name in IN_ORDER if name != "Ben"]


def test_a_name_may_look_sealed_where_none_is(tmp_path, face, contract):
    with Gallery.open(tmp_path / "plain.db") as plain:
        plain.bind(contract)
        plain.enrol([("sealed:1:AAAA", face(1))])
        assert shown(plain) == ["sealed:1:AAAA"]
        assert plain.templates("sealed:1:AAAA")[0].source


def test_who_is_expected_in_a_session_is_searched_by_letters(named):
    session = open_session(named.database, "Lesson", people=["Ben", "Anton"], guests=[Guest("Bernd", None, {})])
    assert find_names(named.database, session.id, "B", 10) == ["Ben", "Bernd"]
    assert find_names(named.database, session.id, "", 2) == ["Anton", "Ben"]
