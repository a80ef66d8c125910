"""Faces held back from enrolment: on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from knownface.errors import ContractMismatchError, UnknownHeldError
from knownface.events.retention import purge
from knownface.gallery import NewHeld


@pytest.fixture
def holding(gallery, face):
    """Ann is enrolled; a photo and a video of hers, and a photo of somebody new, are held back."""
    video = [face(2, frame_time=time) for time in (0.0, 0.5)]
    held = [("Ann", NewHeld(face(1), "odd-picture", "It is odd.", b"jpeg"))]
    held += [("Ann", NewHeld(frame, "odd-picture", "Both are odd.")) for frame in video]
    held.append(("Zoë", NewHeld(face(3), "different-people", "Who is it?")))
    gallery.enrol([("Ann", face(0))], held=held)
    return gallery


def test_files_are_listed_accepted_and_rejected_as_wholes(holding):
    store = holding.held_store
    photo, video, other = store.list()
    assert [(w.name, w.faces, w.detail) for w in (photo, video, other)] == [
        ("Ann", 1, "It is odd."),
        ("Ann", 2, "Both are odd."),
        ("Zoë", 1, "Who is it?"),
    ]
    assert [w.id for w in store.list("zoë")] == [other.id]
    assert store.count() == 3
    assert store.list(limit=2) == [photo, video]
    assert store.list(after=("ann", photo.id), limit=1) == [video]
    assert store.list(after=("Bob", 1)) == [other], "the place is there though nobody of this name is"
    assert (store.picture(photo.id), store.picture(other.id)) == (b"jpeg", None)
    assert store.accept([video.id]) == 2
    assert store.reject([photo.id]) == 1
    assert [t.frame_time for t in holding.templates("Ann")] == [None, 0.0, 0.5]
    for gone in (photo.id, video.id, 999):
        with pytest.raises(UnknownHeldError):
            store.accept([gone])
    assert store.list() == [other]
    assert set(store.files().values()) == {"", "Who is it?"}  # what was rejected is known, without a sentence


def test_a_file_is_held_once_whatever_was_decided(holding, face):
    store = holding.held_store
    store.reject([store.list()[0].id])
    again = [("Ann", NewHeld(face(number), "odd-picture", "Again.")) for number in (1, 2)]
    holding.enrol([], held=again)
    assert [waiting.detail for waiting in store.list("Ann")] == ["Both are odd."]


def test_another_embedder_cannot_take_what_is_held(holding, other_contract, face):
    holding.remove("Ann")
    holding.bind(other_contract)
    holding.add_templates("Bob", [face(9)])
    with pytest.raises(ContractMismatchError):
        holding.held_store.accept([holding.held_store.list("Zoë")[0].id])


def test_what_is_held_goes_with_the_person_and_with_time(holding):
    holding.merge(["Zoë"], "Ann")
    assert {waiting.name for waiting in holding.held_store.list()} == {"Ann"}
    with holding.database.writing() as connection:
        assert purge(connection, datetime.now(UTC) - timedelta(hours=1)) == 0
        assert purge(connection, datetime.now(UTC) + timedelta(hours=1)) == 4
    assert holding.held_store.list() == []


def test_no_embedding_of_what_was_held_stays_in_any_file(holding, face, place):
    holding.remove("Ann")
    assert [waiting.name for waiting in holding.held_store.list()] == ["Zoë"]
    holding.held_store.reject([holding.held_store.list()[0].id])
    holding.close()
    if "://" in str(place):
        return
    content = b"".join(file.read_bytes() for file in place.parent.iterdir() if file.is_file())
    assert all(face(number).vector.astype("<f4").tobytes() not in content for number in (1, 2, 3))
