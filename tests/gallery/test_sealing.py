"""An encrypted gallery: what lies in its files, what damage does, other keys, and programs that were not told."""

from __future__ import annotations

import contextlib
import itertools
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

import numpy as np
import pytest
from sqlalchemy import LargeBinary, String, Text, insert, select, type_coerce, update

from knownface.errors import (
    GalleryError,
    GalleryKeyError,
    SettingsError,
    UnknownPersonError,
)
from knownface.gallery import Gallery
from knownface.gallery.index.local import LocalIndex
from knownface.gallery.index.saved import index_files
from knownface.gallery.sealing import decrypt_gallery, encrypt_gallery, rekey_gallery
from knownface.search import FaissFlatIndex
from knownface.settings import Settings
from knownface.storage.schema import UtcDateTime, metadata
from knownface.storage.sealing.columns import DamagedRecord, Sealed, SealedText
from knownface.storage.sealing.keys import make_key_file

SEALED = [
    (table, column)
    for table in metadata.sorted_tables
    for column in table.c
    if isinstance(column.type, Sealed | SealedText)
]


@pytest.fixture
def key(tmp_path_factory):
    source = f"file:{tmp_path_factory.mktemp('key') / 'gallery.key'}"
    make_key_file(source)
    return source


@pytest.fixture
def settings(place, key):
    return Settings(gallery=str(place), gallery_key=key)


@pytest.fixture
def filled(gallery, face):
    """Three people, and a row in every table that holds something to be sealed."""
    gallery.enrol([(name, face(10 * i + j)) for i, name in enumerate(("Ann", "Ben", "Zoë")) for j in range(3)])
    gallery.add_templates("Ann", [face(99, negative=True)])
    gallery.set_external_id("Ann", "ID-4711-SECRET")
    with gallery.database.writing() as connection:
        ids = itertools.count(1)
        sessions = metadata.tables["attendance_sessions"]
        connection.execute(insert(sessions), {**_row(sessions, 0), "id": 1})
        for table in dict.fromkeys(table for table, _ in SEALED):
            if table.name not in ("people", "templates"):
                connection.execute(insert(table), _row(table, next(ids)))
    return gallery


def _row(table, number):
    """A row of any table, whose sealed columns can be told from all others."""
    row = {}
    for column in table.c:
        if isinstance(column.type, Sealed):
            row[column.name] = f"SECRET {table.name} {column.name}".encode() + bytes(range(200))
        elif isinstance(column.type, SealedText):
            row[column.name] = f"SECRET {table.name} {column.name}"
        elif column.primary_key and not column.foreign_keys:
            row[column.name] = 1000 + number
        elif column.foreign_keys:
            row[column.name] = 1
        elif isinstance(column.type, UtcDateTime):
            row[column.name] = datetime(2026, 5, 4, tzinfo=UTC)
        elif isinstance(column.type, String | Text):
            row[column.name] = "a" * 8
        elif not column.nullable:
            row[column.name] = 1
    return row


def records(gallery):
    """Every sealed value, as the program reads it."""
    with gallery.database.reading() as connection:
        return {
            (table.name, column.name): connection.scalars(select(column).where(column.is_not(None))).all()
            for table, column in SEALED
        }


def raw(gallery):
    """Every sealed value, as the database has it."""
    with gallery.database.reading() as connection:
        found = {}
        for table, column in SEALED:
            kind = LargeBinary() if isinstance(column.type, Sealed) else Text()
            values = connection.scalars(select(type_coerce(column, kind)).where(column.is_not(None))).all()
            found[table.name, column.name] = [v.encode() if isinstance(v, str) else bytes(v) for v in values]
        return found


def test_whatever_holds_bytes_is_sealed():
    kept_open = [c for t in metadata.sorted_tables for c in t.c if isinstance(c.type, LargeBinary)]
    assert kept_open == []


def test_encrypting_leaves_nothing_open_and_loses_nothing(filled, settings, key, tmp_path):
    filled.build_index()
    before, was_raw = records(filled), raw(filled)
    assert all(before.values()), "a row for every column"
    assert all(was_raw[place] == [v.encode() if isinstance(v, str) else v for v in before[place]] for place in before)
    probe = filled.vectors("Ben").embeddings[:1]
    answer = filled.search(probe, 5)
    filled.close()
    secrets = [v.encode() if isinstance(v, str) else v for values in before.values() for v in values]

    done = encrypt_gallery(settings, key)
    assert (done.records, done.damaged, done.scrubbed) == (len(secrets), (), True)
    with Gallery.open(settings.gallery, key=key) as sealed:
        assert records(sealed) == before
        stored = [v for values in raw(sealed).values() for v in values]
        assert not [secret for secret in secrets for v in stored if secret in v]
        found = sealed.search(probe, 5)
        assert np.array_equal(found.distances, answer.distances)
        assert np.array_equal(found.templates, answer.templates)
        assert sealed.info().encrypted
        sealed.build_index()
    if "://" not in settings.gallery:
        assert not any(path.exists() for path in index_files(tmp_path / "gallery.db"))
        contents = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        assert not [(path, secret) for path, content in contents.items() for secret in secrets if secret in content]

    assert decrypt_gallery(settings).records == len(secrets)
    with Gallery.open(settings.gallery) as opened:
        assert records(opened) == before
        assert raw(opened) == was_raw


