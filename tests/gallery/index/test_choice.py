"""An index by its name: one of a package that registers its own, from the setting to the saved file."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import toy_plugin
from knownface.errors import PartError, SettingsError
from knownface.gallery import Gallery
from knownface.gallery.index.choice import chosen_index
from knownface.parts import INDEXES, registered
from knownface.settings import load_settings

MODULE = '''
from knownface.search import NumpyIndex


class BruteForce(NumpyIndex):
    """All distances, and a mark beside what was saved."""

    name = "brute"
    description = "brute: every template is compared by NumPy"

    def save(self, path):
        super().save(path)
        path.with_suffix(".saved").touch()
'''
ENTRY_POINTS = "[knownface.indexes]\nbrute = knownface_toy:BruteForce\n"


@pytest.fixture
def brute(tmp_path, monkeypatch):
    site = tmp_path / "site"
    site.mkdir()
    toy_plugin.install(site, module=MODULE, entry_points=ENTRY_POINTS)
    monkeypatch.syspath_prepend(site)
    yield load_settings(index="brute", gallery=str(tmp_path / "faces.db"))
    toy_plugin.forget()


def test_ours_are_registered_as_others_are():
    assert list(registered(INDEXES)) == ["compressed", "flat", "milvus", "pgvector"]


def test_an_installed_index_searches_is_saved_and_found_again(brute, contract, face, tmp_path, monkeypatch):
    probes = np.stack([face(n).vector for n in range(6)])
    with Gallery.open(tmp_path / "flat.db") as flat, Gallery.open_by(brute) as gallery:
        for each in (flat, gallery):
            each.bind(contract)
            each.enrol([(f"Person {n}", face(n)) for n in range(5)])
        right, found = flat.search(probes, 3), gallery.search(probes, 3)
        np.testing.assert_array_equal(found.templates, right.templates)
        np.testing.assert_array_equal(found.distances, right.distances)
        assert gallery.build_index() == 5
        assert gallery.info().index == "brute: every template is compared by NumPy"
        assert (tmp_path / "faces.db.saved").exists()
    module = sys.modules["knownface_toy"]
    monkeypatch.setattr(module.BruteForce, "build", None)
    with Gallery.open_by(brute, create=False) as gallery:
        np.testing.assert_array_equal(gallery.search(probes, 3).templates, right.templates)
        gallery.remove("Person 1")
        assert not (tmp_path / "faces.db.index").exists(), "its file held whom nobody may find any more"
        assert "Person 1" not in {gallery.names[int(i)] for i in gallery.search(probes, 4).people.ravel()}


def test_the_command_line_takes_it_and_says_which_there_are(brute, contract, face, monkeypatch, knownface):
    with Gallery.open(brute.gallery) as gallery:
        gallery.bind(contract)
        gallery.add_templates("Ann", [face(1)])
    monkeypatch.setenv("KNOWNFACE_GALLERY", brute.gallery)
    monkeypatch.setenv("KNOWNFACE_INDEX", "brute")
    assert knownface("gallery", "index").status == 0
    assert "brute: every template" in knownface("gallery", "info").out
    monkeypatch.setenv("KNOWNFACE_INDEX", "bruce")
    refused = knownface("gallery", "info")
    assert refused.status == SettingsError.exit_status
    assert "There is no index 'bruce'." in refused.err
    assert "auto, brute, compressed, flat, milvus, pgvector" in " ".join(refused.err.split())


def test_what_is_no_whole_index_is_refused_by_its_name(brute, tmp_path):
    broken = "from knownface.search import VectorIndex\nclass Nothing: pass\nclass Half(VectorIndex): name = 'half'\n"
    entries = "[knownface.indexes]\nnothing = knownface_toy:Nothing\nhalf = knownface_toy:Half\n"
    toy_plugin.install(tmp_path / "site", module=broken, entry_points=entries)
    with pytest.raises(PartError, match=r"nothing \(knownface_toy:Nothing\)"):
        chosen_index(load_settings(index="nothing"))
    with pytest.raises(PartError, match=r"lacks .*load.* and search and description"):
        chosen_index(load_settings(index="half"))


def test_an_unknown_index_is_refused_before_a_gallery_is_made(tmp_path):
    with pytest.raises(SettingsError, match="no index 'nothing'"):
        chosen_index(load_settings(index="nothing"))
    with pytest.raises(SettingsError):
        Gallery.open_by(load_settings(index="nothing", gallery=str(tmp_path / "new.db")))
    assert not (tmp_path / "new.db").exists()
