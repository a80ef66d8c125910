"""``knownface models``: weights and their licences."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.markup import escape

from knownface.cli.common import out, progress, table

if TYPE_CHECKING:
    from knownface.models import ModelStore


@click.group(name="models")
def command() -> None:
    """List, fetch, verify and import weights."""


def _store() -> ModelStore:
    from knownface.models import ModelStore
    from knownface.settings import load_settings

    settings = load_settings()
    return ModelStore(settings.models, settings.cache)


@command.command(name="list")
def list_models() -> None:
    """List every model with its licence, and whether it is on this machine."""
    from knownface.errors import ModelAlteredError

    store = _store()
    rows = table("name", "task", "here", "MB", "licence", "commercial use", "note")
    for name, entry in store.catalog.items():
        try:
            here = "yes" if store.find(name) else ""
        except ModelAlteredError:
            here = "[red]altered[/]"
        size = f"{entry.byte_count / 1e6:.1f}" if entry.byte_count else ""
        rows.add_row(
            name, entry.task, here, size, escape(entry.licence), entry.commercial_use, escape(entry.licence_note)
        )
    rows.add_row("dlib-hog", "detector", "yes", "", "BSL-1.0", "yes", "Part of dlib; needs no weight file.")
    out().print(rows)


@command.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
def get(names: tuple[str, ...]) -> None:
    """Fetch the weights NAME..., after showing their licence."""
    store = _store()
    for name in names:
        entry = store.entry(name)
        with progress() as bar:
            task = bar.add_task(name, total=entry.byte_count)
            path = store.fetch(name, lambda done, total, task=task: bar.update(task, completed=done, total=total))  # type: ignore[misc]
        out().print(f"{name}: {escape(str(path))}", soft_wrap=True)


@command.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
def verify(names: tuple[str, ...]) -> None:
    """Check the SHA-256 of NAME... and that the network gives what its contract says."""
    from knownface.embedding import check_network

    store = _store()
    for name in names:
        for part, path in store.verify(name).items():
            out().print(escape(f"{name}: {part} {path} is whole."), soft_wrap=True)
        if store.entry(name).task == "embedder":
            out().print(escape(f"{name}: {check_network(name, store)}"), soft_wrap=True)


@command.command(name="import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--as", "name", required=True, help="Name in the catalogue, or a new name with --contract.")
@click.option(
    "--contract", type=click.Path(path_type=Path, dir_okay=False), help="TOML that tells how the network is fed."
)
def import_model(file: Path, name: str, contract: Path | None) -> None:
    """Copy the weight FILE into the cache: a known model's file, or your own network by a contract of its own."""
    path = _store().import_file(file, name, contract)
    out().print(f"{name}: {escape(str(path))}", soft_wrap=True)
