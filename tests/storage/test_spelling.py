"""Names with underscores, as folders have them, in galleries of before."""

from __future__ import annotations

from pathlib import Path

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import text

from knownface.gallery import Gallery
from knownface.storage import migrate

REVISIONS = ScriptDirectory(str(Path(migrate.__file__).parent / "migrations"))


def test_people_of_an_earlier_gallery_have_spaces_and_two_of_one_name_are_told_apart(tmp_path: Path) -> None:
    file = tmp_path / "gallery.db"
    names = ["Serena Williams", "Ann Lee", "Unknown Man", "_", "Bob", "Al X"]
    with Gallery.open(file) as gallery:
        ids = {name: gallery.add_person(name).id for name in names}
        gallery.rename(ids["Al X"], "Ada King")
        renaming = gallery.history.edits()[0].id
        gallery.edit(ids["Ann Lee"], groups=["North_Wing"])
        with gallery.database.writing() as connection:
            for name, old in (("Ann Lee", "Ann_Lee"), ("Bob", "serena_Williams"), ("Unknown Man", "Unknown_3")):
                values = {"old": old, "key": old.lower(), "id": ids[name]}
                connection.execute(text("UPDATE people SET name = :old, name_key = :key WHERE id = :id"), values)
            replaced = "replace(replace(details, 'Al X', 'Al_X'), 'al x', 'al_x')"
            connection.execute(text(f"UPDATE edits SET details = {replaced}"))
            connection.execute(text("UPDATE former_names SET name = 'Al_X', name_key = 'al_x'"))
            with Operations.context(MigrationContext.configure(connection)):
                REVISIONS.get_revision("0016").module.upgrade()
    with Gallery.open(file) as gallery:
        told_apart = {"Serena Williams", "serena Williams (2)", "Unknown 3 (2)"}
        assert set(gallery.names.values()) == {"Ada King", "Ann Lee", "_", *told_apart}
        for spelling in ("Ann_Lee", "ann lee", "ANN  LEE"):
            assert gallery.person(spelling).id == ids["Ann Lee"]
        assert gallery.groups() == [("North_Wing", 1)]
        assert [person.name for person in gallery.people_store.page(search="ann_l")] == ["Ann Lee"]
        gallery.history.undo(renaming)
        assert gallery.person("al_x").id == ids["Al X"]
        assert gallery.person("al_x").name == "Al X"
