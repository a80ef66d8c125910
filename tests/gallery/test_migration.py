"""A change of network: the old answers until it is whole, then the new ones; nothing is lost, and there is a way back.

The vectors come from numbers here; files and faces are in tests/enrolment/test_migration.py.
"""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from knownface.errors import ContractMismatchError, GalleryEmptyError
from knownface.gallery import Gallery, GalleryCalibration, NewTemplate
from knownface.media.face_picture import FacePicture
from knownface.storage.schema import template_pictures, template_vectors
from knownface.types import DecisionRule, EmbedderContract

OLD_DIM, NEW_DIM = 8, 12


@pytest.fixture
def new_contract(other_contract):
    return replace(other_contract, dim=NEW_DIM)


def vector_of(number, dim):
    vector = np.random.default_rng([number, dim]).normal(size=dim).astype(np.float32)
    return vector / np.linalg.norm(vector)


def new_vectors(faces):
    return np.stack([vector_of(face.id, NEW_DIM) for face in faces])


def waiting(gallery, number):
    return [face for file in gallery.migration.next_files(number, "", 1000) for face in file]


def embed_all(gallery, number, but=()):
    faces = [face for face in waiting(gallery, number) if face.id not in but]
    if faces:
        gallery.migration.keep(number, faces, new_vectors(faces))


def nearest(gallery, vector):
    found = gallery.search(vector[None], 1)
    return gallery.names.get(int(found.people[0, 0])), float(found.distances[0, 0])


@pytest.fixture
def filled(gallery, face):
    gallery.enrol([("Ann", face(1)), ("Ann", face(2)), ("Bob", face(3)), ("Cy", face(4))])
    gallery.add_templates("Bob", [face(5, negative=True)])
    return gallery


def test_old_answers_until_the_change_new_ones_after_it(filled, new_contract, face, reopen):
    other = reopen()
    assert nearest(other, face(1).vector) == ("Ann", pytest.approx(0, abs=1e-6))
    number = filled.migration.begin(new_contract)
    assert filled.migration.counts(number) == (0, 5)
    embed_all(filled, number, but={4})
    assert filled.migration.counts(number) == (4, 5)
    assert filled.migration.change(number, {}) is None
    assert filled.contract.name == "net"
    assert nearest(other, face(1).vector) == ("Ann", pytest.approx(0, abs=1e-6))
    embed_all(filled, number)
    done = filled.migration.change(number, {})
    assert (done.templates, done.set_aside, done.restored) == (5, 0, 0)
    for gallery in (filled, other):  # the other program sees it by itself
        assert gallery.contract.name == "other-net"
        assert [t.id for t in gallery.templates("Ann")] == [1, 2]
        for template_id, name in ((1, "Ann"), (2, "Ann"), (3, "Bob"), (4, "Cy")):
            assert nearest(gallery, vector_of(template_id, NEW_DIM)) == (name, pytest.approx(0, abs=1e-6))
        np.testing.assert_array_equal(gallery.index.snapshot().negatives, [vector_of(5, NEW_DIM)])
    with pytest.raises(ContractMismatchError):
        filled.add_templates("Dee", [face(9)])


def test_the_way_back_is_exact_and_at_once(filled, contract, new_contract, face):
    before = filled.vectors()
    filled.set_threshold("Cy", 0.7)
    calibration = GalleryCalibration(
        DecisionRule(1, 3, 0.8),
        contract.fingerprint,
        0.01,
        0.01,
        0.95,
        3,
        4,
        3,
        5,
        "…",
        {},
        filled.person("Ann").created,
    )
    filled.set_calibration(calibration)
    number = filled.migration.begin(new_contract)
    embed_all(filled, number)
    done = filled.migration.change(number, {})
    assert done.thresholds == 1
    assert filled.person("Cy").threshold is None
    assert [(n.name, n.templates) for n in filled.migration.others()] == [("net", 5)]
    back = filled.migration.begin(contract)
    assert waiting(filled, back) == []
    assert filled.migration.change(back, {}).thresholds == 0
    np.testing.assert_array_equal(filled.vectors().embeddings, before.embeddings)
    assert filled.person("Cy").threshold == 0.7
    assert filled.calibration.rule == calibration.rule
    assert nearest(filled, face(3).vector) == ("Bob", pytest.approx(0, abs=1e-6))


