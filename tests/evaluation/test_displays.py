"""Every display is drawn and saved, on ordinary and on the oddest data; what they show is checked where it is ours."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from knownface.errors import InputError, MissingExtraError, OutputError
from knownface.evaluation import (
    FaceSet,
    Grid,
    distance_curve,
    grid_search,
    one_against_rest,
    open_set,
    pair_distances,
    search,
    threshold_range,
)
from knownface.evaluation.displays import (
    CmcDisplay,
    ConfusionMatrixDisplay,
    DetDisplay,
    Display,
    DistanceHistogramDisplay,
    EmbeddingDisplay,
    GridDisplay,
    GrowthDisplay,
    LoadingTimeDisplay,
    OpenSetDisplay,
    PrecisionRecallDisplay,
    RocDisplay,
    ThresholdDisplay,
)
from knownface.types import DecisionRule

matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is the extra `evaluation`")

RULE = DecisionRule(1, 3, 1.0)


def all_displays(gallery: FaceSet, probes: FaceSet) -> dict[str, Display]:
    searches = search(gallery, probes)
    table, counts = grid_search(searches), open_set(searches)
    return {
        "confusion": ConfusionMatrixDisplay.from_searches(searches, searches.answers(RULE)),
        "roc": RocDisplay.from_faces(gallery, probes),
        "precision_recall": PrecisionRecallDisplay.from_faces(gallery, probes),
        "det": DetDisplay(counts),
        "cmc": CmcDisplay.from_faces(gallery, probes),
        "open_set": OpenSetDisplay(counts, threshold=1.0),
        "grid": GridDisplay(table),
        "threshold": ThresholdDisplay.from_row(table, table.best_row()),
        "embedding": EmbeddingDisplay.from_faces(probes),
        "histogram": DistanceHistogramDisplay.from_faces(probes, threshold=1.0),
        "growth": GrowthDisplay.from_draws([1, 5], {"accuracy": [[1.0, 0.9], [0.8, np.nan]]}),
        "loading": LoadingTimeDisplay.from_times([1, 5], [0.1, 0.5], [0.01, 0.02]),
    }


NAMES = [
    "confusion",
    "roc",
    "precision_recall",
    "det",
    "cmc",
    "open_set",
    "grid",
    "threshold",
    "embedding",
    "histogram",
    "growth",
    "loading",
]


@pytest.fixture(scope="module")
def ordinary(make_faces) -> dict[str, Display]:
    return all_displays(make_faces(10, 3, spread=0.9, seed=1), make_faces(14, 4, spread=0.9, seed=2))


@pytest.fixture(scope="module")
def perfect(make_faces) -> dict[str, Display]:
    return all_displays(make_faces(3, 2, spread=0.01, seed=1), make_faces(3, 2, spread=0.01, seed=2))


@pytest.fixture(scope="module")
def lonely(make_faces) -> dict[str, Display]:
    """One person with one picture; two probes of strangers."""
    return all_displays(make_faces(1, 1), make_faces(2, 1, first=3))


@pytest.mark.parametrize("name", NAMES)
def test_drawn_and_saved(ordinary: dict[str, Display], name: str, tmp_path: Path) -> None:
    display = ordinary[name]
    assert display.plot() is display  # type: ignore[attr-defined]
    png, svg = display.save(tmp_path / "plots", name)
    with Image.open(png) as picture:
        assert np.asarray(picture.convert("L")).std() > 1
        assert min(picture.size) > 300
    assert ET.parse(svg).getroot().tag.endswith("svg")
    assert display.ax_.get_title(loc="left") or display.ax_.get_title()


@pytest.mark.parametrize("kind", ["perfect", "lonely"])
@pytest.mark.parametrize("name", NAMES)
def test_odd_data_is_drawn_too(kind: str, name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    request.getfixturevalue(kind)[name].plot().save(tmp_path, name)


@pytest.mark.parametrize("name", NAMES)
def test_on_axes_of_ones_own(ordinary: dict[str, Display], name: str) -> None:
    from matplotlib.figure import Figure

    figure = Figure()
    ax = figure.add_subplot()
    display = ordinary[name].plot(ax)  # type: ignore[attr-defined]
    assert display.ax_ is ax
    assert display.figure_ is figure


@pytest.mark.parametrize("name", ["roc", "precision_recall", "det", "cmc"])
def test_two_curves_on_one_figure_differ_in_colour_and_dashes(ordinary: dict[str, Display], name: str) -> None:
    first = ordinary[name].plot()  # type: ignore[attr-defined]
    second = ordinary[name].plot(first.ax_)  # type: ignore[attr-defined]
    one, two = second.ax_.lines[:2]
    assert one.get_color() != two.get_color()
    assert one.get_linestyle() != two.get_linestyle()


@pytest.mark.slow
def test_no_mistake_is_lost_in_a_matrix_of_a_hundred(make_faces) -> None:
    gallery = make_faces(100, 1, spread=0.1)
    probes = make_faces(100, 3, spread=0.1, seed=4)
    searches = search(gallery, probes)
    answers = searches.people.copy()
    answers[0] = 57
    display = ConfusionMatrixDisplay.from_searches(searches, answers).plot()
    assert [(t.get_position(), t.get_text()) for t in display.ax_.texts] == [((57.0, 0.0), "1")]
    picture = display.ax_.images[0].get_array()
    assert picture is not None
    coloured = np.abs(np.asarray(picture)[..., :3] - 1).max(axis=2) > 0.3
    assert coloured[0, 57]
    assert coloured.sum() == 101
    assert len(display.ax_.get_xticklabels()) == 100  # Unknown is empty and left out


def test_principal_components_are_numpys(make_faces) -> None:
    faces = make_faces(4, 5, seed=1)
    display = EmbeddingDisplay.from_faces(faces)
    centred = faces.embeddings.astype(float) - faces.embeddings.astype(float).mean(axis=0)
    values = np.linalg.svd(centred, compute_uv=False)
    np.testing.assert_allclose(np.linalg.norm(display.points, axis=0), values[:2])
    assert display.explained == pytest.approx(tuple(values[:2] ** 2 / (values**2).sum()))


def test_a_person_with_many_pictures_does_not_turn_the_axes(make_faces) -> None:
    even = make_faces(4, 5, seed=1)
    rows = np.r_[np.arange(20), np.tile(np.arange(5), 50)]
    heavy = EmbeddingDisplay.from_faces(even.take(rows))
    np.testing.assert_allclose(heavy.points[:20], EmbeddingDisplay.from_faces(even).points, atol=1e-9)


def test_wrong_shapes_are_refused(make_faces) -> None:
    with pytest.raises(InputError, match="shape"):
        GrowthDisplay.from_draws([1, 2], {"accuracy": [1.0, 2.0]})
    with pytest.raises(InputError, match="no draw"):
        GrowthDisplay.from_draws([1], {"accuracy": [[np.nan]]})
    with pytest.raises(InputError, match="one time"):
        LoadingTimeDisplay.from_times([1, 2], [1.0], [1.0])
    with pytest.raises(InputError, match="two faces"):
        EmbeddingDisplay.from_faces(make_faces(1, 1))


def test_the_same_plot_is_the_same_file(ordinary: dict[str, Display], tmp_path: Path) -> None:
    files = []
    for folder in ("a", "b"):
        files.append([p.read_bytes() for p in ordinary["cmc"].plot().save(tmp_path / folder, "cmc")])  # type: ignore[attr-defined]
    assert files[0] == files[1]


def test_a_folder_that_cannot_be_made(ordinary: dict[str, Display], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="could not be written"):
        ordinary["cmc"].plot().save(tmp_path / "file", "cmc")  # type: ignore[attr-defined]


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, make_faces) -> None:
    faces = make_faces(2, 3)
    display = DistanceHistogramDisplay(pair_distances(faces))
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match="matplotlib") as error:
        display.plot()
    assert "[evaluation]" in error.value.hint


def test_nothing_is_drawn_of_names_where_nobody_was_named(make_faces) -> None:
    searches = search(make_faces(3, 2, spread=0.3, seed=1), make_faces(3, 2, spread=0.3, seed=2))
    table = grid_search(searches, Grid((1,), (2,), threshold_range(0.0, 1.4, 0.1)))
    display = ThresholdDisplay(table, 1, 2).plot()
    drawn = {str(line.get_label()): np.asarray(line.get_ydata()) for line in display.ax_.lines}
    nobody = table.column("unknown_rate") == 1
    assert nobody.any()
    np.testing.assert_array_equal(np.isnan(drawn["precision of names given"]), nobody)
    assert "strangers named" not in drawn


def test_a_flat_heat_map_has_one_light_colour_and_dark_letters(perfect: dict[str, Display]) -> None:
    display = perfect["grid"].plot()  # type: ignore[attr-defined]
    image = display.ax_.images[0]
    shown = image.cmap(image.norm(image.get_array().compressed()))
    assert np.ptp(shown, axis=0).max() < 0.01
    assert {text.get_color() for text in display.ax_.texts} == {"black"}


def test_micro_averages_lie_on_the_diagonal(make_faces) -> None:
    gallery, probes = make_faces(6, 2, spread=1.2, seed=1), make_faces(6, 4, spread=1.2, seed=2)
    table = grid_search(search(gallery, probes))
    curve = distance_curve(*one_against_rest(gallery, probes))
    display = PrecisionRecallDisplay(curve, grid=table).plot()
    points = next(line for line in display.ax_.lines if "paper counts" in str(line.get_label()))
    np.testing.assert_allclose(points.get_xdata(), points.get_ydata())
    assert len(np.asarray(points.get_xdata())) > 3
