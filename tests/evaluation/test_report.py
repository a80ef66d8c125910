"""The report: whole in one file, harmless whatever people are called, and true to its numbers."""

from __future__ import annotations

import base64
import io
import json
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PilImage

from knownface.errors import MissingExtraError, OutputError
from knownface.evaluation.page import PICTURE_SIDE
from knownface.evaluation.report import (
    LONG_TABLE,
    FigureData,
    PictureData,
    Report,
    Section,
    TableData,
    write_report,
)

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title></style></table><b>",
    "{{ 7 * 7 }} {% raw %}",
    "javascript:alert(1)",
    "&lt;i&gt;",
    "]]><!--",
]

jinja2 = pytest.importorskip("jinja2", reason="the extra 'evaluation' is not installed")
pytest.importorskip("matplotlib", reason="the extra 'evaluation' is not installed")


class Page(HTMLParser):
    """What a browser would make of it: elements, and the text between them."""

    VOID = frozenset({"meta", "img", "br", "link", "hr"})

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data):
        self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        return "".join(self.texts)


def figure(points: int = 3):
    from matplotlib.figure import Figure

    made = Figure(figsize=(3, 2))
    numbers = np.random.default_rng(0).normal(size=(2, points))
    made.add_subplot().scatter(*numbers, c=np.arange(points))
    return made


@pytest.fixture
def face():
    return np.random.default_rng(0).integers(0, 256, (300, 200, 3), dtype=np.uint8)


def whole(name: str, face, folder: Path) -> tuple[Page, dict]:
    """A report with the name wherever a name can stand."""
    report = Report(
        name,
        name,
        {name: name, "faces": 1234},
        [
            Section(
                name,
                f"{name}\n\nsecond",
                [TableData([name, "rate", "face"], [[name, 0.5, PictureData(name, face)]], name, {"rate": ".1%"})],
                [FigureData("a-plot", name, figure())],
                [PictureData(name, face)],
            )
        ]
        * 1,
        {name: [name]},
    )
    index = write_report(report, folder)
    told = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return Page(index.read_text(encoding="utf-8")), told


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_shown_and_never_run(name: str, face, tmp_path: Path) -> None:
    page, told = whole(name, face, tmp_path)
    harmless, _ = whole("Ann", face, tmp_path / "harmless")
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in harmless.elements]
    assert [sorted(a) for _, a in page.elements] == [sorted(a) for _, a in harmless.elements]
    assert page.open == []
    assert page.text.count(name) == harmless.text.count("Ann") >= 8
    assert {image["alt"] for image in page.all("img")} == {name, f"Plot: {name}"}
    assert told["title"] == name
    assert told["sections"][0]["tables"][0]["rows"] == [[name, 0.5, name]]
    assert told["data"] == {name: [name]}