def test_what_is_not_found_is_set_aside_listed_and_comes_back(filled, contract, new_contract, face):
    number = filled.migration.begin(new_contract)
    embed_all(filled, number, but={2, 3})
    lost = {2: "The file is gone.", 3: "No face."}
    done = filled.migration.change(number, lost)
    assert (done.templates, done.set_aside) == (3, 2)
    assert [t.id for t in filled.templates("Ann")] == [1]
    aside = filled.template_store.set_aside()
    assert [(one.template.id, one.network, one.reason) for one in aside] == [(i, "net", lost[i]) for i in (2, 3)]
    assert [one.template.source for one in aside] == ["/photos/2.jpg", "/photos/3.jpg"]
    # The same network once more: what is found now is brought back, the rest stays.
    again = filled.migration.begin(new_contract)
    embed_all(filled, again, but={3})
    done = filled.migration.change(again, {3: "Still no face."})
    assert (done.templates, done.restored, done.set_aside) == (4, 1, 1)
    assert nearest(filled, vector_of(2, NEW_DIM)) == ("Ann", pytest.approx(0, abs=1e-6))
    # Back to the network before: its vectors were kept, those of what was set aside too.
    back = filled.migration.begin(contract)
    assert waiting(filled, back) == []
    assert filled.migration.change(back, {}).restored == 1
    assert [t.id for t in filled.templates("Bob")] == [3, 5]
    assert nearest(filled, face(3).vector) == ("Bob", pytest.approx(0, abs=1e-6))
    assert filled.template_store.set_aside() == []


def test_people_may_be_enrolled_merged_and_removed_meanwhile(filled, new_contract, face, place):
    number = filled.migration.begin(new_contract)
    read = waiting(filled, number)
    filled.remove("Cy")
    filled.add_templates("Dee", [face(7)])
    filled.merge(["Bob"], into="Ann")
    filled.migration.keep(number, read, new_vectors(read))
    assert filled.migration.change(number, {}) is None  # Dee has no vector
    embed_all(filled, number)
    assert filled.migration.change(number, {}).templates == 5
    assert nearest(filled, vector_of(3, NEW_DIM)) == ("Ann", pytest.approx(0, abs=1e-6))
    filled.remove("Dee", "Ann")
    with filled.database.reading() as connection:
        assert connection.execute(select(template_vectors)).all() == []


def test_set_aside_templates_go_and_move_with_their_people(filled, new_contract):
    number = filled.migration.begin(new_contract)
    embed_all(filled, number, but={2, 3, 4})
    filled.migration.change(number, dict.fromkeys((2, 3, 4), "Gone."))
    filled.merge(["Bob"], into="Ann")
    filled.remove("Cy")
    ann = filled.person("Ann").id
    assert [(one.template.id, one.template.person_id) for one in filled.template_store.set_aside()] == [
        (2, ann),
        (3, ann),
    ]
    assert filled.remove_templates([2]) == 1
    assert [one.template.id for one in filled.template_store.set_aside()] == [3]


def test_a_picture_stays_with_its_template_through_setting_aside(gallery, contract, new_contract, face):
    picture = FacePicture(b"jpeg", '{"box": [1, 2, 3, 4]}')
    gallery.add_templates("Ann", [replace(face(1), picture=picture), face(2)])
    number = gallery.migration.begin(new_contract)
    assert [f.picture for f in waiting(gallery, number)].count(picture) == 1
    embed_all(gallery, number, but={1})
    gallery.migration.change(number, {1: "Gone."})
    back = gallery.migration.begin(contract)
    gallery.migration.change(back, {})
    with gallery.database.reading() as connection:
        assert [tuple(row) for row in connection.execute(select(template_pictures))] == [(1, b"jpeg", picture.face)]


