from __future__ import annotations

from datetime import UTC, datetime

import pytest

from knownface.errors import BadNameError, NameTakenError, PersonError, UnknownPersonError
from knownface.gallery import Refusal, name_key


def names(gallery, group=None):
    return [person.name for person in gallery.people(group)]


def test_a_person_is_added_once_and_found_in_any_letter_case(gallery):
    ann = gallery.add_person("Ann Lee", external_id="4711", groups=["staff", "Choir"])
    assert gallery.add_person("  Ann  Lee ") == ann
    assert gallery.person("ANN LEE") == ann
    assert (ann.name, ann.external_id, ann.groups) == ("Ann Lee", "4711", ("Choir", "staff"))
    assert (ann.threshold, ann.templates) == (None, 0)
    assert abs((datetime.now(UTC) - ann.created).total_seconds()) < 3600
    assert gallery.names == {ann.id: "Ann Lee"}


def test_adding_a_known_person_sets_what_is_given(gallery):
    gallery.add_person("Ann", external_id="1", groups=["a"])
    assert gallery.add_person("Ann", groups=["b"]).groups == ("b",)
    assert gallery.add_person("Ann", external_id="2").external_id == "2"


def test_a_name_that_differs_in_letter_case_is_taken(gallery, face):
    gallery.add_person("Ann")
    with pytest.raises(NameTakenError, match="'Ann'"):
        gallery.add_person("ANN")
    with pytest.raises(NameTakenError):
        gallery.add_templates("ann", [face(1)])
    with pytest.raises(NameTakenError):
        gallery.enrol([("Bob", face(1)), ("bob", face(2))])
    assert names(gallery) == ["Ann"]


@pytest.mark.parametrize("name", ["", "unknown", "a\x00"])
def test_what_is_no_name_is_refused(gallery, face, name):
    for call in (
        lambda: gallery.add_person(name),
        lambda: gallery.add_templates(name, [face(1)]),
        lambda: gallery.rename("Ann", name),
    ):
        gallery.add_person("Ann")
        with pytest.raises(BadNameError):
            call()
    assert names(gallery) == ["Ann"]


def test_somebody_unknown_is_told_with_names_that_come_near(gallery):
    for name in ("Ann Lee", "Bob"):
        gallery.add_person(name)
    with pytest.raises(UnknownPersonError, match="Did you mean 'Ann Lee'"):
        gallery.person("anne lee")
    for call in (
        lambda: gallery.rename("Zoe", "Y"),
        lambda: gallery.remove("Zoe"),
        lambda: gallery.templates("Zoe"),
        lambda: gallery.merge(["Zoe"], "Bob"),
        lambda: gallery.merge(["Bob"], "Zoe"),
        lambda: gallery.split("Zoe", [1], "Y"),
        lambda: gallery.set_threshold("Zoe", 1.0),
        lambda: gallery.set_external_id("Zoe", "1"),
        lambda: gallery.set_groups("Zoe", []),
    ):
        with pytest.raises(UnknownPersonError, match=r"'Zoe'\.$"):
            call()


def test_people_come_in_the_order_of_their_names(gallery):
    for name in ("bob", "Zoe", "ann", "Émile"):
        gallery.add_person(name)
    assert names(gallery) == ["ann", "bob", "Zoe", "Émile"]


def test_groups_are_made_and_go_with_their_members(gallery):
    gallery.add_person("Ann", groups=["Staff", "choir"])
    gallery.add_person("Bob", groups=["STAFF"])
    assert names(gallery, "staff") == ["Ann", "Bob"]
    assert gallery.person("Bob").groups == ("Staff",)
    assert names(gallery, "nobody") == []
    gallery.set_groups("Ann", ["choir"])
    gallery.remove("Bob")
    assert gallery.info().groups == 1
    assert gallery.set_groups("Ann", []).groups == ()
    assert gallery.info().groups == 0


def test_an_external_id_belongs_to_one_person(gallery):
    gallery.add_person("Ann", external_id="1")
    gallery.add_person("Bob")
    with pytest.raises(NameTakenError, match="'Ann' has the external id '1'"):
        gallery.set_external_id("Bob", "1")
    with pytest.raises(NameTakenError):
        gallery.add_person("Zoe", external_id="1")
    assert names(gallery) == ["Ann", "Bob"]
    assert gallery.set_external_id("Ann", None).external_id is None
    assert gallery.set_external_id("Bob", "1").external_id == "1"


def test_a_person_may_have_a_threshold_of_their_own(gallery):
    ann = gallery.add_person("Ann")
    assert gallery.set_threshold("ann", 0.5).threshold == 0.5
    assert gallery.index.snapshot().thresholds == {ann.id: 0.5}
    assert gallery.set_threshold("Ann", None).threshold is None
    assert gallery.index.snapshot().thresholds == {}
    for wrong in (-0.1, 2.1, float("nan")):
        with pytest.raises(PersonError, match="between 0 and 2"):
            gallery.set_threshold("Ann", wrong)


