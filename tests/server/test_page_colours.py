"""The page's colours can be told apart, light and dark: contrast after WCAG 2.2, computed from the style's tokens."""

from __future__ import annotations

import re

import pytest

from knownface.server.texts import STATIC

_CSS = (STATIC / "knownface.css").read_text(encoding="utf-8")
TEXT, CONTROL = 4.5, 3.0  # success criteria 1.4.3 and 1.4.11, level AA
SURFACES = ("page", "surface", "raised")


def _tokens(scheme: str) -> dict[str, str]:
    light, dark = re.findall(r":root \{(.*?)\n\s*\}", _CSS, re.DOTALL)[:2]
    block = light if scheme == "light" else light + dark
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _pairs() -> list[tuple[str, str, float]]:
    pairs = [(ink, ground, TEXT) for ink in ("ink", "ink-2", "accent", "danger") for ground in (*SURFACES, "sunken")]
    pairs += [(line, ground, CONTROL) for line in ("line-strong", "focus") for ground in SURFACES]
    pairs += [(kind, f"{kind}-soft", TEXT) for kind in ("accent", "unknown", "danger")]
    pairs += [("ink", f"{kind}-soft", TEXT) for kind in ("accent", "unknown", "danger")]
    pairs += [("on-accent", "accent", TEXT), ("on-accent", "accent-hover", TEXT), ("page", "danger", TEXT)]
    pairs += [("page", "ink", TEXT), ("ink-2", "danger-soft", TEXT), ("danger-hover", "danger-soft", TEXT)]
    pairs += [(meter, "line", CONTROL) for meter in ("accent", "unknown")]
    return pairs


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_and_controls_stand_out_from_what_is_behind_them(scheme: str) -> None:
    tokens = _tokens(scheme)
    weak = {
        f"{fore} on {ground}": round(_contrast(tokens[fore], tokens[ground]), 2)
        for fore, ground, least in _pairs()
        if _contrast(tokens[fore], tokens[ground]) < least
    }
    assert weak == {}


def test_the_two_schemes_are_told_apart_and_white_on_black_is_21() -> None:
    assert _tokens("light")["page"] != _tokens("dark")["page"]
    assert _contrast("#ffffff", "#000000") == pytest.approx(21)


def test_names_over_a_camera_s_picture_can_be_read() -> None:
    """They lie over any picture: on grounds of their own, the same in both schemes."""
    assert "background: #ffbf5e; color: #2a1a00" in _CSS
    assert _contrast("#ffbf5e", "#2a1a00") >= TEXT
    assert "background: #0d5d54" in _CSS
    assert _contrast("#0d5d54", "#ffffff") >= TEXT
