from __future__ import annotations

from pathlib import Path

import pytest

from knownface.errors import ModelError, UnknownModelError
from knownface.models.catalog import load_catalog, parse_contract, resolve
from knownface.models.entry import WeightFile

FILE = WeightFile(names=("mine.onnx",), sha256="0" * 64, byte_count=10)
CONTRACT = """
kind = "face-network"
title = "Mine"
licence = "none"
[input]
crop = "aligned"
size = 112
dim = 64
[decision]
k1 = 1
k2 = 3
threshold = 1.1
calibrated = false
"""


def _contract(tmp_path: Path, text: str = CONTRACT) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return path


def test_the_names_that_the_product_promises() -> None:
    embedders = {
        *("clip-vit-b32", "clip-vit-b32-fp32", "clip-vit-b32-int8", "clip-vit-b32-quantized"),
        *("clip-vit-b16", "clip-vit-b16-fp32", "clip-vit-b16-quantized", "clip-vit-l14", "clip-vit-l14-fp32"),
        *(
            "mobilefacenet",
            "mobilefacenet-mirror",
            "sface",
            "sface-int8bq",
            "auraface",
            "arcface-r50",
            "arcface-mbf",
            "arcface-r100",
        ),
        *("edgeface-xxs", "edgeface-xs", "edgeface-s", "edgeface-base"),
        *("adaface-ir18", "adaface-ir50", "adaface-ir101", "facenet512", "dlib-resnet", "dlib-resnet-mirror"),
    }
    detectors = {"yunet-2026may", "yunet-2023mar", "yunet-n-dynamic", "yunet-n-640", "yunet-2023mar-int8bq"}
    catalog = load_catalog()
    assert {name for name, entry in catalog.items() if entry.task == "embedder"} == embedders
    assert {name for name, entry in catalog.items() if entry.task == "detector"} == detectors


def test_every_file_is_pinned_and_no_two_are_the_same() -> None:
    # dlib's network stands under two names, with and without the mirror.
    files = {file.names: file.sha256 for entry in load_catalog().values() for file in entry.files}
    digests = list(files.values())
    assert None not in digests
    assert len(set(digests)) == len(digests)


def test_a_name_shared_by_several_models_is_marked_generic() -> None:
    files = {file.names for entry in load_catalog().values() for file in entry.files}
    names = [name for file in files for name in file]
    generic = {n for entry in load_catalog().values() for file in entry.files for n in file.generic_names}
    assert len(set(names)) == len(names)
    assert not generic & set(names)


def test_the_facts_of_the_default() -> None:
    entry = load_catalog()["clip-vit-b32"]
    (file,) = entry.files
    assert file.hub is not None
    assert file.hub.repo == "Xenova/clip-vit-base-patch32"
    assert file.hub.revision == "d15189d7028b43f1d3e65039190477f6af591c2a"
    assert file.hub.path == "onnx/vision_model_fp16.onnx"
    assert file.sha256 == "35c4e0fb0aeee527dcde1693520b214a34424a786babd530f35366bad5844efd"
    assert entry.decision is not None
    assert not entry.decision.calibrated


def test_what_is_dynamic_int8_runs_one_by_one() -> None:
    for name, entry in load_catalog().items():
        if entry.task == "embedder" and entry.input is not None:
            assert entry.input.per_item == name.endswith(("int8", "quantized")), name


def test_licences_are_stated_and_insightface_is_not_for_business() -> None:
    catalog = load_catalog()
    assert all(entry.licence and entry.licence_note for entry in catalog.values())
    assert {catalog[name].commercial_use for name in ("arcface-r50", "arcface-mbf", "arcface-r100")} == {"no"}


def test_an_unknown_name_meets_its_neighbours() -> None:
    with pytest.raises(UnknownModelError, match="Did you mean mobilefacenet"):
        resolve(load_catalog(), "MobileFacenet")
    with pytest.raises(UnknownModelError, match="No model is named 'zzzz'"):
        resolve(load_catalog(), "zzzz")


def test_a_contract_of_ones_own(tmp_path: Path) -> None:
    entry = parse_contract(_contract(tmp_path), "mine", FILE)
    assert entry.own
    assert entry.input is not None
    assert (entry.input.colour, entry.input.scale, entry.input.dim) == ("RGB", 1.0, 64)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (('crop = "aligned"', 'crop = "oval"'), "input.crop"),
        (("size = 112", 'size = "large"'), "input.size is wrong"),
        (("size = 112", "size = 112\nsieze = 3"), "input.sieze"),
        (("dim = 64", ""), "input.dim"),
        (("dim = 64", "dim = 64\nstd = [0.0, 1.0, 1.0]"), "input.std"),
        (("dim = 64", "dim = 64\nmean = [0.5, 0.5]"), "mean must be 3 numbers for colour RGB, got 2"),
        (('licence = "none"', ""), "licence"),
        (('kind = "face-network"', 'kind = "magic"'), "kind must be one of"),
        (('crop = "aligned"', 'crop = "chip"'), "input.crop must be aligned or square"),
        (("k2 = 3", "k2 = 1"), "1 <= k1 < k2"),
        (("threshold = 1.1", "threshold = 3"), "threshold must lie between 0 and 2"),
        (('kind = "face-network"', 'kind = "face-network"\nfiles = []'), "files is written by the import"),
        (("[decision]", "[decision"), "not valid TOML"),
    ],
)
def test_a_malformed_contract_is_told_by_its_key(tmp_path: Path, change: tuple[str, str], key: str) -> None:
    path = _contract(tmp_path, CONTRACT.replace(*change))
    with pytest.raises(ModelError) as caught:
        parse_contract(path, "mine", FILE)
    assert key in caught.value.message
    assert str(path) in caught.value.message
    assert ("Its keys are crop, size, dim, colour" in caught.value.hint) == (key == "input.sieze")


def test_a_contract_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.toml cannot be read"):
        parse_contract(tmp_path / "none.toml", "mine", FILE)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelError, match="not valid TOML"):
        parse_contract(tmp_path / "bytes.toml", "mine", FILE)


@pytest.mark.parametrize("name", ["", "../up", "With Space", "UPPER", "a" * 65, ".hidden"])
def test_a_name_that_cannot_be_one(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError, match="cannot be a model's name"):
        parse_contract(_contract(tmp_path), name, FILE)


def test_a_name_of_the_catalogue_is_taken(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="sface is a model of the catalogue already"):
        parse_contract(_contract(tmp_path), "sface", FILE)


def test_a_broken_contract_in_the_cache_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "contract.toml").write_text("kind = 3")
    with pytest.raises(ModelError, match=r"mine.contract\.toml: "):
        load_catalog(tmp_path)


def test_a_contract_may_be_like_a_shipped_one(tmp_path: Path) -> None:
    text = 'like = "mobilefacenet"\ntitle = "Mine"\n[input]\nmirror = true\n'
    made, base = parse_contract(_contract(tmp_path, text), "mine", FILE), load_catalog()["mobilefacenet"]
    assert made.input is not None
    assert base.input is not None
    assert (made.title, made.files, made.decision) == ("Mine", (FILE,), base.decision)
    assert (made.input.mirror, made.input.mean) == (True, base.input.mean)


@pytest.mark.parametrize("base", ["mine", "nobody"])
def test_a_contract_is_not_like_itself_or_nobody(tmp_path: Path, base: str) -> None:
    with pytest.raises(ModelError, match=f"there is no other model named '{base}'"):
        parse_contract(_contract(tmp_path, f'like = "{base}"'), "mine", FILE)
