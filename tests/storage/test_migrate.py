from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Table, inspect, text

from knownface.errors import GalleryVersionError
from knownface.storage import Database, events_schema, service_schema
from knownface.storage import migrate as module
from knownface.storage.failures import translated
from knownface.storage.schema import VERSION_TABLE, metadata

EVENT_TABLES = [value for value in vars(events_schema).values() if isinstance(value, Table)]
SERVICE_TABLES = [service_schema.api_keys, service_schema.audit_log, service_schema.webhooks]


@pytest.fixture
def scripts():
    return ScriptDirectory(str(Path(module.__file__).parent / "migrations"))


def test_the_revisions_written_down_are_those_of_the_scripts(scripts):
    assert scripts.get_current_head() == module.HEAD
    assert {script.revision for script in scripts.walk_revisions()} == module.KNOWN


def test_the_migrations_make_what_the_schema_says(tmp_path):
    database = Database.open(tmp_path / "g.db")
    with database.reading() as connection, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an index over an expression is not compared
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, metadata) == []
        made = {name for (name,) in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'index'"))}
    assert {index.name for table in metadata.tables.values() for index in table.indexes} <= made
    database.close()


def test_the_expression_of_the_unique_index_is_the_schemas(tmp_path):
    migrated = Database.open(tmp_path / "g.db")
    query = text("SELECT sql FROM sqlite_master WHERE name IN ('uq_templates_face', 'templates') ORDER BY name")
    from sqlalchemy import create_engine

    direct = create_engine("sqlite://")
    metadata.create_all(direct)
    with migrated.reading() as one, direct.connect() as other:
        assert [sql for (sql,) in one.execute(query)] == [sql for (sql,) in other.execute(query)]
    migrated.close()
    direct.dispose()


def test_ids_are_never_given_twice(tmp_path):
    database = Database.open(tmp_path / "g.db")
    with database.reading() as connection:
        for table in ("people", "templates", "groups", *(table.name for table in EVENT_TABLES + SERVICE_TABLES)):
            sql = connection.scalar(text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": table})
            assert "AUTOINCREMENT" in sql
    database.close()


def test_opening_an_up_to_date_gallery_changes_nothing_and_needs_no_alembic(tmp_path):
    file = tmp_path / "g.db"
    Database.open(file).close()
    content = file.read_bytes()
    code = (
        "import sys; from knownface.storage import Database; Database.open(sys.argv[1]).close();"
        "assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(file)], check=True)
    assert file.read_bytes() == content


@pytest.mark.slow
def test_programs_that_make_one_gallery_at_once_all_get_it(tmp_path):
    file = tmp_path / "g.db"
    code = "import sys; from knownface.storage import Database; Database.open(sys.argv[1]).close()"
    programs = [subprocess.Popen([sys.executable, "-c", code, str(file)], stderr=subprocess.PIPE) for _ in range(4)]
    errors = [program.communicate()[1].decode() for program in programs]
    assert [program.returncode for program in programs] == [0, 0, 0, 0], errors
    database = Database.open(file, create=False)
    with database.reading() as connection:
        assert connection.scalar(text(f"SELECT count(*) FROM {VERSION_TABLE}")) == 1
    database.close()


def test_a_failed_migration_leaves_nothing_behind(tmp_path, monkeypatch):
    from alembic.operations import Operations

    def fail(self, *args, **kwargs):
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(Operations, "create_index", fail)
        with pytest.raises(ZeroDivisionError):
            Database.open(tmp_path / "g.db")
    database = Database.open(tmp_path / "g.db")
    with database.reading() as connection:
        assert "templates" in inspect(connection).get_table_names()
    database.close()


def test_a_server_of_a_newer_version_is_refused():
    with pytest.raises(GalleryVersionError, match="there"), translated("there"):
        module.check_known("9999")
