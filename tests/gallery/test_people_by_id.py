"""People meant by their ids, which outlive renaming; pages; changes that hold all or none."""

from __future__ import annotations

import numpy as np
import pytest

from knownface.errors import NameTakenError, PersonError, UnknownPersonError, UnknownTemplateError
from knownface.gallery import NewTemplate
from knownface.types import DecisionRule, EmbedderContract

CONTRACT = EmbedderContract("test", 4, "square", "f" * 64, "MIT", DecisionRule(1, 3, 1.0), calibrated=True)


def template(number: int, *, negative: bool = False) -> NewTemplate:
    vector = np.zeros(4, np.float32)
    vector[number % 4] = 1
    return NewTemplate(vector, f"{number}.png", f"{number:064}", negative=negative)


def test_an_id_means_the_same_person_after_renaming(gallery):
    ann = gallery.add_person("Ann").id
    gallery.rename(ann, "Anna")
    assert gallery.person(ann).name == "Anna"
    gallery.bind(CONTRACT)
    assert gallery.add_templates(ann, [template(1), template(1), template(2, negative=True)]) == 2
    assert len(gallery.vectors(ann).templates) == len(gallery.vectors(ann, negative=True).templates) == 1
    first = gallery.templates(ann)[0]
    assert gallery.template_store.get(first.id) == first
    gallery.remove(ann)
    with pytest.raises(UnknownPersonError, match=f"the id {ann}"):
        gallery.add_templates(ann, [template(3)])
    with pytest.raises(UnknownTemplateError):
        gallery.template_store.get(first.id)
    assert gallery.people() == []


def test_a_number_as_a_name_is_no_id(gallery):
    first = gallery.add_person("Ann").id
    named = gallery.add_person(str(first)).id
    assert gallery.person(first).name == "Ann"
    assert gallery.person(str(first)).id == named


def test_an_edit_holds_all_or_nothing(gallery):
    ann, ben = gallery.add_person("Ann").id, gallery.add_person("Ben", "4711", ["staff"]).id
    with pytest.raises(NameTakenError):
        gallery.edit(ann, name="Anna", groups=["staff"], external_id="4711")
    with pytest.raises(PersonError):
        gallery.edit(ann, name="Anna", threshold=3)
    assert (gallery.person(ann).name, gallery.person(ann).groups) == ("Ann", ())
    changed = gallery.edit(ben, name="Benno", threshold=0.5)
    assert (changed.name, changed.external_id, changed.groups, changed.threshold) == ("Benno", "4711", ("staff",), 0.5)
    cleared = gallery.edit(ben, external_id=None, groups=[], threshold=None)
    assert (cleared.name, cleared.external_id, cleared.groups, cleared.threshold) == ("Benno", None, (), None)
    assert gallery.groups() == []


def test_pages_of_people(gallery):
    for name in ("Zoë", "ann", "Ben", "Bén%", "Cleo"):
        gallery.add_person(name, external_id=f"x-{name.lower()}", groups=["all"])
    everybody = [person.name for person in gallery.people()]
    paged, after = [], None
    while page := gallery.people_store.page(after=after, limit=2):
        paged += [person.name for person in page]
        after = page[-1].name
    assert paged == everybody
    assert [p.name for p in gallery.people_store.page(search="%")] == ["Bén%"]
    assert [p.name for p in gallery.people_store.page(search=" X-cl")] == ["Cleo"]
    assert gallery.people_store.page(group="nobody's") == []
    assert gallery.groups() == [("all", 5)]


def test_somebody_new_is_nobody_who_is_there(gallery):
    gallery.add_person("Ann", new=True)
    with pytest.raises(NameTakenError):
        gallery.add_person("Ann", new=True)
    assert gallery.add_person("Ann").name == "Ann"
