"""How well, and how fast, faces are named in videos: made videos of real faces, with the truth of every frame.

Enrols the first photos of the first people in name order; their other photos, the remaining people and further
strangers walk through videos. Names given by tracks are compared with names given frame by frame (every face of the
frame embedded and decided by itself). Counted from half a second after a face entered, nothing is relabelled later; and
once more in hindsight, as files are told, from the first frame.
The threshold is one for all rows: the gallery's own, or with ``--fpir`` the one at which that share of other strangers'
photos is named.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from live_people import Actor, make_actor
from live_score import Result, Shown
from live_tables import as_json, as_markdown
from live_variants import VARIANTS, Variant
from live_video import FPS, MadeFrame, TrueFace, make_video

from knownface.embedding import FaceEmbedder
from knownface.enrolment import EnrolmentOptions, PersonFolder, enrol_people, scan_people
from knownface.media import expand_paths, read_image
from knownface.quality import covered_part
from knownface.recognizer import FaceRecognizer
from knownface.tracking import (
    IN_HINDSIGHT,
    SHOWN_GAP,
    EmbeddingRequest,
    FaceTracker,
    Sample,
    TrackingOptions,
    TrackSummary,
    in_hindsight,
)
from knownface.types import Face, Image


@dataclass(frozen=True, slots=True)
class Plan:
    """How the videos are made and looked at.

    Attributes:
        seconds: Of video a variant.
        visit: Mean seconds from entering to leaving.
        detect_every: The detector looks at every so many-th frame.
        frames_every: Frame by frame, every so many-th of these is named: embedding all faces of all frames takes
            long.
        seed: Of the videos.
    """

    seconds: float
    visit: float
    detect_every: int
    frames_every: int
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class Cast:
    """A gallery with its threshold, and who appears in the videos."""

    recognizer: FaceRecognizer
    known: list[Actor]
    strangers: list[Actor]


def main() -> None:
    """Print the table, and write it to files if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--minutes", type=float, default=12.0, help="person-minutes of people enrolled, all variants")
    parser.add_argument("--variants", nargs="*", default=[], help="default: all")
    parser.add_argument("--detect-every", type=int, default=2, help="the detector looks at every so many-th frame")
    parser.add_argument("--frames-every", type=int, default=3, help="of these are named frame by frame")
    parser.add_argument("--out", type=Path, help="write the table to this name with .md and .json")
    arguments = parser.parse_args()
    chosen = [v for v in VARIANTS if not arguments.variants or v.name in arguments.variants]
    results: list[Result] = []
    with opened(arguments) as cast:
        for variant in chosen:
            # Half of the faces are of people enrolled.
            seconds = 60 * 2 * arguments.minutes / (len(VARIANTS) * sum(variant.faces) / 2)
            plan = Plan(
                seconds, arguments.faces_seconds, arguments.detect_every, arguments.frames_every, arguments.seed
            )
            results.append(run(variant, cast, plan))
            print(as_markdown([results[-1]], heading=len(results) == 1), flush=True)
        about = {
            "embedder": cast.recognizer.embedder.contract.name,
            "detector": cast.recognizer.detector.name,
            "threshold": cast.recognizer.rule.threshold,
            "people": len(cast.known),
            "strangers": len(cast.strangers),
            "detect_every": arguments.detect_every,
        }
    print(as_markdown(results, heading=True))
    if arguments.out:
        arguments.out.with_suffix(".md").write_text(as_markdown(results, heading=True) + "\n")
        arguments.out.with_suffix(".json").write_text(json.dumps(as_json(results, about), indent=1) + "\n")


def run(variant: Variant, cast: Cast, plan: Plan) -> Result:
    """Make a variant's video, look at it, and count."""
    result, recognizer = Result(variant), cast.recognizer
    result.frames.step = result.compared.step = plan.detect_every * plan.frames_every / FPS
    tracker = FaceTracker(recognizer.decide, recognizer.rule.threshold, TrackingOptions())
    film = FaceTracker(recognizer.decide, recognizer.rule.threshold, IN_HINDSIGHT)
    truth: list[tuple[float, tuple[TrueFace, ...]]] = []
    ended: list[TrackSummary] = []
    for number, made in enumerate(make_video(variant, cast.known, cast.strangers, plan.seconds, plan.seed, plan.visit)):
        began, cpu = time.perf_counter(), time.process_time()
        faces = recognizer.detector.detect(made.image) if number % plan.detect_every == 0 else None
        following = time.perf_counter()
        wanted = tracker.observe(made.image, made.time, faces)
        result.follow_times.append(time.perf_counter() - following)
        tracker.learn(embedded(recognizer.embedder, made.image, wanted))
        shown = [Shown(face.box, face.identity.label, face.track_id) for face in tracker.visible()]
        truth.append((made.time, made.faces))
        result.times.append(time.perf_counter() - began)
        result.cpu += time.process_time() - cpu
        result.count += 1
        result.embedded += len(wanted)
        result.tracks.frame(made.faces, shown)
        if faces is not None and number % (plan.detect_every * plan.frames_every) == 0:
            result.compared.frame(made.faces, shown)
            result.frames.frame(made.faces, _by_itself(recognizer, made, faces))
        film.learn(embedded(recognizer.embedder, made.image, film.observe(made.image, made.time, faces)))
        ended += [replace(track, picture=None, pictures=()) for track in film.ended()]
    film.finish()
    now = recognizer.parameters
    tracks = in_hindsight([*ended, *film.ended()], now.rule.threshold, averaging=now.averaging)
    for moment, faces_then in truth:
        result.hindsight.frame(faces_then, _shown(tracks, moment))
    return result


