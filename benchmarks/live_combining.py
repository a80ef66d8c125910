"""Ways of naming a track from several pictures, compared on the same made videos.

Every face is embedded in every frame in which the detector finds it; pictures are chosen as the tracker chooses
them, tracks are perfect. For strangers count those of the videos, and everybody enrolled with their own templates
left out. A way is measured at the gallery's threshold, and at the one at which it names 0.2 % of the strangers.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from live_score import GRACE, Shown, match
from live_variants import VARIANTS, Variant
from live_video import make_video

from knownface.quality import measure_quality
from knownface.recognizer import FaceRecognizer
from knownface.tracking import TrackingOptions
from live import Cast, add_arguments, opened

Array = npt.NDArray[np.float64]
_NAMED = 0.002
_SHOWN = ("clean", "fast", "dark", "blur", "strong blur", "covered", "masked", "turned", "crossing")
_KEPT = TrackingOptions()
_GRID = np.arange(0.9, 1.2, 0.002)


class Faces:
    """Everybody's templates, to measure distances to people."""

    def __init__(self, recognizer: FaceRecognizer) -> None:
        known = recognizer.gallery.vectors()
        people = np.asarray(known.people)
        self.names = [recognizer.gallery.names[person] for person in np.unique(people).tolist()]
        self._templates = [known.embeddings[people == person].astype(np.float64) for person in np.unique(people)]

    def distances(self, vectors: Array) -> Array:
        """To each person's nearest template; shape (n, people)."""
        nearest = [(vectors @ templates.T).max(axis=1) for templates in self._templates]
        return np.sqrt(np.maximum(0.0, 2.0 - 2.0 * np.stack(nearest, axis=1)))


def ways(vectors: Array, weights: Array, faces: Faces) -> dict[str, Array]:
    """The distance of a track to everybody by each way; vectors of shape (n, dim), the newest last."""
    each = faces.distances(vectors)
    better = weights >= np.median(weights)

    def mean(w: Array) -> Array:
        together = w @ vectors
        distances: Array = faces.distances(together[None] / np.linalg.norm(together))[0]
        return distances

    near = np.sort(each, axis=0)
    return {
        "newest picture": each[-1],
        "best picture": each[int(weights.argmax())],
        "mean embedding": mean(np.ones(len(weights))),
        "mean embedding, weighted by quality": mean(weights),
        "mean embedding, weighted by its square": mean(weights**2),
        "mean embedding of the better half, weighted": mean(np.where(better, weights, 0.0)),
        "mean of the distances, weighted": (weights @ each) / weights.sum(),
        "median of the distances (vote)": np.median(each, axis=0),
        "smallest distance": near[0],
        "smallest distance that two pictures have": near[min(1, len(near) - 1)],
    }


def decided(frames: Sequence[tuple[float, Array, float]], faces: Faces) -> Iterator[dict[str, Array]]:
    """The distances by every way at every frame of a visit, with pictures taken as the tracker takes them."""
    taken: list[tuple[Array, float]] = []
    last = -np.inf
    for time, vector, score in frames:
        pace = _KEPT.first_every * (1 + len(taken) // 6) if len(taken) < _KEPT.settled else _KEPT.check_every
        if time - last >= pace - 1e-6 and (score >= _KEPT.poorest or time - last >= _KEPT.patience):
            taken.append((vector, max(score, 0.05)))
            last = time
            if len(taken) > _KEPT.most_samples:
                taken.remove(min(taken[:-1], key=lambda item: item[1]))
        if taken and time - frames[0][0] >= GRACE:
            found = ways(np.stack([v for v, _ in taken]), np.array([w for _, w in taken]), faces)
            yield {"frame by frame": faces.distances(vector[None])[0], **found}


def visits(
    variant: Variant, cast: Cast, seconds: float, seed: int
) -> dict[int, tuple[str | None, list[tuple[float, Array, float]]]]:
    """Each visit's person, None for a stranger, and its pictures: time, embedding, quality."""
    recognizer = cast.recognizer
    found: dict[int, tuple[str | None, list[tuple[float, Array, float]]]] = {}
    for number, made in enumerate(make_video(variant, cast.known, cast.strangers, seconds, seed)):
        if number % 2:
            continue
        seen = recognizer.detector.detect(made.image)
        vectors = recognizer.embedder.embed([recognizer.embedder.crop(made.image, face) for face in seen])
        for i, j in match(made.faces, [Shown(face.box, "") for face in seen]).items():
            true = made.faces[i]
            if true.counted:
                score = measure_quality(made.image, seen[j]).score
                person = true.person if true.known else None
                found.setdefault(true.visit, (person, []))[1].append((made.time, vectors[j].astype(np.float64), score))
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--seconds", type=float, default=50.0, help="of video a variant")
    arguments = parser.parse_args()
    genuine: dict[tuple[str, str], list[float]] = defaultdict(list)
    impostor: dict[str, list[float]] = defaultdict(list)
    with opened(arguments) as cast:
        faces, threshold = Faces(cast.recognizer), cast.recognizer.rule.threshold
        for variant in (v for v in VARIANTS if v.name in _SHOWN):
            for person, frames in visits(variant, cast, arguments.seconds, arguments.seed).values():
                own = faces.names.index(person) if person else None
                for found in decided(frames, faces):
                    for way, distances in found.items():
                        others = np.delete(distances, own) if own is not None else distances
                        impostor[way].append(float(others.min()))
                        if own is not None:
                            right = distances[own] <= others.min()
                            genuine[way, variant.name].append(float(distances[own]) if right else np.inf)
    print(f"| way | {' | '.join(_SHOWN)} | strangers | right where 0.2 % of strangers are named |")
    print(f"|{' --- |' * (len(_SHOWN) + 3)}")
    for way, strange in impostor.items():
        shares = [float(np.mean(np.array(genuine[way, name]) <= threshold)) for name in _SHOWN]
        strict = max((g for g in _GRID if np.mean(np.array(strange) <= g) <= _NAMED), default=0.0)
        equal = np.mean([np.mean(np.array(genuine[way, name]) <= strict) for name in _SHOWN])
        named = np.mean(np.array(strange) <= threshold)
        print(f"| {way} | {' | '.join(f'{s:.3f}' for s in shares)} | {named:.4f} | {equal:.3f} at {strict:.3f} |")


if __name__ == "__main__":
    main()
