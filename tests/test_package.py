"""The package as a whole: its public names, and what importing it costs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import mypy.api
import pytest

import knownface
from knownface import errors

ROOT = Path(__file__).parents[1]
SINCE_0_1_0 = {
    "Box", "Candidate", "Decision", "DecisionRule", "Face", "FaceRecognizer", "Frame", "Gallery", "Identification",
    "KnownFaceError", "Settings", "Verification", "__version__", "load_embedder", "load_settings",
    "read_image", "read_video",
}  # fmt: skip


def test_every_public_name_is_there_and_none_of_an_earlier_version_is_gone() -> None:
    assert set(knownface.__all__) >= SINCE_0_1_0
    assert set(dir(knownface)) >= SINCE_0_1_0 - {"__version__"}
    for name in knownface.__all__:
        assert getattr(knownface, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        _ = knownface.nonsense


# What no public name is made of takes most of the time.
UNREAD = """
[mypy]
follow_imports_for_stubs = true
[mypy-alembic.*,click.*,cryptography.*,cv2.*,dlib.*,faiss.*,onnxruntime.*,psutil.*,rich.*,sqlalchemy.*]
follow_imports = skip
"""


@pytest.mark.slow
def test_no_public_name_is_any_for_a_type_checker(tmp_path: Path) -> None:
    names = sorted(knownface.__all__)
    program = tmp_path / "program.py"
    program.write_text("import knownface\n" + "".join(f"reveal_type(knownface.{name})\n" for name in names))
    (tmp_path / "mypy.ini").write_text(UNREAD)
    said, problems, _ = mypy.api.run(
        ["--config-file", str(tmp_path / "mypy.ini"), "--cache-dir", str(tmp_path / "cache"), str(program)]
    )
    assert not problems
    revealed = re.findall(r'Revealed type is "(.+)"', said)
    assert len(revealed) == len(names)
    # The name itself, a parameter or a result; inside of others NumPy has an Any of its own, for arrays of any shape.
    assert [t for t in revealed if re.search(r"(^|: |-> )Any\b", t)] == []


@pytest.mark.parametrize("what", ["import knownface", "from knownface.cli import cli; cli.get_help"])
def test_importing_brings_no_heavy_library(what: str) -> None:
    heavy = ["numpy", "cv2", "onnxruntime", "faiss", "sqlalchemy", "dlib", "rich", "pydantic", "PIL", "huggingface_hub"]
    code = f"{what}\nimport sys\nprint([m for m in {heavy} if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_help_of_a_command_brings_no_numpy() -> None:
    code = "import sys, knownface.cli.watch; print({'numpy', 'cv2', 'pydantic'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


@pytest.mark.slow
def test_faiss_is_loaded_by_a_search_and_research_by_its_commands_alone() -> None:
    rooms = "knownface.cli.models, knownface.recognizer, knownface.live, knownface.evaluation.gallery_calibration"
    code = (
        "import sys, knownface.identification, knownface.enrolment\n"
        "print('faiss' in sys.modules)\n"
        f"import {rooms}\n"
        "print([m for m in sys.modules if m.startswith('knownface.research')])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "[]"]


def all_errors(base: type[errors.KnownFaceError]) -> list[type[errors.KnownFaceError]]:
    return [base, *(e for sub in base.__subclasses__() for e in all_errors(sub))]


def test_every_error_has_a_code_of_its_own_and_its_classs_exit_status() -> None:
    import knownface.recognizer  # noqa: F401 - defines the last of them

    found = all_errors(errors.KnownFaceError)
    codes = [error.code for error in found]
    assert len(codes) == len(set(codes))
    statuses = {e.exit_status for e in errors.KnownFaceError.__subclasses__()}
    assert len(statuses) == len(errors.KnownFaceError.__subclasses__())
    assert not statuses & {0, 1, 2}
    for error in found[1:]:
        parent = next(e for e in error.__mro__ if e in errors.KnownFaceError.__subclasses__())
        assert error.exit_status == parent.exit_status


def test_the_own_hint_wins_over_the_classs() -> None:
    assert errors.NoFaceError("x").hint == errors.NoFaceError.default_hint
    assert errors.NoFaceError("x", "do y").hint == "do y"