def test_another_key_opens_and_the_former_does_not(filled, settings, key, tmp_path_factory, monkeypatch):
    before = records(filled)
    filled.close()
    encrypt_gallery(settings, key)
    monkeypatch.setenv("A_PASSPHRASE", " correct horse\n")
    rekey_gallery(settings, "env:A_PASSPHRASE")
    with pytest.raises(GalleryKeyError, match="another key or passphrase"):
        Gallery.open(settings.gallery, key=key)
    with Gallery.open(settings.gallery, key="env:A_PASSPHRASE") as again:
        sealed = raw(again)
    other = settings.model_copy(update={"gallery_key": "env:A_PASSPHRASE"})
    rekey_gallery(other, key, records=True)
    with Gallery.open(settings.gallery, key=key) as again:
        assert records(again) == before
        anew = raw(again)
        assert not any(set(anew[where]) & set(sealed[where]) for where in sealed)


@pytest.mark.parametrize("key_named", [None, "env:NOT_SET", "file:/no/such/file", "command:false", "nonsense"])
def test_a_lost_key_is_told_in_a_sentence(filled, settings, key, key_named, file):
    filled.close()
    encrypt_gallery(settings, key)
    with pytest.raises(GalleryKeyError) as told:
        Gallery.open(settings.gallery, key=key_named)
    assert told.value.message.endswith((".", "'."))
    assert "\n" not in told.value.message
    assert told.value.hint


@pytest.mark.parametrize(("table", "column"), SEALED, ids=lambda part: part.name)
def test_a_flipped_bit_is_noticed_in_every_kind_of_record(filled, settings, key, table, column, file):
    before = records(filled)
    filled.close()
    encrypt_gallery(settings, key)
    kind = LargeBinary() if isinstance(column.type, Sealed) else Text()
    keys = list(table.primary_key.columns)
    with Gallery.open(settings.gallery, key=key) as sealed:
        with sealed.database.writing() as connection:
            one = select(*keys, type_coerce(column, kind)).where(column.is_not(None)).order_by(*keys).limit(1)
            *where, value = connection.execute(one).one()
            of_it = update(table).where(*(k == v for k, v in zip(keys, where, strict=True)))
            connection.execute(of_it.values({column: type_coerce(_flipped(value), kind)}))
        after = records(sealed)
        place = (table.name, column.name)
        assert all(after[other] == before[other] for other in before if other != place)
        read = after[place]
        expected = DamagedRecord() if isinstance(column.type, Sealed) else column.type.damaged
        assert expected in read
        assert len([value for value in read if value != expected]) == len(before[place]) - 1
    with contextlib.suppress(GalleryError):
        assert any(table.name in told for told in decrypt_gallery(settings).damaged)


def _flipped(value):
    data = bytearray(value.encode() if isinstance(value, str) else value)
    at = len(data) // 2
    data[at] ^= 1
    return data.decode() if isinstance(value, str) else bytes(data)


def test_a_damaged_template_is_named_and_the_others_are_searched(filled, settings, key, caplog):
    probe = filled.vectors("Ann").embeddings[:1]
    filled.close()
    encrypt_gallery(settings, key)
    table = metadata.tables["templates"]
    with Gallery.open(settings.gallery, key=key) as sealed:
        bad = sealed.templates("Ann")[0].id
        with sealed.database.writing() as connection:
            broken = type_coerce(b"\xff\xff\xff\xff\x01" + bytes(60), LargeBinary())
            connection.execute(update(table).where(table.c.id == bad).values(vector=broken))
    with Gallery.open(settings.gallery, key=key) as sealed:
        found = sealed.search(probe, 20)
        assert bad not in found.templates
        assert np.count_nonzero(found.templates >= 0) == 8
        assert f"templates {bad} are damaged" in caplog.text
        assert [(a.template.id, a.reason) for a in sealed.template_store.set_aside("Ann") if a.template.id == bad]


