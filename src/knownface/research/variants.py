"""A network in smaller numbers beside the network that it was made of: what changes, on the same faces."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, zip_longest
from pathlib import Path

import numpy as np

from knownface.embedding import embedder_of
from knownface.errors import NoFaceError
from knownface.evaluation.bench import Bench
from knownface.evaluation.datasets import Dataset, Sample
from knownface.evaluation.embeddings import FaceReader
from knownface.evaluation.faces import search, search_without_own_person
from knownface.evaluation.protocol import Tick, embed_dataset, no_tick
from knownface.files import sha256_of
from knownface.media import kind_of, read_image
from knownface.models import ModelEntry
from knownface.models.dlib import converted
from knownface.models.feeding import input_of, to_tensor
from knownface.part_checks import made_crops
from knownface.pipeline import crop_of, find_faces
from knownface.precisions import Precision
from knownface.research.quantize import (
    CALIBRATION_PICTURES,
    depends_on_batch,
    usual_precisions,
    write_variant,
)
from knownface.types import Embeddings, Image

LARGEST_LOSS = 0.003
"""By how much a smaller share of probes may be named rightly, or a larger one of strangers, of what is offered."""
NEARLY_THE_SAME = 0.01
"""Largest difference of unit vectors up to which a variant is offered without a look at identification: a hundredth
of the distances that are decided on."""
_TIMED_RUNS = 3


@dataclass(frozen=True, slots=True)
class VariantReport:
    """What a variant is like.

    Attributes:
        name: In the catalogue, if it is offered; of the network itself in the first report.
        precision: Of its numbers; None for the network itself.
        byte_count: Of the file.
        faces_a_second: Embedded, at full batches.
        largest: Largest distance between its vector of a face and the network's own, 0 to 2.
        median: The median of those distances.
        named_rightly: Share of the probes of enrolled people, at the network's own threshold; None where no people
            were given.
        strangers_named: Share of strangers that were named; without strangers, of enrolled pictures searched among
            everybody else's.
        offered: Whether it was taken into the catalogue.
    """

    name: str
    precision: Precision | None
    byte_count: int
    faces_a_second: float
    largest: float
    median: float
    named_rightly: float | None
    strangers_named: float | None
    offered: bool


def make_variants(
    bench: Bench,
    name: str,
    precisions: Sequence[Precision] | None = None,
    dataset: Dataset | None = None,
    strangers: Sequence[Sample] = (),
    tick: Tick = no_tick,
) -> Iterator[VariantReport]:
    """Make variants of a network and take those into the catalogue that change next to nothing.

    A variant is offered if it names at most :data:`LARGEST_LOSS` fewer probes rightly and as many more strangers;
    without people to measure that on, if no vector moves by more than :data:`NEARLY_THE_SAME`. Static int8 is
    calibrated on pictures that are enrolled, which are not those that are named.

    Args:
        bench: Detector, store and settings.
        name: Of an embedder whose weights are here.
        precisions: What to make; None is all that is worth making of this network.
        dataset: People to calibrate and measure on; None measures on made pictures.
        strangers: Pictures of people who are not enrolled.
        tick: Called with how far it is.

    Yields:
        The network itself, then each variant.

    Raises:
        ModelError: The weights are missing, or a variant cannot be made or run.
        MissingExtraError: The package onnx is not installed.
        NoFaceError: The pictures show no faces.
        OutputError: The cache cannot be written.
    """
    entry, files = bench.store.entry(name), bench.store.files(name)
    content = converted(files["network"]) or files["network"].read_bytes()
    floats = replace(bench, settings=bench.settings.model_copy(update={"int8": False}))
    reader = replace(floats.with_embedder(name), cache=None)
    pictures = _crops(reader, dataset, CALIBRATION_PICTURES) if dataset else made_crops(reader.embedder)
    calibration = [to_tensor(picture[np.newaxis], input_of(entry)) for picture in pictures] if dataset else []
    first = _measure(reader, pictures, dataset, strangers, tick)
    yield _report(name, None, files["network"], first, first)
    for precision in precisions or usual_precisions(content, calibrated=dataset is not None):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "variant.onnx"
            write_variant(content, precision, file, calibration)
            variant = _variant_of(entry, precision, file)
            embedder = embedder_of(variant, {**files, "network": file}, bench.settings)
            found = _measure(replace(reader, embedder=embedder), pictures, dataset, strangers, tick)
            report = _report(variant.name, precision, file, first, found)
            if report.offered:
                bench.store.add_variant(
                    name, variant.name, file, title=variant.title, per_item=depends_on_batch(precision)
                )
        yield report


def _variant_of(entry: ModelEntry, precision: Precision, file: Path) -> ModelEntry:
    assert entry.input is not None  # noqa: S101 - it was embedded with before
    network = replace(entry.files[0], sha256=sha256_of(file), ranges="")
    return replace(
        entry,
        name=f"{entry.name}-{precision}",
        title=f"{entry.title}, {precision}",
        files=(network, *entry.files[1:]),
        input=replace(entry.input, per_item=depends_on_batch(precision)),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    """A network's vectors, speed and answers."""

    vectors: Embeddings
    faces_a_second: float
    answers: tuple[float, float] | None  # probes named rightly, strangers named


