from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knownface.errors import InputError, UnreadableError
from knownface.evaluation.datasets import FRAMES_NOTE, SplitOptions, read_dataset, read_strangers


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., Path]:
    def make(*names: str) -> Path:
        for name in names:
            path = tmp_path / "set" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")
        return tmp_path / "set"

    return make


def names(paths: tuple[Path, ...]) -> list[str]:
    return [path.name for path in paths]


def test_train_and_val_are_taken_as_they_lie(files: Callable[..., Path]) -> None:
    root = files("Ann/train/2.jpg", "Ann/train/10.jpg", "Ann/val/3.jpg", "Ann/notes.txt", "Ann/loose.jpg")
    (person,) = read_dataset(root).people
    assert (person.name, names(person.train), names(person.val)) == ("Ann", ["2.jpg", "10.jpg"], ["3.jpg"])


def test_pictures_are_split_by_the_seed_alone(files: Callable[..., Path]) -> None:
    root = files(*(f"Ann/{i}.jpg" for i in range(10)), *(f"Bob/{i}.jpg" for i in range(10)))
    both, again, other = (read_dataset(root, SplitOptions(seed=s)) for s in (1, 1, 2))
    alone = read_dataset(root, SplitOptions(seed=1, people=1))
    assert [len(p.train) for p in both.people] == [8, 8]
    assert both.people == again.people != other.people
    assert alone.people == both.people[:1]
    assert set(both.people[0].train).isdisjoint(both.people[0].val)


@given(st.integers(2, 40), st.integers(1, 50) | st.none(), st.floats(0.01, 0.99), st.integers(0, 99))
def test_everybody_with_two_pictures_is_on_both_sides(
    tmp_path_factory: pytest.TempPathFactory, count: int, per_person: int | None, share: float, seed: int
) -> None:
    root = tmp_path_factory.mktemp("set")
    (root / "Ann").mkdir()
    for i in range(count):
        (root / "Ann" / f"{i}.jpg").touch()
    (person,) = read_dataset(root, SplitOptions(seed=seed, train_share=share, per_person=per_person)).people
    assert len(person.train) + len(person.val) == count
    assert person.train
    assert person.val
    if per_person is not None and per_person < count:
        assert len(person.train) == per_person


def test_of_videos_the_first_is_for_train_unless_names_tell(files: Callable[..., Path]) -> None:
    root = files("Ann/1.mp4", "Ann/2.mp4", "Ann/10.mp4", "Bob/a_val.mp4", "Bob/b_train.mp4")
    ann, bob = read_dataset(root).people
    assert (names(ann.train), names(ann.val)) == (["1.mp4"], ["2.mp4", "10.mp4"])
    assert (names(bob.train), names(bob.val)) == (["b_train.mp4"], ["a_val.mp4"])


def test_frames_of_one_video_are_split_only_on_demand_and_with_a_warning(files: Callable[..., Path]) -> None:
    root = files("Ann/1.mp4")
    with pytest.raises(InputError, match="no person has both"):
        read_dataset(root)
    dataset = read_dataset(root, SplitOptions(by_frames=True))
    assert names(dataset.people[0].shared) == ["1.mp4"]
    assert FRAMES_NOTE in dataset.notes


def test_odd_people_are_told(files: Callable[..., Path]) -> None:
    root = files(
        "Ann/1.jpg", "Ann/2.jpg", "Single/1.jpg", "Val only/val/1.jpg", "Unknown/1.jpg", "Empty/readme.txt", "ann/1.jpg"
    )
    dataset = read_dataset(root, SplitOptions(people=9))
    told = " ".join(dataset.notes)
    assert {p.name for p in dataset.people} == {"Ann", "Single", "Val only"}
    for part in ("Single cannot be tested", "Val only cannot be named", "Unknown was left out", "Empty was left out"):
        assert part in told
    assert "only in letter case" in told
    assert "9 people were asked for" in told


def test_hopeless_folders_are_refused(files: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="no folder"):
        read_dataset(tmp_path / "missing")
    with pytest.raises(UnreadableError, match="holds no folders"):
        read_dataset(files("1.jpg"))
    with pytest.raises(InputError, match="can be enrolled"):
        read_dataset(files("Ann/val/1.jpg"))


def test_one_person_is_possible_and_says_little(files: Callable[..., Path]) -> None:
    assert "says little" in " ".join(read_dataset(files("Ann/1.jpg", "Ann/2.jpg")).notes)


def test_strangers_lie_flat_or_in_folders(files: Callable[..., Path]) -> None:
    root = files("Zed.jpg", "Ann.jpg", "Yve/1.jpg", "Yve/train/2.jpg")
    samples, notes = read_strangers(root, known=["ann"])
    assert [(s.person, s.path.name) for s in samples] == [("Zed", "Zed.jpg"), ("Yve", "1.jpg"), ("Yve", "2.jpg")]
    assert "Ann" in notes[0]
    with pytest.raises(InputError, match="Everybody"):
        read_strangers(root, known=["Ann", "Zed", "Yve"])
    with pytest.raises(InputError, match="no picture"):
        read_strangers(files("sub/readme.txt").joinpath("sub"))


def test_a_folder_that_may_not_be_read_is_told_and_passed_over(ordinary_folder: Path) -> None:
    for name in ("Ann", "Bob"):
        (ordinary_folder / name).mkdir()
        for shot in "12":
            (ordinary_folder / name / f"{shot}.jpg").touch()
    (ordinary_folder / "Bob").chmod(0)
    dataset = read_dataset(ordinary_folder)
    (ordinary_folder / "Bob").chmod(0o700)
    assert [person.name for person in dataset.people] == ["Ann"]
    assert "may not be read" in dataset.notes[0]
