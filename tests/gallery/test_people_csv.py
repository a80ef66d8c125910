from __future__ import annotations

import csv

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knownface.errors import BadNameError, InputError, OutputError, PersonError, UnreadableError
from knownface.gallery import Gallery, name_key
from knownface.gallery.names import clean_external_id, clean_group, clean_name


def table(gallery):
    return [(person.name, person.external_id, person.groups) for person in gallery.people()]


@pytest.fixture
def sheet(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "people.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return write


def test_people_are_added_and_updated(gallery, sheet):
    gallery.add_person("Ann", external_id="1", groups=["a"])
    gallery.add_person("Bob", external_id="2")
    gallery.add_person("Zoe", external_id="9")
    done = gallery.import_people(sheet("name,external_id,groups\nAnn,1,a; b ;\nCéline,3,\nBob,,c\n\n"))
    assert (done.created, done.updated) == (1, 2)
    assert table(gallery) == [
        ("Ann", "1", ("a", "b")),
        ("Bob", None, ("c",)),
        ("Céline", "3", ()),
        ("Zoe", "9", ()),
    ]


def test_columns_that_are_not_there_are_left_alone(gallery, sheet):
    gallery.add_person("Ann", external_id="1", groups=["a"])
    assert gallery.import_people(sheet("Name\nAnn\nBob\n")).created == 1
    assert table(gallery) == [("Ann", "1", ("a",)), ("Bob", None, ())]
    gallery.import_people(sheet("groups,name\nb,Ann\n"))
    assert table(gallery)[0] == ("Ann", "1", ("b",))


def test_a_second_import_changes_nothing(gallery, sheet):
    path = sheet("name,external_id,groups\nAnn,1,a;b\n")
    gallery.import_people(path)
    generation = gallery.index.snapshot().generation
    done = gallery.import_people(path)
    assert (done.created, done.updated) == (0, 0)
    assert gallery.index.snapshot().generation == generation


def test_a_byte_order_mark_and_windows_line_ends_are_fine(gallery, sheet):
    gallery.import_people(sheet('\ufeffname,external_id\r\n"Lee, Ann",7\r\n'))
    assert table(gallery) == [("Lee, Ann", "7", ())]


def test_two_people_may_exchange_their_ids(gallery, sheet):
    gallery.add_person("Ann", external_id="1")
    gallery.add_person("Bob", external_id="2")
    gallery.import_people(sheet("name,external_id\nAnn,2\nBob,1\n"))
    assert table(gallery) == [("Ann", "2", ()), ("Bob", "1", ())]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("external_id\n1\n", "must have the column 'name'"),
        ("name,name\nA,B\n", "none twice"),
        ("name,group\nAnn,a\n", "column 'group'"),
        ("name,external_id\nAnn\n", "line 2: 1 cells where 2"),
        ("name\nAnn\nUnknown\n", "line 3: .*stranger"),
        ("name\nAnn\nann\n", "line 3: the name of line 2 again"),
        ("name,external_id\nAnn,1\nBob,1\n", "line 3: the external id of line 2 again"),
        ("name,external_id\nAnn,9\n", "line 2: 'Zoe' has the external id '9'"),
        ("name\nZOE\n", "line 2: There is a 'Zoe'"),
        ('name\nAnn\n"Bob', "line 3"),
        ("name\nAnn\n\x00\n" + "\x00\n" * 20, "and 11 more"),
    ],
)
def test_one_fault_and_nothing_is_changed(gallery, sheet, text, message):
    gallery.add_person("Zoe", external_id="9")
    with pytest.raises(InputError, match=message) as caught:
        gallery.import_people(sheet(text))
    assert "people.csv" in caught.value.message
    assert table(gallery) == [("Zoe", "9", ())]


def test_what_cannot_be_read_or_written_is_told(gallery, sheet, tmp_path):
    with pytest.raises(UnreadableError, match="none"):
        gallery.import_people(tmp_path / "none.csv")
    with pytest.raises(UnreadableError, match="UTF-8"):
        gallery.import_people(sheet("name\nCéline\n", "latin-1"))
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="folder"):
        gallery.export_people(tmp_path / "folder")


def test_an_export_is_plain_csv(gallery, tmp_path):
    gallery.add_person('Ann "A", Lee', external_id="1", groups=["b", "a"])
    gallery.add_person("Célĩne")
    assert gallery.export_people(tmp_path / "out.csv") == 2
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            ["name", "external_id", "groups"],
            ['Ann "A", Lee', "1", "a;b"],
            ["Célĩne", "", ""],
        ]


def cleaned(clean, error=BadNameError):
    def usable(text):
        try:
            return clean(text) == text
        except error:
            return False

    return st.text(min_size=1, max_size=12).filter(usable)


people = st.dictionaries(
    cleaned(clean_name),
    st.tuples(
        st.none() | cleaned(clean_external_id, PersonError),
        st.lists(cleaned(clean_group), max_size=3, unique_by=name_key),
    ),
    max_size=5,
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(people)
@pytest.mark.slow
def test_what_is_exported_can_be_imported(tmp_path_factory, everybody):
    folder = tmp_path_factory.mktemp("csv")
    seen = set()
    with Gallery.open(":memory:") as one, Gallery.open(":memory:") as other:
        for name, (external_id, groups) in everybody.items():
            if name_key(name) in seen or external_id in seen:
                continue
            seen |= {name_key(name), external_id} - {None}
            one.add_person(name, external_id, groups)
        one.export_people(folder / "people.csv")
        other.import_people(folder / "people.csv")
        assert table(other) == table(one)
