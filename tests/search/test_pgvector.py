"""pgvector's table on a real PostgreSQL; what a gallery makes of it is tested with the gallery."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from sqlalchemy import create_engine, text

from knownface.errors import GalleryError, SettingsError
from knownface.search import pgvector as module
from knownface.search.pgvector import INDEX, TABLE, PgvectorOptions, PgvectorTable

DIM = 24


def unit(seed, n, dim=DIM):
    vectors = np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def engine(postgres_empty):
    made = create_engine(postgres_empty.replace("postgresql://", "postgresql+psycopg://"))
    with made.begin() as connection:
        connection.execute(text("CREATE TABLE faces (id bigint PRIMARY KEY)"))
    yield made
    made.dispose()


def fill(engine, ids, vectors, options=PgvectorOptions()):  # noqa: B008  (frozen)
    table = PgvectorTable(vectors.shape[1], "faces", options)
    with engine.begin() as connection:
        rows = [{"id": i} for i in ids.tolist()]
        connection.execute(text("INSERT INTO faces VALUES (:id) ON CONFLICT DO NOTHING"), rows)
        table.prepare(connection)
        table.add(connection, ids, vectors)
    return table


def test_vectors_arrive_as_half_precision_of_themselves(engine):
    ids, vectors = np.array([5, 9_000_000_000, 7]), unit(1, 3)
    table = fill(engine, ids, vectors)
    with engine.begin() as connection:
        rows = connection.execute(text(f"SELECT template_id, embedding::text FROM {TABLE} ORDER BY 1")).all()
        assert table.last_id(connection) == 9_000_000_000
    assert [row[0] for row in rows] == sorted(ids.tolist())
    held = np.array([[float(x) for x in row[1].strip("[]").split(",")] for row in rows])
    np.testing.assert_array_equal(held.astype(np.float16), vectors[np.argsort(ids)].astype(np.float16))


def test_candidates_are_the_nearest(engine):
    ids, vectors, probes = np.arange(300), unit(1, 300), unit(2, 9)
    table = fill(engine, ids, vectors)
    right = np.argsort(((vectors[None] - probes[:, None]) ** 2).sum(axis=2), axis=1)[:, :7]
    with engine.begin() as connection:
        found = table.candidates(connection, probes, 7)
        assert [set(row) for row in found.tolist()] == [set(row) for row in right.tolist()]
        few = table.candidates(connection, probes, 400)
    assert few.shape == (9, 400)
    assert ((few >= 0).sum(axis=1) == 300).all()


def test_what_goes_from_the_source_goes_from_here(engine):
    table = fill(engine, np.arange(10), unit(1, 10))
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM faces WHERE id > 3"))
        found = table.candidates(connection, unit(1, 10)[8:9], 10)
        assert sorted(found[found >= 0].tolist()) == [0, 1, 2, 3]
        assert table.last_id(connection) == 3


def test_vectors_of_another_length_replace_the_table(engine):
    fill(engine, np.arange(10), unit(1, 10))
    longer = fill(engine, np.arange(20, 25), unit(1, 5, 40))
    with engine.begin() as connection:
        found = longer.candidates(connection, unit(1, 5, 40)[:1], 10)
    assert sorted(found[found >= 0].tolist()) == [20, 21, 22, 23, 24]


def test_a_graph_is_built_once_and_again_where_a_build_was_cut_short(engine, monkeypatch):
    monkeypatch.setattr(module, "GRAPH_FROM", 100)
    table = fill(engine, np.arange(99), unit(1, 99))
    with engine.begin() as connection:
        assert not table.wants_graph(connection)
    fill(engine, np.arange(99, 400), unit(2, 301))
    autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")

    def build():
        with autocommit.connect() as connection:
            table.build_graph(connection)

    builders = [threading.Thread(target=build) for _ in range(3)]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join()
    with engine.begin() as connection:
        assert not table.wants_graph(connection)
        mark_invalid = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass(:index)"
        connection.execute(text(mark_invalid), {"index": INDEX})
        assert table.wants_graph(connection)
    build()
    with engine.begin() as connection:
        assert not table.wants_graph(connection)
        assert connection.scalar(text("SHOW maintenance_work_mem")) == "64MB"


def test_a_server_without_pgvector_or_the_right_says_what_to_do(postgres, postgres_empty, engine):
    database = postgres_empty.rpartition("/")[2]
    with postgres.connect(database) as connection:
        connection.execute("DROP ROLE IF EXISTS plain")
        connection.execute("CREATE ROLE plain LOGIN PASSWORD 'x'")
        connection.execute("GRANT ALL ON SCHEMA public TO plain")
    other = create_engine(f"postgresql+psycopg://plain:x@127.0.0.1:{postgres.port}/{database}")
    with pytest.raises(GalleryError, match="pgvector cannot be used") as caught, other.begin() as connection:
        PgvectorTable(DIM, "faces", PgvectorOptions()).prepare(connection)
    assert "CREATE EXTENSION vector" in caught.value.hint
    other.dispose()
    with postgres.connect(database) as connection:
        connection.execute("DROP OWNED BY plain")
        connection.execute("DROP ROLE plain")


@pytest.mark.parametrize("effort", [0, 1001])
def test_an_effort_that_pgvector_does_not_take_is_refused(effort):
    with pytest.raises(SettingsError, match="1 to 1000"):
        PgvectorOptions(ef_search=effort)
