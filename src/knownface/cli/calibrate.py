"""``knownface calibrate``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape

from knownface.cli.common import open_recognizer, out, progress, recognizer_options, say, scoring_option, table
from knownface.cli.liveness import MACHINE, attack_options, calibrate_liveness, taken_pictures
from knownface.cli.outputs import OutputFile, overwrite_option
from knownface.errors import CalibrationError, SettingsError
from knownface.wording import plural

if TYPE_CHECKING:
    from knownface.evaluation import Calibration
    from knownface.evaluation.embeddings import FoundFaces
    from knownface.evaluation.look_alikes import NamedStranger
    from knownface.gallery import Gallery
    from knownface.recognizer import FaceRecognizer
    from knownface.types import CohortSpread

_SHOWN = 10
_MOST_PAIRS = 50


@click.command(name="calibrate", short_help="Set the threshold for the false alarms that you can accept.")
@click.argument("location", metavar="[GALLERY]", required=False)
@click.option(
    "--fpir",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Share of strangers who may get a name. Default: 0.01, or the setting.",
)
@click.option(
    "--strangers",
    type=click.Path(path_type=Path),
    help="Folder with pictures of people who are not enrolled: a file a person, or a folder a person.",
)
@click.option(
    "--not-strangers",
    multiple=True,
    metavar="NAME|FILE",
    help="Somebody among the strangers who is enrolled after all; may be given several times.",
)
@click.option(
    "--sheet",
    type=OutputFile(".jpg", ".jpeg", ".png"),
    help="Write a picture that shows strangers who look like enrolled people, side by side.",
)
@overwrite_option
@click.option(
    "--confidence",
    type=click.FloatRange(0.5, 1, min_open=True, max_open=True),
    default=0.95,
    show_default=True,
    help="Confidence with which the share holds.",
)
@click.option(
    "--forget",
    is_flag=True,
    help="Take the calibrations away; the threshold is estimated again from the people enrolled.",
)
@click.option("--liveness", is_flag=True, help="Choose how live a face must look instead, by --attacks and --real.")
@click.option(
    "--apcer",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.05,
    show_default=True,
    help="Share of each kind of attack that may pass as live.",
)
@attack_options
@scoring_option
@recognizer_options
def command(
    location: str | None,
    fpir: float | None,
    strangers: Path | None,
    not_strangers: tuple[str, ...],
    sheet: Path | None,
    confidence: float,
    forget: bool,
    liveness: bool,
    apcer: float,
    gallery: str | None,
    **options: Any,
) -> None:
    """Choose threshold, k1, k2 and margin for the false alarms that you can accept, and keep them in the gallery.

    Strangers come from the folder --strangers, and from the gallery itself: each person is left out in turn and
    should be Unknown to the others. Each file or video of a person is left out in turn and should still be named.
    `identify` and all others use the result from then on; --threshold, --k1, --k2 and --margin win over it.

    Strangers who look far too much like somebody enrolled are listed: leave those who are enrolled after all out with
    --not-strangers.

    With --liveness the score from which a face counts as live is chosen, by pictures of prints and screens that were
    held up (--attacks) and of living faces (--real) before your cameras.
    """
    from knownface.evaluation.gallery_calibration import calibrate_gallery

    if strangers is None and (not_strangers or sheet):
        raise SettingsError("--not-strangers and --sheet are about strangers.", "Give their folder: --strangers DIR.")
    if location and gallery:
        raise SettingsError("GALLERY and --gallery are both given.", "Give one of them.")
    pictures = taken_pictures(options)
    if liveness != (pictures is not None):
        raise SettingsError("--liveness goes with --attacks and --real.", "Give all three.")
    if pictures is not None:
        calibrate_liveness(location or gallery, pictures, apcer, {name: options[name] for name in MACHINE})
        return
    if forget:
        _forget(location or gallery)
        return
    with open_recognizer(location or gallery, create=False, fpir=fpir, **options) as recognizer:
        recognizer.gallery.index.check_not_empty()
        found = _embed_strangers(recognizer, strangers, not_strangers) if strangers else None
        cohort = recognizer.embedder.contract.cohort
        if found and len(found):
            _show_look_alikes(recognizer.gallery, found, cohort, sheet)
        try:
            with progress() as bar:
                bar.add_task("Choosing parameters", total=None)
                result = calibrate_gallery(
                    recognizer.gallery,
                    found.faces if found else None,
                    fpir=recognizer.settings.fpir,
                    confidence=confidence,
                    scoring=recognizer.settings.scoring,
                    cohort=cohort,
                    undetected_strangers=found.missed if found else 0,
                )
        except CalibrationError:
            say(f"Nothing was stored: the threshold stays {recognizer.rule.threshold:.3f}.")
            raise
        _show(result, str(recognizer.gallery.location))
        _say_alike(recognizer)
        if found:
            _show_named(recognizer, found, result)


def _forget(location: str | None) -> None:
    from knownface.gallery import Gallery
    from knownface.gallery.liveness import forget_liveness_calibrations
    from knownface.settings import load_settings

    with Gallery.open_by(load_settings(gallery=location), create=False) as opened:
        opened.set_calibration(None)
        forget_liveness_calibrations(opened.database)
        out().print(f"The calibration of {escape(str(opened.location))} is forgotten.", soft_wrap=True)


def _embed_strangers(recognizer: FaceRecognizer, folder: Path, excluded: tuple[str, ...]) -> FoundFaces:
    from knownface.evaluation.datasets import read_strangers
    from knownface.evaluation.embeddings import FaceReader
    from knownface.evaluation.face_cache import open_cache

    samples, notes = read_strangers(folder, list(recognizer.gallery.names.values()), excluded)
    for note in notes:
        say(note)
    settings = recognizer.settings
    with open_cache(settings) as cache, progress() as bar:
        reader = FaceReader(
            recognizer.detector,
            recognizer.embedder,
            threads=recognizer.threads,
            batch_size=settings.batch_size,
            max_pixels=settings.max_pixels,
            cache=cache,
        )
        task = bar.add_task("Embedding strangers", total=len(samples))
        return reader.read(samples, on_done=lambda _: bar.advance(task))


def _without_face(count: int) -> str:
    return f"{plural(count, 'picture')} without a face"


def _show_look_alikes(gallery: Gallery, found: FoundFaces, cohort: CohortSpread | None, sheet: Path | None) -> None:
    from knownface.evaluation.contact_sheet import contact_sheet
    from knownface.evaluation.look_alikes import look_alikes
    from knownface.media import write_image

    near = look_alikes(gallery.template_store.enrolled_faces(), found.faces, cohort)
    if not near:
        return
    title = f"{plural(len(near), 'stranger')} far nearer than strangers are: enrolled after all?"
    rows = table("stranger", "looks like", "distance", "enrolled from", title=title)
    for one in near[:_SHOWN]:
        enrolled = gallery.template_store.get(one.template).source
        rows.add_row(*(escape(cell) for cell in (_file(found, one), one.name, f"{one.distance:.3f}", enrolled)))
    out().print(rows)
    if len(near) > _SHOWN:
        say(f"… of {len(near)} in all.")
    if sheet is not None:
        write_image(sheet, contact_sheet(gallery, found, near[:_MOST_PAIRS]))
        say(f"Both pictures of each: {sheet}")
    else:
        say("See both pictures of each with --sheet FILE.jpg.")
    first = str(found.faces.people[near[0].row])
    say(f"Leave out whoever is enrolled: --not-strangers {shlex.quote(first)}, and run this again.")


def _file(found: FoundFaces, stranger: NamedStranger) -> str:
    return str(found.places[stranger.row].path)


def _say_alike(recognizer: FaceRecognizer) -> None:
    from knownface.review.alike import alike_people

    pairs = alike_people(recognizer.gallery, recognizer.embedder.contract, recognizer.rule)
    if pairs:
        say(
            f"{plural(len(pairs), 'pair of people', 'pairs of people')} may be enrolled under two names, such as "
            f"{pairs[0].first!r} and {pairs[0].second!r}; if so, the numbers are worse than they could be: "
            "`knownface people alike`."
        )


def _show(result: Calibration, gallery: str) -> None:
    console = out()
    console.print(escape(result.sentence), soft_wrap=True)
    rule, later = result.rule, result.fpir_interval
    rows = table("fact", "value")
    for name, value in (
        ("threshold", f"{rule.threshold:g}"),
        ("k1, k2, margin", f"{rule.k1}, {rule.k2}, {rule.margin:g}"),
        (
            "strangers searched",
            f"{plural(result.strangers, 'person', 'people')}; {_without_face(result.undetected_strangers)}",
        ),
        ("people left out in turn", str(result.left_out)),
        ("of them got a name", f"{result.fpir:.3%}; at most {result.fpir_bound:.3%} fits that"),
        ("other strangers, as many", f"{later.low:.2%} to {later.high:.2%} of them will get a name"),
        (
            "known people searched",
            f"{result.people_searched} of {result.people}, {plural(result.genuine_searches, 'time')}, without their "
            f"own source; {_without_face(result.undetected_gallery)}",
        ),
    ):
        rows.add_row(name, escape(value))
    console.print(rows)
    console.print(f"Stored in {escape(gallery)}; it is used from now on.", soft_wrap=True)


def _show_named(recognizer: FaceRecognizer, found: FoundFaces, result: Calibration) -> None:
    from knownface.evaluation.look_alikes import named_strangers

    named = named_strangers(recognizer.gallery.template_store.enrolled_faces(), found.faces, result.rule)
    if not named:
        return
    rows = table("file", "name", "distance", title="Strangers who would get a name")
    for stranger in named[:_SHOWN]:
        rows.add_row(escape(_file(found, stranger)), escape(stranger.name), f"{stranger.distance:.3f}")
    out().print(rows)
    if len(named) > _SHOWN:
        say(f"… of {len(named)} in all.")
