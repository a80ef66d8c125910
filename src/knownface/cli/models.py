"""``knownface models``: weights and their licences."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape

from knownface.cli.common import detector_options, look_here, machine_options, out, progress, table
from knownface.precisions import PRECISIONS, Precision

if TYPE_CHECKING:
    from knownface.evaluation.datasets import Dataset, Sample
    from knownface.models import ModelStore


@click.group(name="models", short_help="List, fetch, verify, import and shrink weights, with their licences.")
def command() -> None:
    """List, fetch, verify, import, remove and shrink weights."""


def _store() -> ModelStore:
    from knownface.models import ModelStore
    from knownface.settings import load_settings

    settings = load_settings()
    return ModelStore(settings.models, settings.cache)


def _refuse_weightless(names: tuple[str, ...]) -> None:
    from knownface.errors import ModelError
    from knownface.models.kinds import weightless_parts

    for part in weightless_parts():
        if part.name in names:
            raise ModelError(f"{part.name} needs no weights: there are none to fetch or remove.")


@command.command(name="list")
def list_models() -> None:
    """List every model with its licence, and whether it is on this machine."""
    from knownface.errors import ModelAlteredError
    from knownface.models.kinds import weightless_parts

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
    for part in weightless_parts():
        here = "yes" if part.usable else "[red]broken[/]"
        rows.add_row(
            part.name, part.task, here, "", escape(part.licence), part.commercial_use, escape(part.licence_note)
        )
    out().print(rows)


@command.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
def get(names: tuple[str, ...]) -> None:
    """Fetch the weights NAME..., after showing their licence; of A+B those of both."""
    from knownface.models.joins import parse_join

    store = _store()
    names = tuple(part for name in names for part in parse_join(name).parts)
    _refuse_weightless(names)
    for name in names:
        entry = store.entry(name)
        with progress() as bar:
            task = bar.add_task(name, total=entry.byte_count)
            path = store.fetch(name, lambda done, total, task=task: bar.update(task, completed=done, total=total))  # type: ignore[misc]
        out().print(f"{name}: {escape(str(path))}", soft_wrap=True)


@command.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...", callback=look_here)
def verify(names: tuple[str, ...]) -> None:
    """Check the SHA-256 of NAME..., and that each runs and returns what its contract says.

    A registered part that needs no weights is run, and so are your own, module:Factory, and embedders joined, A+B.
    """
    from knownface.models.joins import parse_join
    from knownface.models.kinds import weightless_parts
    from knownface.part_checks import check_detector, check_embedder, check_liveness, task_of_script
    from knownface.parts import is_script

    checks = {"embedder": check_embedder, "detector": check_detector, "liveness": check_liveness}
    store = _store()
    weightless = {part.name: part.task for part in weightless_parts()}
    for name in names:
        joined = parse_join(name).parts
        for one in joined:
            if is_script(one):
                task = task_of_script(one)
            elif one in weightless:
                task = weightless[one]
            else:
                task = store.entry(one).task
                for part, path in store.verify(one).items():
                    out().print(escape(f"{one}: {part} {path} is whole."), soft_wrap=True)
        task = task if len(joined) == 1 else "embedder"
        out().print(escape(f"{name}: {checks[task](name, store)}"), soft_wrap=True)


@command.command(name="import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--as", "name", required=True, help="Name in the catalogue, or a new name with --contract.")
@click.option(
    "--contract", type=click.Path(path_type=Path, dir_okay=False), help="TOML that describes how the network is fed."
)
def import_model(file: Path, name: str, contract: Path | None) -> None:
    """Copy the weight FILE into the cache: a known model's file, or your own embedder or detector by a contract."""
    path = _store().import_file(file, name, contract)
    out().print(f"{name}: {escape(str(path))}", soft_wrap=True)


@command.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
def remove(names: tuple[str, ...]) -> None:
    """Delete what was fetched or imported of NAME...; your own models folder and packages are left alone."""
    store = _store()
    _refuse_weightless(names)
    for name in names:
        freed = store.remove(name)
        out().print(escape(f"{name}: {freed / 1e6:.1f} MB freed."), soft_wrap=True)


@command.command()
@click.argument("name")
@click.option(
    "--to",
    "precisions",
    multiple=True,
    type=click.Choice(PRECISIONS),
    help="What to make. Default: all that are worth making of it.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder that holds one folder a person: int8 is calibrated and identification measured on it.",
)
@click.option("--people", type=click.IntRange(1), help="Enrol only the first N people; the others are strangers.")
@click.option("--per-person", type=click.IntRange(1), default=5, show_default=True, help="Enrol N pictures a person.")
@detector_options
@machine_options
def quantize(
    name: str, precisions: tuple[Precision, ...], data: Path | None, people: int | None, per_person: int, **options: Any
) -> None:
    """Make int8, fp16 and bf16 variants of the embedder NAME and show what each changes.

    A variant is kept as NAME-int8 and so on, ready for --embedder, if of the pictures of --data it names at most 0.3 %
    fewer rightly and 0.3 % more strangers; without --data, if it changes next to nothing of any vector.
    """
    from knownface.evaluation.bench import open_bench
    from knownface.research.variants import make_variants

    dataset, strangers = _people(data, people, per_person) if data is not None else (None, ())
    rows = table("network", "MB", "faces/s", "largest", "median", "named rightly", "strangers named", "kept")
    with open_bench(use_cache=False, embedder=name, **options) as bench, progress() as bar:
        task = bar.add_task("Measuring", total=None)

        def tick(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        for found in make_variants(bench, name, precisions or None, dataset, strangers, tick):
            bar.update(task, description=f"{found.name} measured")
            rows.add_row(
                found.name, f"{found.byte_count / 1e6:.1f}", f"{found.faces_a_second:.0f}", f"{found.largest:.4f}",
                f"{found.median:.4f}", _share(found.named_rightly), _share(found.strangers_named),
                "" if found.precision is None else "yes" if found.offered else "no",
            )  # fmt: skip
    out().print(rows)


def _people(data: Path, people: int | None, per_person: int) -> tuple[Dataset, list[Sample]]:
    """Who is enrolled and named, and the strangers."""
    from knownface.evaluation.datasets import Sample, SplitOptions, read_dataset

    everybody = read_dataset(data, SplitOptions(per_person=per_person))
    known = everybody.people[:people]
    strangers = [Sample(person.name, path) for person in everybody.people[len(known) :] for path in person.files]
    return everybody.only([person.name for person in known]), strangers


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
