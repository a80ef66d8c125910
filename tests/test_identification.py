"""Where labelled copies go."""

from __future__ import annotations

from pathlib import Path

from knownface.identification import annotation_targets


def test_labelled_copies_keep_their_names_and_never_fall_on_an_original(tmp_path: Path) -> None:
    paths = [tmp_path / n for n in ("x/a.jpg", "x/b/a.jpg", "x/c.gif", "x/c.png")]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    targets = annotation_targets(paths, tmp_path / "out")
    assert [str(t.relative_to(tmp_path / "out")) for t in targets.values()] == ["a.jpg", "b/a.jpg", "c.png", "c-2.png"]
    assert annotation_targets([paths[0]], tmp_path / "x") == {paths[0]: tmp_path / "x" / "a-2.jpg"}
