"""Calibrating a gallery in its database: from its templates to what it is searched with."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest

from knownface.errors import CalibrationError, GalleryEmptyError, TooFewStrangersError
from knownface.evaluation import Calibration, FaceSet, search
from knownface.evaluation.gallery_calibration import calibrate_gallery
from knownface.evaluation.look_alikes import gallery_faces, look_alikes, named_strangers
from knownface.gallery import Gallery, NewTemplate, Refusal
from knownface.types import DecisionRule, EmbedderContract

DIM = 24
CONTRACT = EmbedderContract("net", DIM, "aligned", "a" * 64, "MIT", DecisionRule(1, 3, 1.0), True)


def sha(text: object) -> str:
    return hashlib.sha256(str(text).encode()).hexdigest()


@pytest.fixture
def gallery(make_faces):
    faces = make_faces(20, 4, spread=0.5, seed=1, dim=DIM)
    with Gallery.open(":memory:") as opened:
        opened.bind(CONTRACT)
        opened.enrol(
            [
                (str(person), NewTemplate(vector, f"{i}.jpg", sha(i)))
                for i, (person, vector) in enumerate(zip(faces.people, faces.embeddings, strict=True))
            ],
            [("p0", Refusal("x.jpg", sha("x"), key, "no-face", "No face was found.")) for key in ("one", "two")],
        )
        yield opened


@pytest.fixture
def strangers(make_faces):
    made = make_faces(400, 1, spread=0.5, first=1000, seed=2, dim=DIM)
    return FaceSet.of(made.embeddings, made.people, [sha(f"stranger {i}") for i in range(400)])


def test_the_result_is_stored_with_what_it_depended_on(gallery, strangers):
    result = calibrate_gallery(gallery, strangers, fpir=0.03, undetected_strangers=5)
    stored = gallery.calibration
    assert stored.rule == result.rule
    assert (stored.people, stored.templates, stored.fingerprint) == (20, 80, "a" * 64)
    assert (stored.wanted_fpir, stored.fpir_bound, stored.confidence) == (0.03, result.fpir_bound, 0.95)
    assert (stored.sentence, stored.calibrated_at) == (result.sentence, result.calibrated_at)
    assert Calibration.from_dict(json.loads(json.dumps(dict(stored.details)))) == result
    assert (result.undetected_gallery, result.undetected_strangers) == (1, 5)
    assert stored.outgrown is None


@pytest.mark.parametrize("scoring", ["nearest", "nearest+mean"])
def test_a_calibration_is_measured_and_kept_with_a_scoring(gallery, strangers, scoring):
    result = calibrate_gallery(gallery, strangers, fpir=0.03, scoring=scoring)
    assert result.rule.scoring == gallery.calibration.rule.scoring == scoring
    measured = search(gallery_faces(gallery.template_store.enrolled_faces()), strangers_as_numbers(strangers), 3,
                      scoring=scoring).neighbours  # fmt: skip
    used = gallery.index.search(strangers.embeddings, 3, scoring)
    np.testing.assert_allclose(measured.distances[:, :3], used.distances, atol=1e-6)
    near = used.distances[:, 0] <= result.rule.threshold
    assert near.mean() <= 0.03


def strangers_as_numbers(strangers):
    return FaceSet.of(strangers.embeddings, 1000 + np.arange(len(strangers)))


def test_a_refusal_leaves_what_was_stored(gallery, strangers):
    calibrate_gallery(gallery, strangers, fpir=0.03)
    before = gallery.calibration
    with pytest.raises(TooFewStrangersError):
        calibrate_gallery(gallery, None, fpir=0.001)
    assert gallery.calibration == before


def test_files_that_are_enrolled_are_no_strangers(gallery, strangers, caplog):
    twin = gallery.vectors().embeddings[0]
    mixed = FaceSet.of(
        np.vstack([twin[None], strangers.embeddings]), ["me", *strangers.people], [sha(0), *strangers.sources]
    )
    assert calibrate_gallery(gallery, mixed, fpir=0.03).rule == calibrate_gallery(gallery, strangers, fpir=0.03).rule
    assert "1 faces of strangers come from files that are enrolled" in caplog.text


def test_strangers_who_get_a_name_are_listed_nearest_first(gallery, strangers):
    rule = DecisionRule(1, 3, 1.0)
    found = named_strangers(gallery.template_store.enrolled_faces(), strangers, rule)
    assert 0 < len(found) < 400
    assert [f.distance for f in found] == sorted(f.distance for f in found)
    assert max(f.distance for f in found) <= 1.0
    names = gallery.names
    numbered = FaceSet.of(strangers.embeddings, np.arange(10_000, 10_400))
    searches = search(gallery_faces(gallery.template_store.enrolled_faces()), numbered, 3)
    answers = searches.answers(rule)
    for one in found:
        assert one.name == names[int(searches.labels[answers[one.row]])]
    assert len(found) == (answers >= 0).sum()
    assert named_strangers(gallery.template_store.enrolled_faces(), strangers, DecisionRule(1, 3, 0.0)) == []


def test_an_empty_gallery_cannot_be_calibrated(strangers):
    with Gallery.open(":memory:") as empty, pytest.raises(GalleryEmptyError):
        calibrate_gallery(empty, strangers)


def test_a_refusal_says_what_can_be_promised_and_how_many_more_it_takes(gallery, strangers):
    few = strangers.take(np.arange(60))
    with pytest.raises(TooFewStrangersError) as refused:
        calibrate_gallery(gallery, few, fpir=0.01)
    error = refused.value
    assert f"{error.needed - 60:,} more than these" in error.hint
    assert f"--fpir {error.possible:g}" in error.hint
    result = calibrate_gallery(gallery, few, fpir=error.possible)
    assert f"{result.tpir:.1%} of the known faces" in error.hint
    with pytest.raises(TooFewStrangersError, match="1 stranger and") as refused:
        calibrate_gallery(gallery, strangers.take(np.arange(1)), fpir=0.01)


def test_strangers_who_are_enrolled_are_found_and_ruin_nothing(make_faces):
    dim = 96
    known, after_all = make_faces(40, 3, spread=0.7, seed=1, dim=dim), make_faces(6, 1, spread=0.5, seed=9, dim=dim)
    others = make_faces(400, 1, spread=0.5, first=1000, seed=2, dim=dim)
    files = [sha(f"stranger {i}") for i in range(406)]
    strangers = FaceSet.of(others.embeddings, others.people, files[:400])
    mixed = FaceSet.of(
        np.vstack([others.embeddings, after_all.embeddings]), [*others.people, *(f"one {i}" for i in range(6))], files
    )
    with Gallery.open(":memory:") as gallery:
        gallery.bind(replace(CONTRACT, dim=dim))
        rows = zip(known.people, known.embeddings, strict=True)
        gallery.enrol([(str(p), NewTemplate(v, f"{i}.jpg", sha(i))) for i, (p, v) in enumerate(rows)])
        enrolled = gallery.template_store.enrolled_faces()
        found = look_alikes(enrolled, mixed)
        assert {one.row for one in found} == set(range(400, 406))
        assert {one.name for one in found} == {f"p{i}" for i in range(6)}
        template = gallery.template_store.get(found[0].template)
        assert gallery.names[template.person_id] == found[0].name
        assert look_alikes(enrolled, strangers) == []
        calibrate_gallery(gallery, strangers, fpir=0.01)
        before = gallery.calibration
        with pytest.raises(CalibrationError, match=r"one \d \(like p\d"):
            calibrate_gallery(gallery, mixed, fpir=0.01)
        assert gallery.calibration == before
