from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from knownface.embedding.base import contract_of, unit_vectors
from knownface.embedding.choice import uncalibrated_note
from knownface.errors import ModelError
from knownface.models.catalog import load_catalog
from knownface.models.entry import DecisionDefaults

CATALOG = load_catalog()

FINGERPRINTS = {
    "clip-vit-b32": "52ba0f8e5ef07e28beeb5940c9de152c5176b4686bcf7ce7990990d0f34d345a",
    "clip-vit-b32-fp32": "2998fae19618aeb18003f686918ee383ebc0f2593ca17cdad9385daacb3fa0b4",
    "clip-vit-b32-int8": "814e6b68cbe86e14c5b3b36dce93af84a21238881e07d7f905cf1059380579f0",
    "clip-vit-b32-quantized": "86fd5a62ed44bdc040717c06c6cb1f9f0f1f71a260a05e89f7aaba02f2651d67",
    "clip-vit-b16": "7b9e5312b8088975040544eac81245b25f0917607c0762504ccca1f01dafc4da",
    "clip-vit-b16-fp32": "fcf99444aa015e9b4b157443723138e22a66b00b42b4d8707fc6012e4197a0c5",
    "clip-vit-b16-quantized": "c764a6902635480e5563b1134c387a0358100bca0ddfc2f8f147f93f1d4e8c26",
    "clip-vit-l14": "8e0145fcb70bc761dc6572a69dc07571e378996b02ff603f6d0bef9ee3025f04",
    "clip-vit-l14-fp32": "90fbb55ba786f9072803692ed933c42a5e34c0ee2bbdf8eee6c099253bfce2ad",
    "mobilefacenet": "e52f035b639e057a47811e12e02607e7acf2c778dcdc4cc1524da27067204a00",
    "mobilefacenet-mirror": "09e37607a108561512b812a73a42e594566a298ff52dfc331f6e6d273ade1932",
    "sface": "1d4b9ceb529ec107c90bf545859581953be26f3a774ca5d0fbceeff1064d6c9d",
    "sface-int8bq": "90e804a16b1662a2de5b73fcf528f7bec91fac450a709b5ca8569f629a2e4189",
    "auraface": "bbcdca4318d91fd4142ec602af9dc0ae90813fef619fd45e11e40856c53d07ee",
    "arcface-r50": "09c084738b3f83b7d9196d02149855aa63a1d04d1d97ba2a016bdf5d2ca559f9",
    "arcface-mbf": "77b113520676fd988e499c30ec32c78e2e334199e370947a7bd77d876e4ff3ad",
    "arcface-r100": "7b6b84d26d9087987f00011428f5e8c665282af18e38be58f43e4e43fdfb9025",
    "edgeface-xxs": "be980d083276c0005e2a450e79e3ab9bbc1169618fc75221807840fbd0dd06ad",
    "edgeface-xs": "206babab31bf61449efca331108cdc2b311b3de0b33d689a1862496ae72aaf95",
    "edgeface-s": "7b81419e45bd524b46c68be07df8ec7c79fcbc4127ac4cafb2d2d2205f76b721",
    "edgeface-base": "4d6900c5a39ba6f6d938a456f3972fa400ee0879be164468fbd36cc9eb081b7f",
    "adaface-ir18": "d479e7ec5404de6e256f56372538f0ac4d9c72c51f13289fbf4175e8effa3f04",
    "adaface-ir50": "af255e4fa0dfcdc6431988a97358eb6bc6e00e74f556a1c292541fa0070ec1ef",
    "adaface-ir101": "21385d17a375e102b4a65c97fd8bdecc26b058d5e3d7a667f877f9ae036606eb",
    "facenet512": "89eeecca2bc8e4dc079917550051d1e421f092f6232c719d1a2a6d4cbca3c37f",
    "dlib-resnet": "f8118cbe3f2215726eb096c3a3ab0aba67429d2815de39e75ad9cef280530ae7",
    "dlib-resnet-mirror": "fd9e787af465a4e606a6e5bf4237f81f64bb730cd25b2e7bf0c60191074c061c",
}


def test_every_embedder_has_its_own_fingerprint() -> None:
    contracts = [contract_of(entry) for entry in CATALOG.values() if entry.task == "embedder"]
    assert len({contract.fingerprint for contract in contracts}) == len(contracts)


def test_fingerprints_are_the_same_everywhere() -> None:
    """These stand in galleries: a change here makes every gallery of that embedder useless, and needs a new RECIPE."""
    embedders = [entry for entry in CATALOG.values() if entry.task == "embedder"]
    assert {entry.name: contract_of(entry).fingerprint for entry in embedders} == FINGERPRINTS


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
        replace(entry, input=replace(entry.input, size=(112, 96))),
        replace(entry, input=replace(entry.input, colour="GRAY", mean=(0.5,), std=(0.5,))),
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
