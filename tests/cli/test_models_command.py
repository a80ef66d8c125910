from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tiny_onnx import flatten_network

CONTRACT = """
kind = "face-network"
title = "Tiny"
licence = "none"
[input]
crop = "square"
size = [12, 8]
colour = "GRAY"
dim = 96
[decision]
k1 = 1
k2 = 3
threshold = 1.0
calibrated = false
"""


def test_a_network_of_ones_own_from_import_to_removal(knownface: Callable[..., Any], alone: Path) -> None:
    network = flatten_network(alone / "net.onnx", ("n", 1, 12, 8))
    (alone / "tiny.toml").write_text(CONTRACT)
    assert knownface("models", "import", network, "--as", "tiny", "--contract", "tiny.toml").status == 0
    assert "tiny" in knownface("models", "list").out
    verified = knownface("models", "verify", "tiny")
    assert verified.status == 0
    assert "gives 96 numbers a face" in verified.out
    removed = knownface("models", "remove", "tiny")
    assert (removed.status, removed.out) == (0, "tiny: 0.0 MB freed.\n")
    assert knownface("models", "verify", "tiny").status == 5
    assert network.is_file()


def test_what_cannot_be_removed_says_where_it_is(knownface: Callable[..., Any], alone: Path) -> None:
    refused = knownface("models", "remove", "dlib-resnet")
    assert refused.status == 5
    assert "pip uninstall" in refused.err
    assert knownface("models", "remove", "clip-vit-b32").status == 5
    assert knownface("models", "remove", "nobody").status == 5
    for verb in ("get", "remove"):
        assert "dlib-hog needs no weights" in knownface("models", verb, "dlib-hog").err


def test_a_part_without_weights_is_verified_by_running_it(knownface: Callable[..., Any], alone: Path) -> None:
    verified = knownface("models", "verify", "dlib-hog")
    assert (verified.status, verified.out) == (
        0,
        "dlib-hog: runs on pictures of 3 sizes and finds no face where there is none.\n",
    )


def test_a_detector_is_verified_by_running_it(knownface: Callable[..., Any], alone: Path, model_folder: Path) -> None:
    path = model_folder / "yunet_n_dynamic.onnx"
    assert knownface("models", "import", path, "--as", "yunet-n-dynamic").status == 0
    verified = knownface("models", "verify", "yunet-n-dynamic")
    assert verified.status == 0
    assert "finds no face where there is none" in verified.out
