"""The service over an encrypted gallery: it answers as ever, and nothing that is sealed lies open in any file."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from service_tools import serving
from sqlalchemy import select

from knownface.gallery import Gallery
from knownface.storage.schema import template_pictures, templates
from knownface.storage.sealing.keys import make_key_file


def test_it_answers_and_no_file_shows_a_face(
    tmp_path: Path, eileen: bytes, mirrored: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = f"file:{tmp_path / 'gallery.key'}"
    make_key_file(key)
    (tmp_path / "temp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path / "temp"))
    monkeypatch.setenv("KNOWNFACE_GALLERY_KEY", key)
    monkeypatch.setenv("KNOWNFACE_SEAL_NAMES", "true")
    with serving(tmp_path) as up, up.http("admin") as admin:
        who = admin.post("/people", json={"name": "Eileen", "external_id": "SECRET-ID-4711"}).json()["id"]
        files = {"pictures": ("eileen.png", eileen, "image/png")}
        template = admin.post(f"/people/{who}/templates", files=files).json()["pictures"][0]["templates"][0]
        assert admin.get(f"/templates/{template}/picture").content.startswith(b"\xff\xd8")
        named = admin.post("/identify", files={"picture": ("other.png", mirrored, "image/png")}).text
        assert '"Eileen"' in named
        admin.patch(f"/people/{who}", json={"name": "Eileen Collins"})
        assert [one["id"] for one in admin.get("/people", params={"search": "coll"}).json()["items"]] == [who]
        admin.post("/attendance", json={"name": "class", "people": ["Eileen Collins"], "guests": [{"name": "Eileens"}]})
        with up.service.gallery.database.reading() as connection:
            secrets = [
                *connection.scalars(select(templates.c.vector)),
                *connection.scalars(select(template_pictures.c.jpeg)),
            ]
        assert len(secrets) == 2
        while_it_runs = _traces(tmp_path, secrets)
    assert while_it_runs == _traces(tmp_path, secrets) == []
    with Gallery.open(tmp_path / "gallery.db", key=key) as gallery:
        assert gallery.person("eileen collins").external_id == "SECRET-ID-4711"


def _traces(folder: Path, secrets: list[bytes]) -> list[str]:
    parts = [part for secret in secrets for part in (secret[-64:], secret[200:264])] + [
        b"SECRET-ID-4711",
        b"Eileen",
        b"eileen",
        b"Collins",
    ]
    contents = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return [name for name, content in contents.items() if any(part in content for part in parts)]
