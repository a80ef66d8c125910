from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knownface.media import Label, draw_labels
from knownface.media.draw import _KNOWN, _UNKNOWN, _place, _plate, _text_size
from knownface.types import Box

SIZES = [(120, 90), (250, 250), (1920, 1080), (6000, 4000)]


def luminance(colour: tuple[int, int, int]) -> float:
    """Relative luminance of WCAG 2.2."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: tuple[int, int, int], b: tuple[int, int, int]) -> float:
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def where(image: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return np.argwhere((image == colour).all(axis=2))


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.slow
def test_box_and_plate_at_every_size(width, height, known):
    grey = np.full((height, width, 3), 128, np.uint8)
    box = Box(width * 0.4, height * 0.4, width * 0.2, height * 0.25)
    drawn = draw_labels(grey, [Label(box, "Zoë Łukasz", known, "0.72")])
    assert drawn.shape == grey.shape
    assert (grey == 128).all(), "the picture given is not changed"
    style = _KNOWN if known else _UNKNOWN
    spots = where(drawn, style.line)
    lit = spots[:, 0].max() - spots[:, 0].min(), spots[:, 1].max() - spots[:, 1].min()
    assert lit[0] >= box.height - 4
    assert lit[1] >= box.width - 4
    letters = where(drawn, style.letters)
    assert len(letters) > 20
    inside = drawn[int(box.y + box.height * 0.3) : int(box.y + box.height * 0.7), int(width * 0.46) : int(width * 0.54)]
    assert (inside == 128).all(), "the face stays visible"


def test_letters_grow_with_picture_and_face():
    def plate_height(size: tuple[int, int], face: float) -> int:
        image = np.full((size[1], size[0], 3), 128, np.uint8)
        y, x = size[1] * 0.5, size[0] * 0.3
        drawn = draw_labels(image, [Label(Box(x, y, face, face), "Ann", True)])
        column = drawn[: int(y) - 2]
        return len(np.unique(where(column, _KNOWN.line)[:, 0]))

    small, large, poster = plate_height((250, 250), 60), plate_height((1920, 1080), 60), plate_height((6000, 4000), 60)
    assert 10 <= small < large < poster
    assert plate_height((1920, 1080), 320) > large


def test_known_and_unknown_differ_by_more_than_colour():
    image = np.full((300, 300, 3), 128, np.uint8)
    box = Box(100, 100, 100, 100)
    solid = draw_labels(image, [Label(box, "", True)])
    dashed = draw_labels(image, [Label(box, "", False)])
    assert (solid[150:190, 100] == _KNOWN.line).all()
    side = (dashed[101:199, 100] == _UNKNOWN.line).all(axis=1)
    assert side.any()
    assert not side.all()
    assert abs(luminance(_KNOWN.line) - luminance(_UNKNOWN.line)) > 0.2, "apart in grey too"


def test_letters_contrast_with_their_plate():
    for style in (_KNOWN, _UNKNOWN):
        assert contrast(style.line, style.letters) >= 4.5
        assert contrast(style.line, style.halo) >= 4.5


def test_plates_leave_neighbouring_faces_free():
    image = np.full((400, 600, 3), 128, np.uint8)
    # one above the other: the lower one's plate would hide the upper face
    upper, lower = Box(250, 80, 80, 90), Box(250, 175, 80, 90)
    for first, second in ((upper, lower), (lower, upper)):
        drawn = draw_labels(image, [Label(first, "Somebody Long", True), Label(second, "Unknown", False, "1.21")])
        for box in (upper, lower):
            inner = drawn[int(box.y) + 12 : int(box.bottom) - 12, int(box.x) + 12 : int(box.right) - 12]
            assert (inner == 128).all()


def test_two_plates_do_not_cover_each_other():
    left = _place(100, 20, (50, 100, 90, 150), [(95, 100, 135, 150)], [], (400, 300))
    plate = (left[0], left[1], left[0] + 100, left[1] + 20)
    right = _place(100, 20, (95, 100, 135, 150), [(50, 100, 90, 150)], [plate], (400, 300))
    assert right[1] >= plate[3] or right[1] + 20 <= plate[1] or right[0] >= plate[2] or right[0] + 100 <= plate[0]


@pytest.mark.parametrize("corner", [(-20, -20), (580, -20), (-20, 380), (580, 380), (250, -30)])
def test_names_stay_inside_the_picture(corner):
    image = np.full((400, 600, 3), 128, np.uint8)
    label = Label(Box(*corner, 60, 60), "Grace Hopper", True)
    plate = _plate(label, _text_size(60, 600, 400), 600, 400)
    drawn = draw_labels(image, [label])
    _, _, (x, y), _ = cv2.minMaxLoc(cv2.matchTemplate(drawn, plate, cv2.TM_SQDIFF))
    np.testing.assert_array_equal(drawn[y : y + plate.shape[0], x : x + plate.shape[1]], plate)


def test_a_name_too_long_is_shortened():
    image = np.full((90, 120, 3), 128, np.uint8)
    drawn = draw_labels(image, [Label(Box(40, 40, 30, 30), "Wolfeschlegelsteinhausenbergerdorff " * 3, True)])
    assert len(where(drawn, _KNOWN.letters)) > 50


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 80),
    st.integers(1, 80),
    st.lists(
        st.builds(
            Label,
            st.builds(Box, *[st.floats(-100, 200)] * 2, *[st.floats(0, 300)] * 2),
            st.text(max_size=12),
            st.booleans(),
            st.sampled_from(["", "0.72"]),
        ),
        max_size=4,
    ),
)
def test_anything_can_be_drawn_anywhere(width, height, labels):
    image = np.zeros((height, width, 3), np.uint8)
    drawn = draw_labels(image, labels)
    assert drawn.shape == image.shape
    assert drawn.dtype == np.uint8
    np.testing.assert_array_equal(drawn, draw_labels(image, labels))
