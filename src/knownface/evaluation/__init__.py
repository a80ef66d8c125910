"""How good recognition is: searches, grid search, metrics, the open set, calibration; plots are in ``displays``."""

from knownface.evaluation.calibration import Calibration, calibrate
from knownface.evaluation.curves import (
    DistanceCurve,
    PairDistances,
    cmc,
    distance_curve,
    match_ranks,
    nearest_curve,
    one_against_rest,
    pair_distances,
)
from knownface.evaluation.faces import (
    FaceSet,
    Searches,
    search,
    search_without_own_person,
    search_without_own_source,
)
from knownface.evaluation.grid import DEFAULT_GRID, PAPER_GRID, Grid, GridTable, Plateau, grid_search, threshold_range
from knownface.evaluation.intervals import Interval
from knownface.evaluation.metrics import (
    ClassificationReport,
    ConfusedPair,
    ConfusionMatrix,
    Score,
    classification_report,
    confused_pairs,
    confusion_matrix,
    performance_groups,
)
from knownface.evaluation.openset import FPIR_LEVELS, OpenSet, OperatingPoint, open_set, operating_points

__all__ = [
    "DEFAULT_GRID",
    "FPIR_LEVELS",
    "PAPER_GRID",
    "Calibration",
    "ClassificationReport",
    "ConfusedPair",
    "ConfusionMatrix",
    "DistanceCurve",
    "FaceSet",
    "Grid",
    "GridTable",
    "Interval",
    "OpenSet",
    "OperatingPoint",
    "PairDistances",
    "Plateau",
    "Score",
    "Searches",
    "calibrate",
    "classification_report",
    "cmc",
    "confused_pairs",
    "confusion_matrix",
    "distance_curve",
    "grid_search",
    "match_ranks",
    "nearest_curve",
    "one_against_rest",
    "open_set",
    "operating_points",
    "pair_distances",
    "performance_groups",
    "search",
    "search_without_own_person",
    "search_without_own_source",
    "threshold_range",
]