def test_discarding_ends_the_way_back(filled, contract, new_contract):
    number = filled.migration.begin(new_contract)
    embed_all(filled, number)
    filled.migration.change(number, {})
    assert filled.migration.discard() == 5
    assert filled.migration.others() == []
    assert len(waiting(filled, filled.migration.begin(contract))) == 5


def test_nobody_to_bring_over(gallery, new_contract):
    with pytest.raises(GalleryEmptyError, match="nothing to bring over"):
        gallery.migration.begin(new_contract)


def test_a_change_that_would_leave_nobody_is_refused(filled, new_contract, face):
    number = filled.migration.begin(new_contract)
    with pytest.raises(GalleryEmptyError, match="nobody would be recognised"):
        filled.migration.change(number, dict.fromkeys(range(1, 6), "Gone."))
    assert nearest(filled, face(3).vector) == ("Bob", pytest.approx(0, abs=1e-6))


def test_the_saved_index_of_the_network_before_is_not_used(filled, new_contract, place):
    filled.build_index()
    number = filled.migration.begin(new_contract)
    embed_all(filled, number)
    filled.migration.change(number, {})
    filled.close()
    with Gallery.open(place) as again:
        assert nearest(again, vector_of(3, NEW_DIM)) == ("Bob", pytest.approx(0, abs=1e-6))


_ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("enrol"), st.integers(0, 3)),
        st.tuples(st.just("remove"), st.integers(0, 3)),
        st.tuples(st.just("embed"), st.integers(0, 2)),
        st.tuples(st.just("change"), st.integers(0, 2)),
    ),
    max_size=25,
)


def network(number):
    fingerprint = hashlib.sha256(str(number).encode()).hexdigest()
    return EmbedderContract(f"net{number}", 4 + 2 * number, "square", fingerprint, "", DecisionRule(1, 3, 1.0), True)


@settings(max_examples=12)
@given(_ACTIONS, st.sets(st.integers(1, 12)))
def test_whatever_happens_every_template_is_searched_or_set_aside(actions, unfindable):
    """Three networks, changed to and fro, between enrolments and removals; some faces only their first network sees."""
    held: dict[int, str] = {}
    with Gallery.open(":memory:") as gallery:
        numbers: dict[int, int] = {}
        for what, which in actions:
            contract = gallery.contract
            in_use = 0 if contract is None else int(contract.name[3:])
            name = f"P{which}"
            if what == "enrol":
                gallery.bind(network(in_use))
                digest = hashlib.sha256(f"{len(held)}{actions}".encode()).hexdigest()
                gallery.add_templates(
                    name, [NewTemplate(vector_of(1000 + len(held), network(in_use).dim), "/f", digest)]
                )
                held[max(t.id for t in gallery.templates(name))] = name
            elif what == "remove" and name in {person.name for person in gallery.people()}:
                gallery.remove(name)
                held = {i: owner for i, owner in held.items() if owner != name} | {
                    -1 - i: "" for i, owner in held.items() if owner == name
                }
            elif held and any(held.values()) and what in ("embed", "change"):
                numbers[which] = number = gallery.migration.begin(network(which))
                faces = [face for face in waiting(gallery, number) if face.id not in unfindable]
                if faces:
                    vectors = np.stack([vector_of(face.id, network(which).dim) for face in faces])
                    gallery.migration.keep(number, faces, vectors)
                if what == "change":
                    lost = {face.id: "unseen" for face in waiting(gallery, number)}
                    with contextlib.suppress(GalleryEmptyError):  # nobody would be left
                        assert gallery.migration.change(number, lost) is not None
                        assert gallery.contract.name == f"net{which}"
            searched = gallery.vectors()
            aside = [one.template.id for one in gallery.template_store.set_aside()]
            assert sorted([*searched.templates.tolist(), *aside]) == sorted(i for i in held if i >= 0)
            assert len(gallery) == len(searched.templates)
            if len(searched.templates):
                found = gallery.search(searched.embeddings, 1)
                np.testing.assert_array_equal(found.templates[:, 0], searched.templates)