def test_the_page_is_whole_in_itself(face, tmp_path: Path) -> None:
    page, _ = whole("Ann", face, tmp_path)
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.elements}
    assert all(image["src"].startswith("data:image/") for image in page.all("img"))
    html = (tmp_path / "index.html").read_text(encoding="utf-8")
    style = html[html.index("<style>") : html.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    assert "prefers-color-scheme: dark" in style
    assert "content=\"default-src 'none'" in html
    for link in page.all("a"):
        target = link["href"]
        assert target.startswith("#") or (tmp_path / target).is_file()


def test_plots_lie_beside_it_as_png_and_svg(face, tmp_path: Path) -> None:
    page, told = whole("Ann", face, tmp_path)
    plot = told["sections"][0]["figures"][0]
    assert (tmp_path / plot["png"]).read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in (tmp_path / plot["svg"]).read_bytes()
    assert page.all("img")[1]["src"].startswith("data:image/svg+xml;base64,")


def test_a_plot_of_very_many_points_is_shown_as_png(tmp_path: Path) -> None:
    report = Report("t", "h", {}, [Section("s", figures=[FigureData("many", "many points", figure(9000))])])
    page = Page(write_report(report, tmp_path).read_text(encoding="utf-8"))
    assert page.all("img")[0]["src"].startswith("data:image/png;base64,")


def test_a_display_is_plotted_if_it_was_not(tmp_path: Path) -> None:
    from knownface.evaluation.displays import GrowthDisplay

    plotted = GrowthDisplay.from_draws([1, 5], {"accuracy": [[1.0, 0.9], [0.9, 0.8]]}).plot()
    before = plotted.figure_
    fresh = GrowthDisplay.from_draws([1, 5], {"accuracy": [[1.0, 0.9], [0.9, 0.8]]})
    figures = [FigureData("one", "one", plotted), FigureData("two", "two", fresh)]
    write_report(Report("t", "h", {}, [Section("s", figures=figures)]), tmp_path)
    assert plotted.figure_ is before
    assert (tmp_path / "plots" / "one.svg").read_bytes() == (tmp_path / "plots" / "two.svg").read_bytes()


def test_it_can_be_read_by_everybody(face, tmp_path: Path) -> None:
    sections = [Section(f"part {i}", tables=[TableData(["a", "b"], [["x", 1]], f"table {i}")]) for i in range(3)]
    report = Report("A title", "All well.", {}, sections)
    page = Page(write_report(report, tmp_path).read_text(encoding="utf-8"))
    assert page.all("html")[0]["lang"] == "en"
    assert len(page.all("h1")) == 1
    assert len(page.all("h2")) == 4
    assert len(page.all("caption")) == len(page.all("table")) == 3
    assert len(page.all("nav")) == 1
    assert {cell["scope"] for cell in page.all("th")} == {"col", "row"}
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    assert {a["aria-labelledby"] for _, a in page.elements if "aria-labelledby" in a} <= set(ids)
    assert "width=device-width" in str(page.all("meta"))


def test_numbers_are_shown_short_and_kept_whole(tmp_path: Path) -> None:
    cells = [1 / 3, 12345, True, None, float("nan"), float("inf"), np.float32(0.25), np.int64(7), "text"]
    columns = [str(i) for i in range(len(cells))]
    table = TableData(columns, [cells], "numbers", {"6": ".1%"})
    page = Page(write_report(Report("t", "h", {}, [Section("s", tables=[table])]), tmp_path).read_text("utf-8"))
    for shown in ("0.3333", "12,345", "yes", "–", "∞", "25.0%", "7", "text"):
        assert shown in page.texts
    told = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert told["sections"][0]["tables"][0]["rows"] == [[1 / 3, 12345, True, None, None, None, 0.25, 7, "text"]]


def test_data_of_every_kind_becomes_json(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    from knownface.evaluation.intervals import Interval

    data = {"i": Interval(0.0, float("inf")), "a": np.eye(2), "p": Path("x"), "t": datetime(2026, 1, 2, tzinfo=UTC)}
    write_report(Report("t", "h", {}, [], data), tmp_path)
    told = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["data"]
    assert told["i"] == {"low": 0.0, "high": None}
    assert told["a"] == [[1.0, 0.0], [0.0, 1.0]]
    assert (told["p"], told["t"]) == ("x", "2026-01-02T00:00:00+00:00")


def test_pictures_are_made_small(face, tmp_path: Path) -> None:
    page, _ = whole("Ann", face, tmp_path)
    uri = page.all("img")[-1]["src"]
    head, content = uri.split(",", 1)
    assert head == "data:image/jpeg;base64"
    picture = PilImage.open(io.BytesIO(base64.b64decode(content)))
    assert max(picture.size) == PICTURE_SIDE
    assert picture.size[0] < picture.size[1]


def test_a_long_table_is_folded_up(tmp_path: Path) -> None:
    long = TableData(["n"], [[str(i)] for i in range(LONG_TABLE + 1)], "long")
    page = Page(write_report(Report("t", "h", {}, [Section("s", tables=[long])]), tmp_path).read_text("utf-8"))
    assert len(page.all("details")) == 1
    assert f"long ({LONG_TABLE + 1} rows)" in page.text


def test_paragraphs_and_undecodable_file_names(tmp_path: Path) -> None:
    report = Report("t", "caf\udce9.jpg", {"file": "caf\udce9.jpg"}, [Section("s", "one\n\n\n two \n\nthree")])
    page = Page(write_report(report, tmp_path).read_text(encoding="utf-8"))
    assert "caf\\udce9.jpg" in page.text
    assert [t for t in page.texts if t in {"one", "two", "three"}] == ["one", "two", "three"]
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["headline"] == "caf\udce9.jpg"


def test_writing_again_replaces_it(face, tmp_path: Path) -> None:
    whole("Ann", face, tmp_path)
    page, told = whole("Ben", face, tmp_path)
    assert "Ann" not in page.text
    assert told["title"] == "Ben"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["index.html", "plots", "report.json"]


@pytest.mark.parametrize("name", ["", "a b", "../x", "a.b"])
def test_a_plots_name_stays_in_its_folder(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        FigureData(name, "c", figure())


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="2 cells"):
        TableData(["a", "b"], [["x"]], "c")
    twice = [FigureData("a", "c", figure())] * 2
    with pytest.raises(ValueError, match="'a'"):
        Report("t", "h", {}, [Section("s", figures=twice)])


def test_what_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtraError, match="jinja2") as error:
        write_report(Report("t", "h", {}, []), tmp_path)
    assert "[evaluation]" in error.value.hint


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError):
        write_report(Report("t", "h", {}, []), tmp_path / "file")