def _shown(tracks: Sequence[TrackSummary], time: float) -> list[Shown]:
    """What a file shows at a time when all of it is known."""
    return [
        Shown(box, track.identity.label, track.track_id)
        for track in tracks
        if track.trajectory is not None and (box := track.trajectory.box_at(time, SHOWN_GAP))
    ]


def embedded(embedder: FaceEmbedder, image: Image, wanted: Sequence[EmbeddingRequest]) -> list[Sample]:
    """What :meth:`FaceTracker.learn` takes."""
    vectors = embedder.embed([embedder.crop(image, w.face) for w in wanted])
    return [
        Sample(w.track_id, w.time, vector, w.quality, covered=covered_part(image, w.face))
        for w, vector in zip(wanted, vectors, strict=True)
    ]


def _by_itself(recognizer: FaceRecognizer, made: MadeFrame, faces: Sequence[Face]) -> list[Shown]:
    """The same frame without any before it."""
    vectors = recognizer.embedder.embed([recognizer.embedder.crop(made.image, face) for face in faces])
    decisions = recognizer.decide(vectors)
    return [Shown(face.box, decision.name or "Unknown") for face, decision in zip(faces, decisions, strict=True)]


@contextlib.contextmanager
def opened(arguments: argparse.Namespace) -> Iterator[Cast]:
    """Enrol, cut out everybody's faces, and choose the threshold."""
    people = scan_people(arguments.data).people
    known, others = people[: arguments.people], people[arguments.people :]
    crops = [Path(path) for folder in arguments.strangers for path in expand_paths([folder])]
    with tempfile.TemporaryDirectory() as folder:
        gallery = Path(folder) / "gallery.db"
        with FaceRecognizer.open(gallery, embedder=arguments.embedder, detector=arguments.detector) as recognizer:
            print(*recognizer.notes, sep="\n")
            _enrol(recognizer, [PersonFolder(p.name, p.files[: arguments.enrol]) for p in known])
            detector = recognizer.detector
            actors = [make_actor(p.name, p.files[arguments.enrol :], detector, known=True) for p in known]
            absent = [make_actor(p.name, p.files, detector, known=False) for p in others]
            # Every second stranger appears; the threshold is chosen on the rest.
            absent += [make_actor(path.stem, [path], detector, known=False) for path in crops[::2]]
            threshold = arguments.threshold
            if arguments.fpir is not None:
                threshold = _threshold(recognizer, crops[1::2], arguments.fpir)
            if threshold is not None:
                recognizer.settings = recognizer.settings.model_copy(update={"threshold": threshold})
            cast = Cast(recognizer, [a for a in actors if a], [a for a in absent if a])
            told = f"threshold {recognizer.rule.threshold:.3f}"
            print(f"{len(cast.known)} people enrolled, {len(cast.strangers)} strangers, {told}")
            yield cast


def _enrol(recognizer: FaceRecognizer, folders: Sequence[PersonFolder]) -> None:
    parts = (recognizer.gallery, recognizer.detector, recognizer.embedder)
    reviews = list(enrol_people(folders, *parts, EnrolmentOptions(threads=recognizer.threads)))
    refused = sum(review.status == "refused" for review in reviews)
    print(f"{len(reviews) - refused} photos enrolled, {refused} refused (several faces, or none).")


def _threshold(recognizer: FaceRecognizer, photos: Sequence[Path], fpir: float) -> float:
    """The quantile of these strangers' distances: the threshold at which that share of their photos is named."""
    answers = recognizer.identify_many(photos, read_image)
    distances = [answer.faces[0].distance for answer in answers if answer.faces]
    return float(np.quantile(distances, fpir)) if distances else recognizer.rule.threshold


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options that say who is enrolled and who appears."""
    parser.add_argument("--data", type=Path, required=True, help="one folder a person")
    parser.add_argument("--strangers", type=Path, nargs="*", default=[], help="photos of one stranger each")
    parser.add_argument("--people", type=int, default=50, help="people enrolled; the others are strangers")
    parser.add_argument("--enrol", type=int, default=5, help="photos a person enrolled; the others appear")
    parser.add_argument("--faces-seconds", type=float, default=6.0, help="from entering to leaving, on average")
    parser.add_argument("--threshold", type=float, help="instead of the gallery's own")
    parser.add_argument("--fpir", type=float, help="choose it so that this share of other strangers' photos is named")
    parser.add_argument("--embedder", default="auto")
    parser.add_argument("--detector", default="auto")
    parser.add_argument("--seed", type=int, default=0)


if __name__ == "__main__":
    main()
