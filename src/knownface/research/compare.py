"""Several embedders on the same pictures: same split, same detector, same search.

Figures that others published stand in columns of their own. They were measured on other data by other protocols (LFW
verification: are two photos of one person?), so they are not to be compared with what is measured here.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from knownface.errors import ModelError
from knownface.evaluation.bench import Bench
from knownface.evaluation.datasets import Dataset, Sample, read_dataset, read_strangers
from knownface.evaluation.displays import CmcDisplay, DetDisplay, RocDisplay
from knownface.evaluation.embeddings import FaceReader
from knownface.evaluation.openset import operating_points
from knownface.evaluation.page_parts import dataset_facts, edge_notes, notes_section, rule_text
from knownface.evaluation.protocol import Evaluation, Tick, embed_dataset, evaluate, no_tick
from knownface.evaluation.report import Cell, FigureData, Report, Section, TableData
from knownface.evaluation.runs import EvaluateOptions
from knownface.media import kind_of, read_image
from knownface.models.joins import parse_join
from knownface.parts import EMBEDDERS, find_part
from knownface.pipeline import crop_of, embed_crops, find_faces
from knownface.types import EmbedderContract, Image

_TIMED_FACES = 64
_PAPER = "as quoted in the CLIP + FAISS paper (2025)"
_IMPORT = "Put the network into ONNX and run `knownface models import FILE --as {name} --contract FILE.toml`."


@dataclass(frozen=True, slots=True)
class Entry:
    """A system to compare.

    Attributes:
        title: For people.
        embedder: As ``--embedder`` takes it, or the name to import it as.
        published: What others report, on their data.
        source: Who.
        missing: Why it cannot be run by that name whatever is at hand; empty where it can.
    """

    title: str
    embedder: str
    published: str = ""
    source: str = ""
    missing: str = ""


ENTRIES = (
    Entry("CLIP + FAISS", "clip-vit-b32", "about 87 to 100 %, by size and quality of the data", _PAPER),
    Entry(
        "FaceNet", "facenet512", "99.63 % LFW verification", "Schroff et al., CVPR 2015; another network than this file"
    ),
    Entry("DeepFace", "deepface", "97.35 % LFW verification", "Taigman et al., CVPR 2014"),
    Entry("VGG-Face", "vgg-face", "98.95 % LFW verification", "Parkhi et al., BMVC 2015"),
    Entry("ArcFace", "arcface-r50", "99.40 % LFW", _PAPER),
    Entry(
        "YOLO-Face",
        "yolo-face",
        "99.8 %",
        _PAPER,
        "YOLO-Face is a detector; it finds faces and names nobody, and there is no code here that runs its files.",
    ),
    Entry("MobileFaceNet (ours)", "mobilefacenet", "99.48 % LFW verification", "README of foamliu/MobileFaceNet"),
    Entry("dlib ResNet (ours, needs no download)", "dlib-resnet", "99.38 % LFW verification", "dlib's author"),
)
"""What is compared where no embedder is named."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """An entry that was run.

    Attributes:
        evaluation: On the data set.
        speed: Faces a second, cropped and embedded.
        contract: Of the embedder.
    """

    evaluation: Evaluation
    speed: float
    contract: EmbedderContract


def entries_for(names: Sequence[str]) -> list[Entry]:
    """The entries of these embedders, one for each name, in order; all of them without names."""
    if not names:
        return list(ENTRIES)
    known = {entry.embedder: entry for entry in ENTRIES}
    return [known.get(name, Entry(name, name)) for name in dict.fromkeys(names)]


def compare(
    bench: Bench,
    root: Path,
    options: EvaluateOptions,
    *,
    embedders: Sequence[str] = (),
    facts: Mapping[str, Cell] | None = None,
    tick: Tick = no_tick,
) -> Report:
    """Run every embedder whose weights are at hand, and say of the others what is missing.

    Args:
        bench: Detector, cache and store; its own embedder is not used.
        root: The data set.
        options: How.
        embedders: As ``--embedder`` takes them; none compares all of :data:`ENTRIES`.
        facts: More facts for the page.
        tick: Called with how far it is.
    """
    dataset = read_dataset(root, options.split)
    strangers: tuple[Sample, ...] = ()
    notes: list[str] = list(dataset.notes)
    if options.strangers is not None:
        strangers, remarks = read_strangers(options.strangers, [p.name for p in dataset.people])
        notes += remarks
    measured: dict[str, Measured] = {}
    missing: dict[str, str] = {}
    for entry in entries_for(embedders):
        lacking = (_lacking(bench, part) for part in parse_join(entry.embedder).parts)
        why = entry.missing or " ".join(filter(None, lacking))
        if why:
            missing[entry.title] = why
            continue
        reader = bench.with_embedder(entry.embedder)

        def on_tick(what: str, done: int, total: int, name: str = entry.embedder) -> None:
            tick(f"{name}: {what.casefold()}", done, total)

        sides = embed_dataset(dataset, strangers, reader, on_tick)
        evaluation = evaluate(sides, options.grid, options.criterion, options.fpir)
        measured[entry.title] = Measured(evaluation, speed_of(reader, dataset), reader.embedder.contract)
        notes += [f"{entry.title}: {note}" for note in (*sides.notes, *edge_notes(evaluation))]
    shown: dict[str, Cell] = {"Data set": str(root)}
    if measured:
        shown = dict(dataset_facts(dataset, next(iter(measured.values())).evaluation.sides))
    shown |= {"Detector": bench.reader.detector.name, **(facts or {})}
    entries = entries_for(embedders)
    side_by_side = _measured_section(bench, entries, measured, options.fpir)
    sections = [*notes_section(notes), side_by_side, _status_section(entries, measured, missing), *_plots(measured)]
    return Report("Embedders compared", _headline(measured, missing), shown, sections)


def _lacking(bench: Bench, embedder: str) -> str:
    """What is missing and how to get it; empty where the weights are here."""
    if embedder not in bench.store.catalog:
        if find_part(EMBEDDERS, embedder) is not None:
            return ""
        return f"No file that could be trusted is known to the catalogue. {_IMPORT.format(name=embedder)}"
    try:
        bench.store.files(embedder)
    except ModelError as error:
        return f"{error.message} {error.hint}"
    return ""


def speed_of(reader: FaceReader, dataset: Dataset) -> float:
    """Faces cropped and embedded a second, on up to 64 photos, detection not counted; NaN without photos."""
    paths = (path for person in dataset.people for path in person.files if kind_of(path) == "image")
    found = []
    for path in islice(paths, _TIMED_FACES):
        image: Image = read_image(path, reader.max_pixels)
        faces = find_faces(image, reader.detector)
        if faces:
            found.append((image, faces[0]))
    if not found:
        return float("nan")
    embed_crops([crop_of(*found[0], reader.embedder)], reader.embedder)  # the first run of a network takes longer
    started = time.perf_counter()
    embed_crops([crop_of(image, face, reader.embedder) for image, face in found], reader.embedder)
    return len(found) / (time.perf_counter() - started)


def tpir_at(evaluation: Evaluation, fpir: float) -> float | None:
    """TPIR at the FPIR; None without strangers, or where the FPIR cannot be reached."""
    if evaluation.open_set is None:
        return None
    points = operating_points(evaluation.open_set, [fpir])
    return points[0].tpir if points and points[0].threshold is not None else None


def _measured_section(bench: Bench, entries: Sequence[Entry], measured: Mapping[str, Measured], fpir: float) -> Section:
    tpir = f"TPIR at FPIR {fpir:g}"
    columns = ["system", "accuracy", "macro F1", tpir, "faces a second", "dimension", "licence of the weights"]
    columns.append("published elsewhere, not measured here")
    rows: list[list[Cell]] = []
    for entry in entries:
        found, known = measured.get(entry.title), bench.store.catalog.get(entry.embedder)
        dim: int | None = known.input.dim if known is not None and known.input is not None else None
        licence = known.licence if known else None
        values: list[Cell] = [None] * 4
        if found is not None:
            report = found.evaluation.report
            values = [report.accuracy, report.macro.f1, tpir_at(found.evaluation, fpir), found.speed]
            dim, licence = found.contract.dim, found.contract.licence
        published = f"{entry.published} ({entry.source})" if entry.published else ""
        rows.append([entry.title, *values, dim, licence, published])
    formats = {"accuracy": ".2%", "macro F1": ".2%", tpir: ".2%", "faces a second": ".0f"}
    text = (
        "Everything measured here was measured on the same split with the same detector and the same search, each "
        "embedder with its own crop and its own best parameters. Published figures come from other data and another "
        "question (are these two photos of one person?); they are quoted, not measured, and prove nothing here. Faces "
        "a second: cropped and embedded, without detection."
    )
    return Section("Side by side", text, [TableData(columns, rows, "A dash: not run, see below.", formats)])


def _status_section(entries: Sequence[Entry], measured: Mapping[str, Measured], missing: Mapping[str, str]) -> Section:
    rows: list[list[Cell]] = []
    for entry in entries:
        found = measured.get(entry.title)
        status = f"measured, with {rule_text(found.evaluation.rule)}" if found else missing[entry.title]
        rows.append([entry.title, entry.embedder, status])
    return Section(
        "What was run, and what is missing", "", [TableData(["system", "embedder", "status"], rows, "Every system.")]
    )


def _headline(measured: Mapping[str, Measured], missing: Mapping[str, str]) -> str:
    if not measured:
        return "None of these systems could be run: their weights are not here. The table says how to get them."
    best = max(found.evaluation.report.accuracy for found in measured.values())
    titles = [title for title, found in measured.items() if found.evaluation.report.accuracy == best]
    text = f"{len(measured)} of {len(measured) + len(missing)} systems could be run; "
    if len(titles) == 1:
        return text + f"best is {titles[0]} with {best:.2%} of the pictures named rightly."
    shown = f"{', '.join(titles[:-1])} and {titles[-1]}"
    return text + f"{shown} are equally good, with {best:.2%} of the pictures named rightly."


def _plots(measured: Mapping[str, Measured]) -> list[Section]:
    if not measured:
        return []
    cmc = roc = det = None
    for title, found in measured.items():
        sides = found.evaluation.sides
        if len(found.evaluation.enrolled) > 1:
            cmc = CmcDisplay.from_faces(sides.train.faces, sides.val.faces, title).plot(cmc.ax_ if cmc else None)
            roc = RocDisplay.from_faces(sides.train.faces, sides.val.faces, title).plot(roc.ax_ if roc else None)
        if found.evaluation.open_set is not None:
            det = DetDisplay(found.evaluation.open_set, title).plot(det.ax_ if det else None)
    drawn = (("cmc", "CMC.", cmc), ("roc", "ROC.", roc), ("det", "DET.", det))
    figures = [FigureData(name, caption, display) for name, caption, display in drawn if display is not None]
    return [Section("Curves", "", [], figures)] if figures else []
