"""The package as a whole: its public names, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

import knownface
from knownface import errors

PUBLIC = {
    "Box", "Candidate", "Decision", "DecisionRule", "Face", "FaceRecognizer", "Frame", "Gallery", "Identification",
    "KnownFaceError", "Settings", "Verification", "__version__", "load_embedder", "load_settings",
    "read_image", "read_video",
}  # fmt: skip


def test_public_names_are_frozen() -> None:
    assert set(knownface.__all__) == PUBLIC
    for name in knownface.__all__:
        assert getattr(knownface, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = knownface.nonsense


@pytest.mark.parametrize("what", ["import knownface", "from knownface.cli import cli; cli.get_help"])
def test_importing_brings_no_heavy_library(what: str) -> None:
    heavy = ["numpy", "cv2", "onnxruntime", "faiss", "sqlalchemy", "dlib", "rich", "pydantic", "PIL", "huggingface_hub"]
    code = f"{what}\nimport sys\nprint([m for m in {heavy} if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_research_is_loaded_by_its_commands_alone() -> None:
    rooms = "knownface.cli.models, knownface.recognizer, knownface.live, knownface.evaluation.gallery_calibration"
    code = f"import {rooms}\nimport sys\nprint([m for m in sys.modules if m.startswith('knownface.research')])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


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
