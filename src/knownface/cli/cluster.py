"""``knownface cluster``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from knownface.cli.common import open_recognizer, out, progress, recognizer_options, say, with_options
from knownface.cli.outputs import MARK, OutputFolder, claim
from knownface.cli.reading import input_files
from knownface.wording import plural

if TYPE_CHECKING:
    from knownface.face_folders import SortedFaces

_TOLD = 5


@click.command(name="cluster", short_help="Sort the faces of strangers in photos into folders, to be named.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@recognizer_options
@click.option("--out", "folder", type=OutputFolder(), required=True, help="New folder for the faces.")
@click.option(
    "--least",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="Faces that a person needs for a folder.",
)
def command(paths: tuple[str, ...], folder: Path, least: int, **options: Any) -> int:
    """Sort the faces of strangers in photos into folders by likeness: files, folders or globs.

    Each folder holds one person, who is called "Unknown 1" and so on. Look through them, give the folders names, and
    learn them: knownface enroll FOLDER. Who is enrolled already is left out, and nothing is enrolled by itself.
    """
    from knownface.errors import OutputError, UnreadableError
    from knownface.face_folders import sort_faces
    from knownface.media import kind_of

    if folder.is_dir() and any(entry.name != MARK for entry in folder.iterdir()):
        raise OutputError(
            f"The folder {folder} holds faces already, which may have been sorted by hand.", "Name a new folder."
        )
    files = input_files(paths, folder)
    photos = [path for path in files if kind_of(path) != "video"]
    if not photos:
        raise UnreadableError("There is no photo, and faces are sorted from photos.", "Watch videos: knownface watch.")
    if len(photos) < len(files):
        say(f"{plural(len(files) - len(photos), 'video')} left out: faces are sorted from photos.")
    with open_recognizer(**options) as recognizer, progress() as bar:
        claim(folder)
        task = bar.add_task("Looking for faces", total=len(photos))
        found = sort_faces(recognizer, photos, folder, least, lambda _photo: bar.advance(task))
    _summary(found, folder, least)
    return 1 if found.failed else 0


def _summary(found: SortedFaces, folder: Path, least: int) -> None:
    faces = sum(found.folders)
    out().print(
        f"{plural(faces, 'face')} of {plural(len(found.folders), 'stranger')} in {folder}, from "
        f"{plural(found.photos, 'photo')}. Left out: {plural(found.known, 'face')} of people who are enrolled, "
        f"{found.alone} of people with fewer than {least}, {found.poor} too poor to learn from.",
        soft_wrap=True,
        markup=False,
    )
    for path, error in found.failed[:_TOLD]:
        message = error.message if str(path) in error.message else f"{path}: {error.message}"
        say(f"Passed over: {with_options(f'{message} {error.hint}'.strip())}", style="yellow")
    if len(found.failed) > _TOLD:
        say(f"… of {plural(len(found.failed), 'file')} in all.", style="dim")
    if found.folders:
        say(f"Give the folders names, delete what is wrong in them, then: knownface enroll {folder}")
