"""What the files around the package say of it: Python versions, extras, make targets, pages of the documentation."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

import knownface

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def jobs():
    return {
        f"{path.stem} {name}": job
        for path in WORKFLOWS
        for name, job in yaml.safe_load(path.read_text("utf-8"))["jobs"].items()
    }


def test_every_python_version_that_is_promised_is_tested(project, jobs):
    promised = re.findall(r"Python :: (3\.\d+)", "\n".join(project["project"]["classifiers"]))
    assert jobs["ci whole-suite"]["strategy"]["matrix"]["python"] == promised
    oldest, newest = promised[0], promised[-1]
    above = f"3.{int(newest.partition('.')[2]) + 1}"
    assert project["project"]["requires-python"] == f">={oldest},<{above}"
    for name in ("README.md", "CONTRIBUTING.md", "Makefile", "docs/installing.md"):
        assert f"Python {oldest} to {newest}" in (ROOT / name).read_text("utf-8"), name


def test_workflows_use_what_there_is(project, jobs):
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    extras = set(project["project"]["optional-dependencies"])
    for name, job in jobs.items():
        assert "timeout-minutes" in job, name
        for step in job["steps"]:
            command = step.get("run", "")
            assert set(re.findall(r"\bmake ([\w-]+)", command)) <= targets, command
            for named in re.findall(r'"\.\[(.+?)\]"', command):
                assert set(named.split(",")) <= extras, command
            if "checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False, name


def test_workflows_may_write_nothing_but_where_a_job_says_so(jobs):
    for path in WORKFLOWS:
        assert yaml.safe_load(path.read_text("utf-8"))["permissions"] == {"contents": "read"}, path.name
    writing = {name for name, job in jobs.items() if "write" in job.get("permissions", {}).values()}
    assert writing == {"pages deploy", "release publish"}


def test_every_page_is_in_the_navigation_of_the_site():
    site = tomllib.loads((ROOT / "zensical.toml").read_text("utf-8"))
    listed = [page for group in site["project"]["nav"] for pages in group.values() for page in pages]
    assert sorted(listed) == sorted(path.name for path in (ROOT / "docs").glob("*.md"))


def test_every_public_name_is_in_the_reference():
    described = set(re.findall(r"^::: knownface\.(\w+)", (ROOT / "docs/reference.md").read_text("utf-8"), re.MULTILINE))
    assert set(knownface.__all__) - {"__version__", "KnownFaceError"} <= described


def test_links_of_the_readme_lead_somewhere():
    text = (ROOT / "README.md").read_text("utf-8")
    for target in re.findall(r"\]\(([^)#]+)", text):
        assert target.startswith("https://") or (ROOT / target).exists(), target
