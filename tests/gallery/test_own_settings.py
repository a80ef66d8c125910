"""Settings that stand in the gallery: below what a program was told, above the defaults, with who and when."""

from __future__ import annotations

from pathlib import Path

import pytest

from knownface.errors import BadSettingError
from knownface.gallery import Gallery
from knownface.gallery.own_settings import change_own_settings, own_settings, settings_in_force
from knownface.settings import load_settings


def test_what_stands_in_the_gallery_holds_for_whoever_was_told_nothing(tmp_path: Path) -> None:
    with Gallery.open(tmp_path / "g.db") as gallery:
        told = load_settings(gallery=str(tmp_path / "g.db"), retention_days=30)
        changed = change_own_settings(gallery.database, told, {"fpir": 0.001, "review": "hold"}, "Ann")
        assert (changed.fpir, changed.retention_days, changed.review) == (0.001, 30, "hold")
        with pytest.raises(BadSettingError, match="retention_days is fixed"):
            change_own_settings(gallery.database, changed, {"retention_days": 5.0}, "Ann")
        with pytest.raises(BadSettingError, match="do not fit"):
            change_own_settings(gallery.database, changed, {"unseen_days": 60.0}, "Ann")
        changed = change_own_settings(gallery.database, changed, {"threshold": 0.9}, "Ben")
        own = own_settings(gallery.database)
        assert {name: (kept.value, kept.by) for name, kept in own.items()} == {
            "fpir": (0.001, "Ann"),
            "threshold": (0.9, "Ben"),
        }
        assert settings_in_force(gallery.database, told) == changed
        assert settings_in_force(gallery.database, load_settings(fpir=0.2)).fpir == 0.2
        assert change_own_settings(gallery.database, changed, {"threshold": None}, "Ben").threshold is None
