from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from knownface.embedding.base import contract_of, unit_vectors
from knownface.embedding.load import uncalibrated_note
from knownface.errors import ModelError
from knownface.models.catalog import load_catalog
from knownface.models.entry import DecisionDefaults

CATALOG = load_catalog()


def test_every_embedder_has_its_own_fingerprint() -> None:
    contracts = [contract_of(entry) for entry in CATALOG.values() if entry.task == "embedder"]
    assert len({contract.fingerprint for contract in contracts}) == len(contracts)


def test_fingerprints_are_the_same_everywhere() -> None:
    """These stand in galleries: a change here makes every gallery of that embedder useless, and needs a new RECIPE."""
    known = {
        "clip-vit-b32": "52ba0f8e5ef07e28beeb5940c9de152c5176b4686bcf7ce7990990d0f34d345a",
        "mobilefacenet": "e52f035b639e057a47811e12e02607e7acf2c778dcdc4cc1524da27067204a00",
        "dlib-resnet": "f8118cbe3f2215726eb096c3a3ab0aba67429d2815de39e75ad9cef280530ae7",
    }
    assert {name: contract_of(CATALOG[name]).fingerprint for name in known} == known


def test_the_decision_and_the_names_are_no_part_of_the_fingerprint() -> None:
    entry = CATALOG["mobilefacenet"]
    assert entry.input is not None
    before = contract_of(entry).fingerprint
    assert contract_of(replace(entry, decision=DecisionDefaults(3, 9, 0.5, False))).fingerprint == before
    assert contract_of(replace(entry, title="x", licence="y", name="z")).fingerprint == before
    assert contract_of(replace(entry, input=replace(entry.input, input_name="", per_item=True))).fingerprint == before


def test_weights_and_preprocessing_are() -> None:
    entry = CATALOG["mobilefacenet"]
    assert entry.input is not None
    variants = [
        entry,
        replace(entry, files=(replace(entry.files[0], sha256="0" * 64),)),
        replace(entry, input=replace(entry.input, colour="BGR")),
        replace(entry, input=replace(entry.input, mean=(0.5, 0.5, 0.5))),
        replace(entry, input=replace(entry.input, size=128)),
        replace(entry, input=replace(entry.input, output_name="other")),
        replace(entry, input=replace(entry.input, crop="square")),
        replace(entry, input=replace(entry.input, crop="square", crop_factor=1.3)),
        replace(entry, input=replace(entry.input, mirror=True)),
    ]
    assert len({contract_of(variant).fingerprint for variant in variants}) == len(variants)


def test_a_detector_has_no_contract() -> None:
    with pytest.raises(ModelError, match="yunet-2026may is no embedder"):
        contract_of(CATALOG["yunet-2026may"])


def test_an_uncalibrated_threshold_is_said() -> None:
    assert uncalibrated_note(contract_of(CATALOG["mobilefacenet"])) == ""
    note = uncalibrated_note(contract_of(CATALOG["clip-vit-b32"]))
    assert "0.82 of clip-vit-b32 is uncalibrated" in note
    assert "face-trained" in note
    assert "face-trained" not in uncalibrated_note(contract_of(CATALOG["sface"]))


@given(hnp.arrays(np.float32, (4, 6), elements=st.floats(-1e6, 1e6, width=32)))
def test_unit_vectors(vectors: np.ndarray) -> None:
    if (np.linalg.norm(vectors.astype(np.float64), axis=1) == 0).any():
        with pytest.raises(ModelError, match="zero or not finite"):
            unit_vectors(vectors, 6, "net")
        return
    unit = unit_vectors(vectors, 6, "net")
    assert unit.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(unit * np.linalg.norm(vectors, axis=1, keepdims=True), vectors, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
def test_what_has_no_direction_is_refused(value: float) -> None:
    with pytest.raises(ModelError, match="net gave a vector that is zero or not finite"):
        unit_vectors(np.full((2, 3), value, dtype=np.float32), 3, "net")


def test_another_length_is_refused() -> None:
    with pytest.raises(ModelError, match="length 3, its contract says 4"):
        unit_vectors(np.ones((2, 3), dtype=np.float32), 4, "net")
