"""Uploads of jobs outlive the service that had them, and only that."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from knownface.server.job_spool import KEPT, JobSpool


def test_what_a_service_left_is_taken_over_but_not_from_one_that_runs(tmp_path: Path) -> None:
    first, second = JobSpool(tmp_path), JobSpool(tmp_path)
    for number, spool in enumerate((first, second)):
        spool.new(f"job-{number}", "video", {"label": "x"}).upload.write_bytes(b"film")
    first.close()
    third = JobSpool(tmp_path)
    assert [(job.id, job.facts, job.starts) for job in third.left()] == [("job-0", {"label": "x"}, 0)]
    assert third.left() == []
    third.close()
    second.close()
    fourth = JobSpool(tmp_path)
    left = fourth.left()
    assert [job.id for job in left] == ["job-0", "job-1"]
    assert all(job.upload.read_bytes() == b"film" for job in left)
    left[1].begin()
    left[0].forget()
    fourth.close()
    fifth = JobSpool(tmp_path)
    assert [(job.id, job.starts) for job in fifth.left()] == [("job-1", 1)]
    fifth.close()


def test_what_is_old_or_half_written_goes(tmp_path: Path) -> None:
    spool = JobSpool(tmp_path)
    old, half = spool.new("old", "video", {}), spool.new("half", "video", {})
    old.upload.write_bytes(b"film")
    told = json.loads((old.folder / "job.json").read_text())
    told["created"] = (datetime.now(UTC) - KEPT - timedelta(hours=1)).isoformat()
    (old.folder / "job.json").write_text(json.dumps(told))
    spool.close()
    again = JobSpool(tmp_path)
    assert again.left() == []
    assert not old.folder.exists()
    assert not half.folder.exists()
    again.close()
