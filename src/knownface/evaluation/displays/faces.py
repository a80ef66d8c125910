"""The embeddings themselves: in two dimensions, and the distances of their pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from knownface.errors import InputError
from knownface.evaluation.curves import PairDistances, pair_distances
from knownface.evaluation.displays.base import Display
from knownface.evaluation.displays.style import BLUE, COLOURS, GREY, MARKERS, RED, axes, percent, style
from knownface.evaluation.faces import FaceSet
from knownface.types import Ids

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = npt.NDArray[np.float64]

_NAMED_PEOPLE = 100
_VECTOR_POINTS = 3000


@dataclass(eq=False)
class EmbeddingDisplay(Display):
    """Embeddings in the plane of their two largest principal components.

    Attributes:
        points: Float64, shape (n, 2).
        codes: Int64, shape (n,): person of each point.
        labels: Label of each code.
        explained: Share of the variance that each of the two axes holds.
    """

    points: Floats
    codes: Ids
    labels: tuple[str, ...]
    explained: tuple[float, float]

    @classmethod
    def from_faces(cls, faces: FaceSet) -> Self:
        """Principal components by singular value decomposition, each person weighing the same.

        Raises:
            InputError: Fewer than two faces, or embeddings of a single number.
        """
        if min(faces.embeddings.shape) < 2:
            raise InputError("Principal components need at least two faces of two numbers each.")
        known, codes = np.unique(faces.people, return_inverse=True)
        # Without weights the axes would follow whoever has most pictures.
        weights = 1.0 / np.bincount(codes)[codes] / len(known)
        vectors = faces.embeddings.astype(np.float64)
        centred = vectors - weights @ vectors
        _, singular, directions = np.linalg.svd(np.sqrt(weights)[:, None] * centred, full_matrices=False)
        variances, top = singular**2, directions[:2].T
        # An eigenvector's sign is arbitrary; the largest entry is made positive, so that runs look alike.
        top = top * np.sign(top[np.abs(top).argmax(axis=0), [0, 1]])
        total = max(float(variances.sum()), np.finfo(np.float64).tiny)
        shares = float(variances[0]) / total, float(variances[1]) / total
        return cls(centred @ top, codes, tuple(str(label) for label in known.tolist()), shares)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw: a person is a colour and a shape, an ellipse of two standard deviations, and a name at its middle.

        Where ellipses overlap, two dimensions do not tell those people apart; all dimensions may.
        """
        count = len(self.labels)
        side = 6.0 if count <= 12 else 9.0
        with style():
            self.figure_, self.ax_ = axes(ax, side + 0.6, side)
            ax = self.ax_
            for code in range(count):
                points = self.points[self.codes == code]
                colour = COLOURS[code % len(COLOURS)]
                ax.scatter(
                    points[:, 0],
                    points[:, 1],
                    s=14,
                    color=colour,
                    marker=MARKERS[code // len(COLOURS) % len(MARKERS)],
                    alpha=0.55,
                    linewidths=0,
                    rasterized=len(self.points) > _VECTOR_POINTS,
                )
                self._outline(points, colour, faint=count > 12)
            if count <= _NAMED_PEOPLE:
                self._name_people(8.0 if count <= 12 else 6.0)
            ax.set_xlabel(f"first principal component ({self.explained[0]:.1%} of the variance)")
            ax.set_ylabel(f"second principal component ({self.explained[1]:.1%} of the variance)")
            ax.set_title(f"{len(self.points)} embeddings of {count} people")
        return self

    def _outline(self, points: Floats, colour: str, *, faint: bool) -> None:
        from matplotlib.patches import Ellipse

        if len(points) < 3:
            return
        variances, directions = np.linalg.eigh(np.cov(points.T))
        width, height = 4.0 * np.sqrt(np.maximum(variances[::-1], 0.0))
        angle = float(np.degrees(np.arctan2(directions[1, 1], directions[0, 1])))
        x, y = points.mean(axis=0).tolist()
        for fill, alpha in ((True, 0.02 if faint else 0.07), (False, 0.25 if faint else 0.6)):
            self.ax_.add_patch(
                Ellipse((x, y), width, height, angle=angle, color=colour, fill=fill, alpha=alpha, linewidth=0.8)
            )

    def _name_people(self, size: float) -> None:
        from matplotlib.patheffects import withStroke

        for code, label in enumerate(self.labels):
            x, y = np.median(self.points[self.codes == code], axis=0).tolist()
            halo = [withStroke(linewidth=2, foreground="white")]
            self.ax_.text(x, y, label, fontsize=size, ha="center", va="center", path_effects=halo)


@dataclass(eq=False)
class DistanceHistogramDisplay(Display):
    """Distances of genuine and of impostor pairs.

    Attributes:
        pairs: The distances.
        threshold: One to mark.
    """

    pairs: PairDistances
    threshold: float | None = None

    @classmethod
    def from_faces(cls, faces: FaceSet, threshold: float | None = None) -> Self:
        """Measure the pairs of a set of faces."""
        return cls(pair_distances(faces), threshold)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw each kind as shares of its own pairs, since there are many more impostors."""
        bins = np.linspace(0.0, 2.0, 101).tolist()
        with style():
            self.figure_, self.ax_ = axes(ax)
            ax = self.ax_
            for distances, total, label, colour, hatch in (
                (self.pairs.genuine, self.pairs.genuine_total, "same person", BLUE, ""),
                (self.pairs.impostor, self.pairs.impostor_total, "two people", RED, "///"),
            ):
                if len(distances):
                    weights = np.full(len(distances), 1.0 / len(distances))
                    text = f"{label} ({total:,} pairs)"
                    ax.hist(distances, bins=bins, weights=weights, color=colour, alpha=0.45, label=text)
                    ax.hist(distances, bins=bins, weights=weights, histtype="step", color=colour, hatch=hatch)
            if self.threshold is not None:
                ax.axvline(self.threshold, color=GREY, linewidth=1.2, label=f"threshold {self.threshold:.2f}")
            seen = np.concatenate([self.pairs.genuine, self.pairs.impostor])
            if len(seen):
                ax.set_xlim(max(0.0, float(seen.min()) - 0.05), min(2.0, float(seen.max()) + 0.05))
            percent(ax, y=True)
            ax.set_xlabel("distance (0 to 2)")
            ax.set_ylabel("share of pairs")
            ax.set_title("Distances of pairs")
            ax.legend(loc="upper left")
        return self
