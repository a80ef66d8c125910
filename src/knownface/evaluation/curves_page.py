"""The plots of an evaluation that stand on its page once for everybody, and once without those who were dropped."""

from __future__ import annotations

from knownface.evaluation.curves import distance_curve, one_against_rest
from knownface.evaluation.displays import (
    CmcDisplay,
    ConfusionMatrixDisplay,
    DistanceHistogramDisplay,
    EmbeddingDisplay,
    GridDisplay,
    PrecisionRecallDisplay,
    RocDisplay,
    ThresholdDisplay,
)
from knownface.evaluation.protocol import Evaluation, all_faces
from knownface.evaluation.report import FigureData, Plottable, Section

_DISTANCES = "Distances between pictures of one person and of two; the less they overlap, the better."
_PRECISION_RECALL = (
    "Precision against recall. The curve judges every pair of a picture and a person by its distance. The points on "
    "the diagonal are the rows of the grid as the paper counts them: every wrong answer, Unknown included, is one "
    "false positive and one false negative, so micro precision equals recall and no point can leave the diagonal. How "
    "far up a point lies is the share of right answers, and nothing else."
)


def parameter_figures(evaluation: Evaluation, suffix: str = "") -> list[FigureData]:
    """What k1, k2 and threshold do; the suffix is that of the plots' names."""
    table = evaluation.table
    grid = GridDisplay(table, evaluation.criterion, evaluation.fpir)
    return [
        FigureData("grid" + suffix, "The best of each pair of k1 and k2.", grid),
        FigureData("threshold" + suffix, "What the threshold does.", ThresholdDisplay.from_row(table, evaluation.best)),
    ]


def confusion_figure(evaluation: Evaluation, suffix: str = "") -> FigureData:
    """Who it was by what was answered."""
    display = ConfusionMatrixDisplay.from_searches(evaluation.searches, evaluation.answers)
    return FigureData("confusion" + suffix, "Who it was by what was answered.", display)


def curves_section(evaluation: Evaluation, end: str = "", suffix: str = "") -> Section:
    """Distances, embeddings and curves; ``end`` is that of the title."""
    sides, scoring = evaluation.sides, evaluation.searches.scoring
    everything = all_faces(sides)
    drawn: list[tuple[str, str, Plottable]] = []
    if len(everything) > 1:
        histogram = DistanceHistogramDisplay.from_faces(everything, evaluation.rule.threshold)
        drawn += [
            ("distances", _DISTANCES, histogram),
            ("embeddings", "All embeddings in two dimensions.", EmbeddingDisplay.from_faces(everything)),
        ]
    if len(evaluation.enrolled) > 1:
        curve = distance_curve(*one_against_rest(sides.train.faces, sides.val.faces, scoring))
        cmc = CmcDisplay.from_faces(sides.train.faces, sides.val.faces, scoring=scoring)
        drawn += [
            ("precision_recall", _PRECISION_RECALL, PrecisionRecallDisplay(curve, grid=evaluation.table)),
            ("roc", "ROC; the scale is logarithmic, since true negatives are so many.", RocDisplay(curve)),
            ("cmc", "How often the right person is among the first r.", cmc),
        ]
    figures = [FigureData(name + suffix, caption, display) for name, caption, display in drawn]
    return Section("Distances and curves" + end, "", [], figures)
