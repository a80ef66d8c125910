"""What ``evaluate`` and ``calibrate`` do with living faces and attacks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from rich.markup import escape

from knownface.cli.common import out, progress, say
from knownface.errors import SettingsError

if TYPE_CHECKING:
    from knownface.evaluation.attacks import Presentations
    from knownface.liveness import LivenessCheck
    from knownface.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])

MACHINE = ("detector", "detector_score", "thorough", "device", "threads")
"""Options of the machine and the detector, which are all that scoring faces takes."""

_FOLDER = click.Path(path_type=Path, file_okay=False)


@dataclass(frozen=True, slots=True)
class Pictures:
    """Where living faces and attacks lie.

    Attributes:
        attacks: Folder of attacks; a folder within it is a kind of attack.
        real: Folder of living faces.
        kinds: Words in file names that tell the kind instead.
    """

    attacks: Path
    real: Path
    kinds: tuple[str, ...] = ()


def attack_options(command: Command) -> Command:
    """``--attacks``, ``--real`` and ``--kind``."""
    options = [
        click.option("--attacks", type=_FOLDER, help="Pictures of attacks on liveness: prints and screens held up. A "
                     "folder within is a kind of attack."),
        click.option("--real", type=_FOLDER, help="Pictures of living faces, before the same cameras."),
        click.option("--kind", "kinds", multiple=True, metavar="WORD",
                     help="A kind of attack that file names tell by this word. May be repeated."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def taken_pictures(options: dict[str, Any]) -> Pictures | None:
    """What :func:`attack_options` read, taken out of ``options``; None if none of them was given.

    Raises:
        SettingsError: One of the two folders is missing.
    """
    attacks, real, kinds = options.pop("attacks"), options.pop("real"), options.pop("kinds")
    if attacks is None and real is None:
        return None
    if attacks is None or real is None:
        raise SettingsError(
            "--attacks and --real belong together.", "Give a folder of attacks and one of living faces."
        )
    return Pictures(attacks, real, kinds)


def present_pictures(pictures: Pictures, settings: Settings) -> tuple[Presentations, LivenessCheck]:
    """Score the pictures by the check that the settings name, and say which that is."""
    from knownface.detection import choose_detector
    from knownface.evaluation.attacks import REAL, kinds_of_folder, present
    from knownface.liveness import choose_liveness
    from knownface.models import ModelStore
    from knownface.models.session import usable_processors

    store = ModelStore(settings.models, settings.cache)
    check, why = choose_liveness(settings, store)
    detector, why_detector = choose_detector(settings, store)
    say(why)
    say(why_detector)
    files = [(REAL, path) for _, path in kinds_of_folder(pictures.real)]
    files += kinds_of_folder(pictures.attacks, pictures.kinds)
    with progress() as bar:
        task = bar.add_task("Scoring faces", total=len(files))
        shown = present(
            files,
            detector,
            check,
            threads=settings.threads or usable_processors(),
            max_pixels=settings.max_pixels,
            on_done=lambda: bar.advance(task),
        )
    return shown, check


def calibrate_liveness(location: str | None, pictures: Pictures, apcer: float, overrides: dict[str, Any]) -> None:
    """Choose the threshold at which at most a share of each kind of attack passes, and keep it in the gallery."""
    from knownface.evaluation.attack_page import attack_headline
    from knownface.evaluation.attacks import report, threshold_for
    from knownface.gallery import Gallery
    from knownface.gallery.liveness import LivenessCalibration, store_liveness_calibration
    from knownface.settings import load_settings

    settings = load_settings(gallery=location, **overrides)
    with Gallery.open_by(settings, create=False) as gallery:
        shown, check = present_pictures(pictures, settings)
        threshold = threshold_for(shown, apcer)
        found = report(shown, threshold)
        sentence = attack_headline(found)
        worst = found.apcer[found.worst].rate
        now = datetime.now(UTC)
        chosen = LivenessCalibration(check.fingerprint, threshold, apcer, worst, found.bpcer.rate, sentence, now)
        store_liveness_calibration(gallery.database, chosen)
        out().print(escape(sentence), soft_wrap=True)
        out().print(f"Stored in {escape(str(gallery.location))}; --liveness uses it from now on.", soft_wrap=True)
