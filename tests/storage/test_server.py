"""What a gallery's database does on a real PostgreSQL: transactions, locks, errors, and no password anywhere."""

from __future__ import annotations

import subprocess
import sys
import threading
import traceback

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from postgres_server import PASSWORD
from sqlalchemy import String, Text, func, insert, select, text

from knownface.errors import (
    GalleryEmptyError,
    GalleryError,
    GalleryLockedError,
    GalleryVersionError,
    KnownFaceError,
)
from knownface.gallery.sealing import encrypt_gallery
from knownface.settings import Settings
from knownface.storage import (  # noqa: F401  (their tables)
    Database,
    backup,
    events_schema,
    insert_new,
    insert_one,
    parse_location,
    restore,
    service_schema,
)
from knownface.storage import engine as engine_module
from knownface.storage.schema import VERSION_TABLE, groups, meta, metadata, templates
from knownface.storage.sealing.columns import SealedName, SealedText
from knownface.storage.sealing.keys import make_key_file
from knownface.storage.watch import ServerWatch, open_watch


@pytest.fixture
def database(postgres_url):
    opened = Database.open(postgres_url)
    yield opened
    opened.close()


def told(error):
    return "".join(traceback.format_exception(error)) + error.hint


def other_type(_context, _inspected, _column, inspected_type, metadata_type):
    """False for a text that may be sealed, which Alembic does not see to be a text; None asks Alembic."""
    sealed = isinstance(metadata_type, SealedText | SealedName)
    return False if sealed and isinstance(inspected_type, Text | String) else None


def test_the_migrations_make_what_the_schema_says(postgres_empty):
    database = Database.open(postgres_empty)
    with database.reading() as connection:
        options = {"version_table": VERSION_TABLE, "compare_type": other_type}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
        assert connection.scalar(text("SELECT count(*) FROM pg_indexes WHERE indexname = 'uq_templates_face'")) == 1
        kind = "SELECT data_type FROM information_schema.columns WHERE table_name = 'templates' AND column_name = 'id'"
        assert connection.scalar(text(kind)) == "bigint"
    database.close()


@pytest.mark.slow
def test_a_server_cannot_seal_names(postgres_empty, tmp_path):
    key = f"file:{tmp_path / 'gallery.key'}"
    make_key_file(key)
    with pytest.raises(GalleryError, match="file only"):
        Database.open(postgres_empty, key=key, seal_names=True)
    Database.open(postgres_empty).close()
    with pytest.raises(GalleryError, match="file only"):
        encrypt_gallery(Settings(gallery=postgres_empty), key, names=True)


def test_programs_that_make_one_gallery_at_once_all_get_it(postgres_empty):
    code = "import sys; from knownface.storage import Database; Database.open(sys.argv[1]).close()"
    command = [sys.executable, "-c", code, postgres_empty]
    programs = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(3)]
    errors = [program.communicate()[1].decode() for program in programs]
    assert [program.returncode for program in programs] == [0, 0, 0], errors


def test_a_missing_gallery_is_not_made_unless_asked(postgres_empty):
    with pytest.raises(GalleryEmptyError, match="no gallery at postgresql://"):
        Database.open(postgres_empty, create=False)
    Database.open(postgres_empty).close()
    Database.open(postgres_empty, create=False).close()


def test_a_newer_version_is_refused(database, postgres_url):
    with database.writing() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(GalleryVersionError, match="9999"):
        Database.open(postgres_url)


def test_another_programs_tables_are_left_as_they_are(postgres, postgres_empty):
    database = parse_location(postgres_empty).url.database
    with postgres.connect(database) as connection:
        connection.execute("CREATE TABLE people (phone text)")
    with pytest.raises(GalleryError, match="another program"):
        Database.open(postgres_empty)
    with postgres.connect(database) as connection:
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert found == [("people",)]


def test_a_schema_of_its_own_may_be_named(postgres, postgres_empty):
    with postgres.connect(parse_location(postgres_empty).url.database) as connection:
        connection.execute("CREATE TABLE people (phone text)")
        connection.execute("CREATE SCHEMA faces")
    database = Database.open(postgres_empty + "?options=-csearch_path%3Dfaces")
    with database.reading() as connection:
        assert connection.scalar(text("SELECT count(*) FROM faces.people")) == 0
    database.close()


def test_a_reader_sees_one_state_and_may_not_write(database):
    count = select(func.count()).select_from(meta)
    with database.reading() as connection:
        before = connection.scalar(count)
        with database.writing() as other:
            other.execute(insert(meta), {"key": "new", "value": "1"})
        assert connection.scalar(count) == before

    def write():
        with database.reading() as connection:
            connection.execute(insert(meta), {"key": "newer", "value": "1"})

    with pytest.raises(GalleryError, match="may not be read or written"):
        write()
    with database.writing() as connection:
        connection.execute(insert(meta), {"key": "newer", "value": "1"})