def test_renaming(gallery, face):
    gallery.add_templates("Ann", [face(1)])
    before = gallery.person("Ann")
    gallery.add_person("Bob")
    gallery.enrol((), [("Ann", Refusal("x.jpg", "0" * 64, "key", "no-face", "No face."))])
    with pytest.raises(NameTakenError):
        gallery.rename("Ann", "BOB")
    after = gallery.rename("Ann", "ANN Lee")
    assert (after.id, after.name, after.templates) == (before.id, "ANN Lee", 1)
    assert gallery.rename("ann lee", "Ann Lee").name == "Ann Lee"
    assert gallery.template_store.known_sources() == {(name_key("Ann Lee"), face(1).source_sha256)}
    assert list(gallery.template_store.refusals("key")) == [(name_key("Ann Lee"), "0" * 64)]


def test_merging_keeps_everything_once(gallery, face):
    gallery.add_templates("Ann", [face(1), face(2), face(3, negative=True)])
    gallery.add_templates("Anne", [face(2), face(4), face(3)])
    gallery.add_templates("Annie", [face(4), face(5, frame_time=1.0), face(5, frame_time=2.0)])
    gallery.add_person("Ann", groups=["a"])
    gallery.add_person("Anne", external_id="7", groups=["b"])
    gallery.set_threshold("Annie", 0.7)
    for name in ("Ann", "Anne"):
        gallery.enrol((), [(name, Refusal("x.jpg", "0" * 64, "key", "no-face", "No face."))])
    gallery.enrol((), [("Anne", Refusal("y.jpg", "1" * 64, "key", "no-face", "No face."))])
    merged = gallery.merge(["Anne", "annie", "Anne"], "ann")
    assert (merged.name, merged.external_id, merged.groups, merged.threshold) == ("Ann", "7", ("a", "b"), 0.7)
    assert names(gallery) == ["Ann"]
    held = [(t.source, t.frame_time, t.negative) for t in gallery.templates("Ann")]
    assert sorted(held, key=repr) == [
        ("/photos/1.jpg", None, False),
        ("/photos/2.jpg", None, False),
        ("/photos/3.jpg", None, False),
        ("/photos/3.jpg", None, True),
        ("/photos/4.jpg", None, False),
        ("/photos/5.jpg", 1.0, False),
        ("/photos/5.jpg", 2.0, False),
    ]
    assert set(gallery.template_store.refusals("key")) == {("ann", "0" * 64), ("ann", "1" * 64)}
    assert set(gallery.search(face(4).vector[None], 6).people[0]) == {merged.id}


def test_nobody_is_merged_into_themselves(gallery):
    gallery.add_person("Ann")
    gallery.add_person("Bob")
    with pytest.raises(PersonError, match="itself"):
        gallery.merge(["Bob", "ANN"], "Ann")
    assert names(gallery) == ["Ann", "Bob"]


def test_splitting(gallery, face):
    gallery.add_templates("Ann", [face(i) for i in range(4)])
    gallery.add_person("Zoe")
    ids = [template.id for template in gallery.templates("Ann")]
    for wrong, message in ((ids, "left without"), ([], "No template"), ([ids[0], 999], "999")):
        with pytest.raises(PersonError, match=message):
            gallery.split("Ann", wrong, "Bob")
    with pytest.raises(NameTakenError):
        gallery.split("Ann", ids[:1], "zoe")
    assert names(gallery) == ["Ann", "Zoe"]
    gallery.search(face(0).vector[None], 1)
    bob = gallery.split("Ann", ids[2:], "Bob")
    assert (bob.templates, gallery.person("Ann").templates) == (2, 2)
    assert gallery.search(face(3).vector[None], 1).people[0, 0] == bob.id


def test_ids_are_never_given_again(gallery, face):
    gallery.add_templates("Ann", [face(1)])
    ann, template = gallery.person("Ann"), gallery.templates("Ann")[0]
    gallery.remove("Ann")
    gallery.add_templates("Ann", [face(1)])
    assert gallery.person("Ann").id > ann.id
    assert gallery.templates("Ann")[0].id > template.id


def test_what_is_handed_out_cannot_be_changed(gallery):
    gallery.add_person("Ann")
    with pytest.raises(TypeError):
        gallery.names[7] = "Bob"
    with pytest.raises(AttributeError):
        gallery.person("Ann").name = "Bob"


def test_people_get_their_numbers_in_the_order_in_which_they_come(gallery, face):
    names = [f"Person {letter}" for letter in "QWERTZ"]
    gallery.enrol([(name, face(number)) for number, name in enumerate(names)])
    assert [person.name for person in sorted(gallery.people(), key=lambda person: person.id)] == names
