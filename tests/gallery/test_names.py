from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knownface.errors import BadNameError, PersonError
from knownface.gallery.names import clean_external_id, clean_group, clean_name, name_key

any_text = st.text(st.characters(), max_size=250)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Ann Lee", "Ann Lee"),
        ("  Ann \t\n Lee\u00a0", "Ann Lee"),
        ("Zoe\u0308", "Zo\u00eb"),
        ("AC/DC", "AC/DC"),
        ("..", ".."),
        ('O\'Neil-\\Smith "Bob"; DROP TABLE', 'O\'Neil-\\Smith "Bob"; DROP TABLE'),
        ("李小龙", "李小龙"),
        ("محمد", "محمد"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("unknown soldier", "unknown soldier"),
        ("Serena_Williams", "Serena Williams"),
        (" _Ann__Lee_ ", "Ann Lee"),
        ("__", "__"),
        ("x" * 200, "x" * 200),
    ],
)
def test_names_as_people_have_them(text, name):
    assert clean_name(text) == name


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "  ",
            "\u200d",
            "x" * 201,
            "Unknown",
            "unknown",
            " UNKNOWN ",
            "un\u200cknown",
            "Unknown 1",
            "UNKNOWN  12",
        ),
        *("a\x00b", "a\x1bb", "a\u202eb", "\udcff", "a\ufeffb", "\ue000", "\u0378"),
    ],
)
def test_what_cannot_be_a_name(text):
    with pytest.raises(BadNameError) as caught:
        clean_name(text)
    assert caught.value.message.isprintable()


@given(any_text)
def test_cleaning_twice_is_cleaning_once(text):
    try:
        name = clean_name(text)
    except BadNameError:
        return
    assert clean_name(name) == name
    assert name_key(name) == name_key(text)
    assert unicodedata.is_normalized("NFC", name)
    assert 1 <= len(name) <= 200
    assert name == name.strip()
    assert "  " not in name


@given(any_text)
def test_the_key_forgets_letter_case_and_composition(text):
    key = name_key(text)
    assert name_key(key) == key
    assert name_key(unicodedata.normalize("NFD", text)) == key
    assert name_key(unicodedata.normalize("NFC", text)) == key


@given(st.text("abcxyzäöüßéΣσςİIi", max_size=20))
def test_the_key_is_the_same_in_capitals(text):
    assert name_key(text.casefold()) == name_key(text)
    assert name_key(text.lower()) == name_key(text) or "İ" in text


def test_different_people_have_different_keys():
    assert len({name_key(name) for name in ("Ann", "Anne", "An n", "Änn", "Ann.")}) == 5


def test_a_groups_name_may_be_unknown_but_holds_no_semicolon():
    assert clean_group(" Unknown  people ") == "Unknown people"
    for text in ("a;b", "", "\x00"):
        with pytest.raises(BadNameError):
            clean_group(text)


def test_external_ids():
    assert clean_external_id(" 47 11 ") == "47 11"
    assert clean_external_id("") is clean_external_id(None) is clean_external_id("  ") is None
    for text in ("x" * 201, "a\x00b"):
        with pytest.raises(PersonError, match="external id"):
            clean_external_id(text)
