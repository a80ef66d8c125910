"""The journal of a stopped run."""

from __future__ import annotations

from pathlib import Path

import pytest

from knownface.errors import OutputError
from knownface.journal import FaceRow, FileResult, Journal

ROW = FaceRow(
    "a.jpg", None, [1.0, 2.0, 3.0, 4.0], "Ève", 0.5, 1, 1, "named", [{"name": "Ève", "distance": 0.5, "votes": 1}]
)


def filled(path: Path) -> Journal:
    journal = Journal(path, "rule 1")
    journal.add(FileResult(Path("a.jpg"), (ROW,), annotated=Path("out/a.jpg")))
    journal.add(FileResult(Path("b.jpg"), (), "b.jpg is truncated."))
    journal.close()
    return journal


def test_what_was_done_is_known_again(tmp_path: Path) -> None:
    filled(tmp_path / "r.json")
    again = Journal(tmp_path / "r.json", "rule 1")
    assert again.done["a.jpg"].rows == (ROW,)
    assert again.done["a.jpg"].annotated == Path("out/a.jpg")
    assert again.done["b.jpg"].error == "b.jpg is truncated."
    assert all(result.resumed for result in again.done.values())
    again.finish()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_changed_is_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.jpg").write_text("one")
    filled(tmp_path / "r.json")
    Path("a.jpg").write_text("another")
    journal = Journal(tmp_path / "r.json", "rule 1")
    assert set(journal.done) == {"b.jpg"}
    journal.close()


@pytest.mark.parametrize("name", ["line\u2028break.jpg", "nel\x85.jpg", "bad\udcff.jpg", "new\nline.jpg"])
def test_odd_file_names_are_kept(tmp_path: Path, name: str) -> None:
    journal = Journal(tmp_path / "r.json", "rule 1")
    journal.add(FileResult(Path(name), ()))
    journal.close()
    again = Journal(tmp_path / "r.json", "rule 1")
    assert set(again.done) == {name}
    again.close()


def test_another_rule_starts_anew(tmp_path: Path) -> None:
    filled(tmp_path / "r.json")
    journal = Journal(tmp_path / "r.json", "rule 2")
    assert journal.done == {}
    journal.close()
    assert journal.path.read_text().count("\n") == 1


@pytest.mark.parametrize("damage", ['{"file": "c.jp', "garbage\n", '{"file": "c.jpg"}\n', "[1, 2]\n", "\xff\n"])
def test_a_damaged_end_costs_only_itself(tmp_path: Path, damage: str) -> None:
    journal = filled(tmp_path / "r.json")
    with journal.path.open("a", encoding="latin-1") as file:
        file.write(damage)
    again = Journal(tmp_path / "r.json", "rule 1")
    assert set(again.done) == {"a.jpg", "b.jpg"}
    again.add(FileResult(Path("c.jpg"), ()))
    again.close()
    third = Journal(tmp_path / "r.json", "rule 1")
    assert set(third.done) == {"a.jpg", "b.jpg", "c.jpg"}
    third.close()


def test_a_journal_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "r.json.partial").mkdir()
    with pytest.raises(OutputError, match=r"r\.json\.partial cannot be written"):
        Journal(tmp_path / "r.json", "rule 1")


def test_a_journal_that_may_not_be_written_is_told(ordinary_folder: Path) -> None:
    ordinary_folder.chmod(0o500)
    with pytest.raises(OutputError, match="Permission denied"):
        Journal(ordinary_folder / "r.json", "rule 1")
    ordinary_folder.chmod(0o700)
