"""Backups whose people are sealed by keys of their own: who is removed stays removed, everybody else comes back."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sqlalchemy import select

from knownface.errors import GalleryError, GalleryKeyError, OutputError
from knownface.gallery import Gallery
from knownface.gallery.sealing import backup_with_keys_apart, people_keys, rekey_gallery
from knownface.settings import Settings
from knownface.storage.schema import person_keys
from knownface.storage.sealing.keys import make_key_file


@pytest.fixture
def settings(tmp_path, tmp_path_factory):
    key = f"file:{tmp_path_factory.mktemp('key') / 'gallery.key'}"
    make_key_file(key)
    return Settings(gallery=str(tmp_path / "g.db"), gallery_key=key)


@pytest.fixture
def filled(settings, contract, face):
    """Three people; it is closed after the test."""
    with Gallery.open_by(settings) as gallery:
        gallery.bind(contract)
        gallery.enrol([(name, face(10 * i + j)) for i, name in enumerate(("Ann", "Ben", "Zoë")) for j in range(3)])
        gallery.set_external_id("Ann", "ID-1")
        gallery.set_external_id("Ben", "ID-2")
        yield gallery


def restored(settings, copy, store=None):
    done = Gallery.restore(copy, settings.gallery, key=settings.gallery_key, secrets=people_keys(settings, copy, store))
    return done, Gallery.open_by(settings)


def test_who_was_removed_is_not_brought_back(filled, settings, tmp_path):
    copy, store = tmp_path / "b.db", tmp_path / "b.keys"
    before = filled.vectors("Ben")
    with filled.database.reading() as connection:
        sealed = {bytes(v) for (v,) in connection.exec_driver_sql("SELECT vector FROM templates")}
    backup_with_keys_apart(filled, settings.gallery_key, copy, store)
    assert not any(vector in copy.read_bytes() for vector in sealed)
    with pytest.raises(GalleryKeyError, match="keys of their own"):
        Gallery.open(copy, key=settings.gallery_key)
    (removed,) = filled.remove("Ann")
    assert removed.counts["person_keys"] == 1
    filled.close()

    done, again = restored(settings, copy)
    with again:
        assert done.left_out == ("Ann",)
        assert {p.name for p in again.people()} == {"Ben", "Zoë"}
        assert np.array_equal(again.vectors("Ben").embeddings, before.embeddings)
        assert again.person("Ben").external_id == "ID-2"
        assert again.search(before.embeddings[:1], 1).distances[0, 0] < 1e-3
    # Restored a second time, and after the gallery was lost, from the store of a later backup.
    done, again = restored(settings, copy)
    with again:
        assert done.left_out == ("Ann",)
        backup_with_keys_apart(again, settings.gallery_key, tmp_path / "c.db", store)
    (tmp_path / "g.db").unlink()
    done, again = restored(settings, copy, store)
    with again:
        assert done.left_out == ("Ann",)
        assert again.person("Ben").external_id == "ID-2"


def test_joined_people_go_together_and_a_join_undone_parts_their_keys(filled, settings, tmp_path):
    copy, store = tmp_path / "b.db", tmp_path / "b.keys"
    backup_with_keys_apart(filled, settings.gallery_key, copy, store)
    filled.people_store.merge(["Ann"], "Ben")
    with filled.database.reading() as connection:
        assert len(set(connection.scalars(select(person_keys.c.person_id)))) == 2
    filled.history.undo()
    with filled.database.reading() as connection:
        assert len(set(connection.scalars(select(person_keys.c.person_id)))) == 3
    filled.people_store.merge(["Ann"], "Ben")
    filled.remove("Ben")
    filled.close()
    done, again = restored(settings, copy)
    with again:
        assert done.left_out == ("Ann", "Ben")


def test_without_keys_it_is_refused_and_nothing_is_touched(filled, settings, tmp_path, tmp_path_factory):
    copy, store = tmp_path / "b.db", tmp_path / "b.keys"
    backup_with_keys_apart(filled, settings.gallery_key, copy, store)
    filled.close()
    lost = settings.model_copy(update={"gallery": str(tmp_path / "new.db")})
    with pytest.raises(GalleryKeyError, match="kept apart"):
        restored(lost, copy)
    assert not (tmp_path / "new.db").exists()
    text = json.loads(store.read_text())
    store.write_text(json.dumps({**text, "keys": "A" + text["keys"][1:-2] + "=="}))
    with pytest.raises(GalleryKeyError):
        restored(settings, copy, store)
    other = f"file:{tmp_path_factory.mktemp('other') / 'other.key'}"
    make_key_file(other)
    # Another data key: the people's keys are sealed anew, and earlier backups still open.
    rekey_gallery(settings, other, records=True)
    with Gallery.open_by(settings.model_copy(update={"gallery_key": other})) as gallery:
        backup_with_keys_apart(gallery, other, tmp_path / "c.db", store)
    done, again = restored(settings.model_copy(update={"gallery_key": other}), tmp_path / "c.db")
    with again:
        assert (done.left_out, len(again.people())) == ((), 3)


def test_where_there_is_no_backup_the_key_store_stays_as_it_was(filled, settings, tmp_path):
    copy, store = tmp_path / "b.db", tmp_path / "b.keys"
    backup_with_keys_apart(filled, settings.gallery_key, copy, store)
    before = copy.read_bytes(), store.read_bytes()
    filled.remove("Ann")
    for file, keys in ((copy, store), (tmp_path / "c.db", tmp_path / "c.db"), (tmp_path / "c.db", tmp_path / "g.db")):
        with pytest.raises(OutputError):
            backup_with_keys_apart(filled, settings.gallery_key, file, keys)
    assert (copy.read_bytes(), store.read_bytes()) == before
    assert not (tmp_path / "c.db").exists()
    backup_with_keys_apart(filled, settings.gallery_key, copy, store, overwrite=True)
    assert store.read_bytes() != before[1]


def test_an_open_gallery_has_no_such_backup(gallery, tmp_path):
    with pytest.raises(GalleryError, match="not encrypted"):
        backup_with_keys_apart(gallery, "env:NONE", tmp_path / "b.db", tmp_path / "b.keys")