def test_a_second_writer_is_told_who_is_in_the_way(database, postgres_url, monkeypatch):
    monkeypatch.setattr(engine_module, "BUSY_SECONDS", 0.2)
    other = Database.open(postgres_url)
    with database.writing(), pytest.raises(GalleryLockedError, match="postgresql://"):  # noqa: SIM117
        with other.writing():
            pass
    with other.writing():
        pass
    other.close()


def test_threads_that_write_at_once_wait_for_each_other(database):
    """Each adds to what the others committed: with an older state before its eyes it would lose some."""

    def write():
        for _ in range(10):
            with database.writing() as connection:
                last = int(connection.scalar(select(func.count()).select_from(meta)))
                connection.execute(insert(meta), {"key": f"row {last}", "value": "1"})

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).where(meta.c.value == "1")) == 60


def test_rows_that_are_there_are_passed_over_and_keys_come_back(database):
    with database.writing() as connection:
        insert_new(connection, meta, [{"key": "a", "value": "1"}])
        insert_new(connection, meta, [{"key": "a", "value": "2"}, {"key": "b", "value": "2"}])
        found = connection.scalars(select(meta.c.value).where(meta.c.key.in_(["a", "b"])).order_by(meta.c.key))
        assert found.all() == ["1", "2"]
        assert insert_one(connection, groups, {"name": "A", "name_key": "a"}) == 1


def test_a_wrong_password_is_told_and_never_shown(postgres, postgres_url):
    wrong = postgres_url.replace(PASSWORD.replace("@", "%40"), "geheim")
    for url in (wrong, wrong.replace("knownface:geheim@", "") + "?user=knownface&password=geheim"):
        with pytest.raises(GalleryError, match="password authentication failed") as caught:
            Database.open(url)
        assert "geheim" not in told(caught.value)
        assert "user and password" in caught.value.hint


def test_a_database_that_is_not_there_and_a_server_that_is_not_there(postgres):
    with pytest.raises(GalleryError, match='database "nowhere" does not exist') as caught:
        Database.open(postgres.url("nowhere"))
    assert PASSWORD not in told(caught.value)
    with pytest.raises(GalleryError, match="did not answer") as caught:
        Database.open(f"postgresql://ann:{PASSWORD.replace('@', '%40')}@127.0.0.1:1/faces")
    assert PASSWORD not in told(caught.value)


def test_a_user_without_rights_is_told(postgres, postgres_url):
    Database.open(postgres_url).close()
    name = parse_location(postgres_url).url.database
    with postgres.connect(name) as connection:
        connection.execute("DROP ROLE IF EXISTS reader")
        connection.execute("CREATE ROLE reader LOGIN PASSWORD 'x'")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    other = Database.open(f"postgresql://reader:x@127.0.0.1:{postgres.port}/{name}")

    def write():
        with other.writing():
            pass

    with other.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(templates)) == 0
    with pytest.raises(GalleryError, match="permission denied") as caught:
        write()
    assert "administrator" in caught.value.hint
    other.close()
    with postgres.connect(name) as connection:
        connection.execute("DROP OWNED BY reader")
        connection.execute("DROP ROLE reader")


def test_backups_are_the_servers(database, postgres_url, tmp_path):
    with pytest.raises(GalleryError) as caught:
        backup(database, tmp_path / "copy.db")
    assert "pg_dump" in caught.value.hint
    with pytest.raises(GalleryError) as caught:
        restore(tmp_path / "copy.db", postgres_url)
    assert "pg_restore" in caught.value.hint
    assert PASSWORD not in told(caught.value)
    assert "%40" not in told(caught.value)


def test_times_are_utc_whatever_the_server_thinks(database):
    """The test's server keeps the time of Tokyo."""
    from datetime import UTC, datetime

    from knownface.storage.schema import people

    noon = datetime(2026, 7, 1, 12, tzinfo=UTC)
    with database.writing() as connection:
        insert_one(connection, people, {"name": "A", "name_key": "a", "created": noon})
    with database.reading() as connection:
        created = connection.scalar(select(people.c.created))
    assert created == noon
    assert created.tzinfo is UTC


def test_a_watch_notices_what_others_commit_and_nothing_else(database, postgres_url):
    watch = open_watch(database)
    assert isinstance(watch, ServerWatch)
    first = watch.version()
    assert watch.version() == first
    with database.writing() as connection:
        connection.execute(meta.update().where(meta.c.key == "generation").values(value="1"))
        assert watch.version() == first
    second = watch.version()
    assert second != first
    assert watch.version() == second
    watch.close()
    watch.close()
    with pytest.raises(ValueError, match="closed"):
        watch.version()


def test_a_restarted_server_is_found_again(postgres, database, postgres_url):
    watch = open_watch(database)
    before = watch.version()
    postgres.stop()
    try:
        with pytest.raises(KnownFaceError, match="did not answer"):
            watch.version()
        with pytest.raises(KnownFaceError, match="did not answer"), database.reading():
            pass
    finally:
        postgres.start()
    assert watch.version() == before
    with database.writing() as connection:
        connection.execute(insert(meta), {"key": "new", "value": "1"})
    watch.close()