def _measure(
    reader: FaceReader, pictures: Sequence[Image], dataset: Dataset | None, strangers: Sequence[Sample], tick: Tick
) -> _Measured:
    embedder = reader.embedder
    vectors = embedder.embed(pictures)  # the first run of a network takes longer
    seconds = []
    for _ in range(_TIMED_RUNS):
        started = time.perf_counter()
        embedder.embed(pictures)
        seconds.append(time.perf_counter() - started)
    speed = len(pictures) / min(seconds)
    if dataset is None:
        return _Measured(vectors, speed, None)
    sides = embed_dataset(dataset, strangers, reader, tick)
    rule = embedder.contract.rule
    searches = search(sides.train.faces, sides.val.faces, rule.k2)
    accuracy = float(np.mean(searches.answers(rule) == searches.truth))
    unknown = search_without_own_person(sides.train.faces, rule.k2)
    everybody = [sides.train, sides.val]
    if sides.strangers is not None:
        unknown = search(sides.train.faces, sides.strangers.faces, rule.k2)
        everybody.append(sides.strangers)
    named = float(np.mean(unknown.answers(rule) >= 0))
    return _Measured(np.concatenate([found.faces.embeddings for found in everybody]), speed, (accuracy, named))


def _crops(reader: FaceReader, dataset: Dataset, count: int) -> list[Image]:
    """The largest face of photos to enrol, taken from everybody in turn, as the network sees it.

    Raises:
        NoFaceError: None of them shows one.
    """
    turns = zip_longest(*(person.train for person in dataset.people))
    paths = (path for turn in turns for path in turn if path is not None and kind_of(path) == "image")
    crops: list[Image] = []
    for path in islice(paths, 2 * count):
        image = read_image(path, reader.max_pixels)
        if faces := find_faces(image, reader.detector):
            crops.append(crop_of(image, faces[0], reader.embedder))
        if len(crops) == count:
            break
    if not crops:
        raise NoFaceError(f"No face was found in the photos of {dataset.root}.")
    return crops


def _report(name: str, precision: Precision | None, file: Path, first: _Measured, found: _Measured) -> VariantReport:
    differences = np.linalg.norm(found.vectors - first.vectors, axis=1)
    offered = bool(differences.max() <= NEARLY_THE_SAME)
    if found.answers is not None and first.answers is not None:
        fewer_right, more_strangers = np.array([1, -1]) * (np.array(first.answers) - found.answers)
        offered = round(max(fewer_right, more_strangers), 9) <= LARGEST_LOSS  # a difference of shares is not exact
    return VariantReport(
        name=name,
        precision=precision,
        byte_count=file.stat().st_size,
        faces_a_second=found.faces_a_second,
        largest=float(differences.max()),
        median=float(np.median(differences)),
        named_rightly=found.answers[0] if found.answers else None,
        strangers_named=found.answers[1] if found.answers else None,
        offered=offered,
    )
