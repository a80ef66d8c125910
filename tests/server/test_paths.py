"""Nobody who only looks is told where files lie on the server."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from service_tools import Running

from knownface.events import SeenTrack
from knownface.gallery import NewTemplate

SECRET = "/srv/secret/archive"


@pytest.mark.slow
def test_files_are_told_without_the_servers_folders(own: Running) -> None:
    gallery, now = own.service.gallery, datetime.now(UTC)
    look = np.eye(own.service.recognizer.embedder.contract.dim, dtype=np.float32)[0]
    gallery.add_templates("Ann", [NewTemplate(look, f"{SECRET}/Ann/1.jpg", "0" * 64)])
    person = gallery.person("Ann").id
    seen = [(person, None, "a/clip.mp4"), (None, 1, "b/clip.mp4"), (person, None, "a/other.mp4")]
    own.service.sightings.record(
        [SeenTrack(f"t{n}", f"{SECRET}/{file}", who, unknown, now, now) for n, (who, unknown, file) in enumerate(seen)]
    )
    asked = ["/sightings", "/sightings/sources", "/sightings/export", "/unknowns", f"/people/{person}/templates"]
    with own.http("viewer") as viewer, own.http("operator") as operator, own.http("admin") as admin:
        for path in asked:
            answer = operator.get(path) if "export" in path else viewer.get(path)
            assert answer.is_success
            assert "clip.mp4" in answer.text or "1.jpg" in answer.text
            assert "secret" not in answer.text
        assert viewer.get("/sightings/sources").json() == ["a/clip.mp4", "a/other.mp4", "b/clip.mp4"]
        found = viewer.get("/sightings", params={"source": "a/clip.mp4"}).json()["items"]
        assert [(one["source"], one["name"]) for one in found] == [("a/clip.mp4", "Ann")]
        assert "secret" not in operator.get(f"/people/{person}/data").text
        assert SECRET in admin.get(f"/people/{person}/data").text
        for path in ("/log", f"/people/{person}", "/unknowns", "/log?source=a/clip.mp4"):
            page = viewer.get(f"{own.address}{path}", follow_redirects=True)
            assert page.url.path == path.partition("?")[0], "signed in by the key"
            assert "secret" not in page.text, path