def test_a_program_that_was_not_told_writes_nothing_open(gallery, face, settings, key, reopen):
    gallery.enrol([("Ann", face(1))])
    stranger = reopen()
    gallery.close()
    encrypt_gallery(settings, key)
    with pytest.raises(GalleryKeyError, match="meanwhile"):
        stranger.enrol([("Ben", face(2))])
    with pytest.raises(GalleryKeyError, match="meanwhile"):
        stranger.vectors("Ann")
    with Gallery.open(settings.gallery, key=key) as sealed:
        assert set(sealed.names.values()) == {"Ann"}


def test_a_new_gallery_is_encrypted_where_a_key_is_set(tmp_path, contract, face, key):
    settings = Settings(gallery=str(tmp_path / "new.db"), gallery_key=key)
    with Gallery.open_by(settings) as new:
        new.bind(contract)
        new.enrol([("Ann", face(1))])
        assert new.info().encrypted
    assert face(1).vector.tobytes() not in (tmp_path / "new.db").read_bytes()
    with pytest.raises(GalleryKeyError, match="no key is named"):
        Gallery.open(tmp_path / "new.db")


def test_an_external_id_is_found_whole_and_stays_unique(filled, settings, key):
    filled.close()
    encrypt_gallery(settings, key)
    with Gallery.open(settings.gallery, key=key) as sealed:
        assert [p.name for p in sealed.people_store.page(search="ID-4711-SECRET", limit=5)] == ["Ann"]
        assert sealed.person("Ann").external_id == "ID-4711-SECRET"
        with pytest.raises(Exception, match="has the external id"):
            sealed.set_external_id("Ben", "ID-4711-SECRET")
        sealed.remove("Ann")
        with pytest.raises(UnknownPersonError):
            sealed.person("Ann")
        sealed.set_external_id("Ben", "ID-4711-SECRET")


def test_engines_outside_of_the_process_are_refused(filled, settings, key):
    filled.close()
    named = settings.model_copy(update={"index": "milvus", "milvus_uri": "http://127.0.0.1:1"})
    with pytest.raises(SettingsError, match="cannot search an encrypted gallery"):
        encrypt_gallery(named, key)
    encrypt_gallery(settings, key)
    with pytest.raises(SettingsError, match="is encrypted"):
        Gallery.open_by(named)


def test_a_file_of_the_index_is_never_written(filled, settings, key, tmp_path, monkeypatch):
    from knownface.gallery.index import local

    monkeypatch.setattr(local, "WORTH_SAVING", 0)
    filled.close()
    encrypt_gallery(settings, key)
    with Gallery.open(settings.gallery, key=key, index=LocalIndex(FaissFlatIndex)) as sealed:
        sealed.search(sealed.vectors("Ann").embeddings, 2)
    assert [path.name for path in tmp_path.iterdir() if "index" in path.name or "part" in path.name] == []


@pytest.mark.slow
def test_rekeying_that_is_killed_leaves_the_gallery_whole(gallery, face, settings, key, file, tmp_path_factory):
    """Killed at any moment, the former or the new key opens all of it, and rekeying again ends it."""
    gallery.enrol([("Ann", face(i)) for i in range(300)])
    before = gallery.vectors().embeddings
    gallery.close()
    encrypt_gallery(settings, key)
    keys = [key, f"file:{tmp_path_factory.mktemp('other') / 'other.key'}"]
    make_key_file(keys[1])
    program = (
        "import sys; from knownface.gallery.sealing import rekey_gallery; from knownface.settings import Settings\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "rekey_gallery(Settings(gallery=sys.argv[1], gallery_key=sys.argv[2]), sys.argv[3], records=True)"
    )
    killed = 0
    for turn in range(6):
        command = [sys.executable, "-c", program, settings.gallery, *keys]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
            running.stdout.readline()
            running.stdin.write(b"\n")
            running.stdin.flush()
            time.sleep(0.02 + 0.07 * turn)
            running.send_signal(signal.SIGKILL)
        killed += running.returncode == -signal.SIGKILL
        fitting = [one for one in keys if _opens(settings.gallery, one)]
        assert len(fitting) == 1
        with Gallery.open(settings.gallery, key=fitting[0]) as sealed:
            assert np.array_equal(sealed.vectors().embeddings, before)
        keys = [*fitting, *(one for one in keys if one not in fitting)]
    assert killed
    rekey_gallery(settings.model_copy(update={"gallery_key": keys[0]}), keys[1], records=True)
    assert _opens(settings.gallery, keys[1])


def _opens(location, key):
    try:
        Gallery.open(location, key=key).close()
    except GalleryKeyError:
        return False
    return True
