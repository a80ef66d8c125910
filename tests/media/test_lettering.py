from __future__ import annotations

import unicodedata

import cv2
import numpy as np
import pytest
from PIL import ImageFont

from knownface.media import lettering
from knownface.media.lettering import text_mask


@pytest.fixture
def fresh():
    """The module without what it remembers of the fonts at hand."""
    remembered = (text_mask, lettering._renderer, lettering._installed, lettering._has)
    for cache in remembered:
        cache.cache_clear()
    yield
    for cache in remembered:
        cache.cache_clear()


def test_all_texts_of_a_size_share_one_height():
    heights = {text_mask(text, 20).shape[0] for text in ("x", "Ág", "王", "", "  ")}
    assert heights == {26}
    assert text_mask("x", 40).shape[0] == 52


def test_masks_cover_and_are_not_cut():
    for text in ("Zoë", "Ålgjpqy", "W", "Борис"):
        mask = text_mask(text, 40)
        assert mask.max() == 255
        assert mask[0].max() == 0
        assert mask[-1].max() == 0
        assert not mask.flags.writeable
    assert text_mask("ii", 30).shape[1] < text_mask("iiiiii", 30).shape[1]


def test_composed_and_decomposed_letters_look_alike():
    name = "Dvořák Zoë"
    np.testing.assert_array_equal(text_mask(unicodedata.normalize("NFD", name), 30), text_mask(name, 30))
    np.testing.assert_array_equal(text_mask("a\n\tb\0", 30), text_mask("a b", 30))


@pytest.mark.skipif(not hasattr(cv2, "FontFace"), reason="OpenCV 4 brings no fonts along")
def test_scripts_that_need_no_system_font(fresh, monkeypatch):
    monkeypatch.setattr(lettering, "_SYSTEM_FONTS", ())
    question = text_mask("??", 30)
    for name in ("Łű", "Ελ", "Бя", "王小", "日あ", "한국"):
        assert not np.array_equal(text_mask(name, 30), question), name


def test_accents_fall_back_to_base_letters_and_the_rest_to_question_marks(fresh, monkeypatch):
    monkeypatch.setattr(lettering, "_SYSTEM_FONTS", ())
    monkeypatch.delattr(cv2, "FontFace", raising=False)
    np.testing.assert_array_equal(text_mask("Zoë Dvořák", 30), text_mask("Zoe Dvorak", 30))
    np.testing.assert_array_equal(text_mask("王 B", 30), text_mask("? B", 30))
    np.testing.assert_array_equal(text_mask("हि", 30), text_mask("?", 30))


def test_system_fonts_help_out_with_opencv_4(fresh, monkeypatch):
    try:
        ImageFont.truetype("DejaVuSans.ttf", 10)
    except OSError:
        pytest.skip("no DejaVu on this system")
    monkeypatch.delattr(cv2, "FontFace", raising=False)
    assert not np.array_equal(text_mask("Zoë", 30), text_mask("Zoe", 30))
    assert not np.array_equal(text_mask("אב", 30), text_mask("??", 30))
