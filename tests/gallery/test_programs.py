"""Several programs at one gallery, programs that are killed, and disks that are full."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import textwrap

import pytest

from knownface.gallery import Gallery
from knownface.gallery.index.saved import index_files

needs_kill = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")

COMMON = """
import hashlib, sys
import numpy as np
from knownface.errors import KnownFaceError
from knownface.gallery import Gallery, NewTemplate
from knownface.types import DecisionRule, EmbedderContract

def face(number):
    vector = np.random.default_rng(number).normal(size=8).astype(np.float32)
    vector /= np.linalg.norm(vector)
    return NewTemplate(vector, f"/{number}.jpg", hashlib.sha256(str(number).encode()).hexdigest())

gallery = Gallery.open(sys.argv[1])
gallery.bind(EmbedderContract("net", 8, "aligned", "a" * 64, "MIT", DecisionRule(1, 3, 1.0), True))
"""


def start(code, file, *arguments):
    command = [sys.executable, "-c", COMMON + textwrap.dedent(code), str(file), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def digest(number):
    return hashlib.sha256(str(number).encode()).hexdigest()


@pytest.mark.slow
def test_programs_that_enrol_at_once_lose_nothing_and_double_nothing(file):
    code = """
    first = int(sys.argv[2])
    for number in range(first, first + 40):
        gallery.enrol([(f"Person {number % 5}", face(number)), (f"Person {number % 5}", face(number + 1000))])
        gallery.search(face(number).vector[None], 1)
    print(len(gallery))
    gallery.close()
    """
    programs = [start(code, file, first) for first in (0, 20, 20)]
    results = [program.communicate() for program in programs]
    assert [program.returncode for program in programs] == [0, 0, 0], results
    with Gallery.open(file, create=False) as gallery:
        assert {p.name: p.templates for p in gallery.people()} == {f"Person {i}": 24 for i in range(5)}
        expected = {digest(n) for n in [*range(60), *range(1000, 1060)]}
        assert {sha256 for _, sha256 in gallery.template_store.known_sources()} == expected
        assert len(gallery) == 120


@needs_kill
def test_what_was_reported_is_there_after_kill_9(file):
    code = """
    for batch in range(10_000):
        gallery.enrol([(f"Person {batch}", face(10 * batch + i)) for i in range(3)])
        print(batch, flush=True)
    """
    program = start(code, file)
    reported = [int(program.stdout.readline()) for _ in range(12)]
    os.kill(program.pid, signal.SIGKILL)
    reported += [int(line) for line in program.stdout.read().split()]
    program.communicate()
    assert program.returncode == -signal.SIGKILL
    with Gallery.open(file, create=False) as gallery:
        people = {person.name: person.templates for person in gallery.people()}
        known = gallery.template_store.known_sources()
        for batch in reported:
            assert people[f"Person {batch}"] == 3
            assert {(f"person {batch}", digest(10 * batch + i)) for i in range(3)} <= known
        # One more may have been committed and not reported yet; none is there by half.
        assert len(people) - len(reported) in (0, 1)
        assert set(people.values()) == {3}
        assert len(gallery) == 3 * len(people)


@needs_kill
def test_kill_9_while_the_index_is_saved_does_no_harm(file):
    code = """
    number = 0
    while True:
        gallery.enrol([(f"Person {number}", face(number))])
        gallery.build_index()
        print(number, flush=True)
        number += 1
    """
    program = start(code, file)
    for _ in range(5):
        program.stdout.readline()
    os.kill(program.pid, signal.SIGKILL)
    program.communicate()
    with Gallery.open(file, create=False) as gallery:
        count = len(gallery)
        assert count >= 5
        vectors = gallery.vectors()
        found = gallery.search(vectors.embeddings, 1)
        assert found.templates[:, 0].tolist() == vectors.templates.tolist()
        assert gallery.build_index() == count
        assert gallery.info().index_saved


@needs_kill
def test_kill_9_while_a_larger_index_is_built_in_the_background_does_no_harm(file):
    code = """
    import time
    from knownface.gallery.index import sizes
    from knownface.search import compressed
    sizes.FLAT_UP_TO = 500
    write = compressed.write_rows

    def write_and_wait(*given):
        write(*given)
        print("written", flush=True)
        time.sleep(600)

    compressed.write_rows = write_and_wait
    gallery.enrol([("Ann", face(i)) for i in range(400)])
    gallery.build_index()
    gallery.enrol([("Bob", face(i)) for i in range(400, 1200)])
    gallery.search(face(1).vector[None], 1)
    found = gallery.search(face(1100).vector[None], 1)
    print(gallery.names[int(found.people[0, 0])], flush=True)
    """
    program = start(code, file)
    # It goes on answering while the larger one is built; the order of the two lines is open.
    assert {program.stdout.readline().strip() for _ in range(2)} == {"written", "Bob"}
    os.kill(program.pid, signal.SIGKILL)
    _, errors = program.communicate()
    assert program.returncode == -signal.SIGKILL, errors
    [left] = [path for path in file.parent.iterdir() if ".part" in path.name]
    with Gallery.open(file, create=False) as gallery:
        vectors = gallery.vectors()
        assert len(vectors.templates) == 1200
        assert gallery.search(vectors.embeddings, 1).templates[:, 0].tolist() == vectors.templates.tolist()
        gallery.remove("Ann")
        assert not left.exists(), "what the killed program left held Ann's templates"


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of this kind")
@pytest.mark.slow
def test_a_full_disk_is_told_and_nothing_that_was_reported_is_lost(file):
    """A limit on the size of files stands for the disk: the log cannot grow, as with ENOSPC."""
    code = """
    import resource, signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    gallery.enrol([("Person 0", face(0))])
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
    batch = 0
    while True:
        batch += 1
        try:
            gallery.enrol([(f"Person {batch}", face(100 * batch + i)) for i in range(100)])
        except KnownFaceError as error:
            print(error.code, error.exit_status, error.message)
            break
        print(batch, flush=True)
    print(len(gallery.people()))
    gallery.close()
    """
    program = start(code, file)
    output, errors = program.communicate()
    assert program.returncode == 0, errors
    *batches, told, people = output.splitlines()
    assert told.startswith("output-failed 11 "), told
    assert str(file) in told
    assert int(people) == 1 + len(batches)
    with Gallery.open(file, create=False) as gallery:
        assert {p.name for p in gallery.people()} == {"Person 0"} | {f"Person {batch}" for batch in batches}
        assert len(gallery) == 1 + 100 * len(batches)


@pytest.mark.slow
def test_an_index_that_finds_no_room_leaves_the_gallery_usable(file):
    code = """
    import resource, signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    gallery.enrol([("Ann", face(i)) for i in range(2000)])
    gallery.search(face(1).vector[None], 1)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
    try:
        gallery.build_index()
    except KnownFaceError as error:
        print(error.code)
    print(len(gallery))
    """
    output, errors = start(code, file).communicate()
    assert output.split() == ["output-failed", "2000"], errors
    assert not index_files(file)[0].exists()


def test_a_writer_that_waits_too_long_says_who_is_in_the_way(gallery, face, file, monkeypatch):
    import sqlite3

    from knownface.errors import GalleryLockedError

    monkeypatch.setattr("knownface.storage.engine.BUSY_SECONDS", 0.2)
    blocker = sqlite3.connect(file, isolation_level=None)
    with Gallery.open(file) as other:
        other.bind(gallery.contract)
        blocker.execute("BEGIN IMMEDIATE")
        with pytest.raises(GalleryLockedError, match=r"Another program.*gallery\.db"):
            other.add_templates("Ann", [face(1)])
        assert other.people() == []
        blocker.execute("ROLLBACK")
        blocker.close()
        assert other.add_templates("Ann", [face(1)]) == 1


@pytest.mark.slow
def test_ten_thousand_templates(file, contract, face):
    numbers = range(10_000)
    new = [(f"Person {i // 10}", face(i)) for i in numbers]
    with Gallery.open(file) as gallery:
        gallery.bind(contract)
        gallery.enrol(new)
        gallery.enrol(new)
    with Gallery.open(file) as gallery:
        assert len(gallery) == len(gallery.template_store.known_sources()) == 10_000
        assert len(gallery.people()) == 1000
        assert gallery.search(face(777).vector[None], 1).people[0, 0] == gallery.person("Person 77").id
