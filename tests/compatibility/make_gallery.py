"""Makes the folder ``a51822f``: a gallery with everything in it, and what the version of that commit answers.

It is run with that commit, not with the present one, and is kept to show where the folder comes from::

    git worktree add ../old a51822f    # and install it with its extras into an environment of its own
    PYTHONPATH=../old/tests/server ../old/.venv/bin/python tests/compatibility/make_gallery.py EMPTY_FOLDER

The only face in it is the astronaut Eileen Collins (NASA, public domain); everybody else is a vector that was drawn.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import tempfile
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as PilImage

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
import questions  # noqa: E402

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TOML = 'gallery = "gallery.db"\nembedder = "dlib-resnet"\ndetector = "dlib-hog"\nindex = "{kind}"\nthreads = 1\n'


def unit(vector: Any) -> Any:
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def drawn(seed: int) -> Any:
    return unit(np.random.default_rng(seed).normal(size=128))


def at_distance(one: Any, distance: float, seed: int) -> Any:
    side = drawn(seed)
    side = unit(side - (side @ one) * one)
    cosine = 1 - distance**2 / 2
    return unit(cosine * one + np.sqrt(1 - cosine**2) * side)


def write_pictures() -> None:
    from skimage.data import astronaut

    portrait = PilImage.fromarray(astronaut()).crop((90, 0, 390, 300))
    pictures = {
        "people/Eileen Collins/portrait.jpg": portrait,
        "people/Eileen Collins/small.jpg": portrait.resize((200, 200)),
        "people/Zoë/grey.jpg": PilImage.new("RGB", (90, 90), (128, 128, 128)),
        "pictures/dark.jpg": portrait.point(lambda value: value * 0.55),
        "pictures/mirrored.jpg": portrait.transpose(PilImage.Transpose.FLIP_LEFT_RIGHT),
        "pictures/turned.jpg": portrait.rotate(8, fillcolor=(90, 90, 90)),
    }
    for name, picture in pictures.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        picture.save(name, quality=85)
        os.utime(name, (NOON.timestamp(), NOON.timestamp()))


def run(words: str) -> Any:
    from knownface.cli import main

    told = TextIOWrapper(BytesIO(), encoding="utf-8", newline="")
    code: Any = None
    try:
        with redirect_stdout(told):
            main(shlex.split(words))
    except SystemExit as end:
        code = end.code
    told.seek(0)
    return [code, told.read()]


def fill() -> str:
    """Put something into every table; returns the token of a key."""
    from knownface import Gallery
    from knownface.events import (
        AlertRule,
        Alerts,
        Guest,
        Keep,
        SampleCandidate,
        SeenTrack,
        SightingLog,
        add_rule,
        close_session,
        mark,
        offer_sample,
        open_session,
        reject_offers,
    )
    from knownface.gallery import GalleryCalibration, NewTemplate
    from knownface.law.audit import Actor, AuditLog
    from knownface.server.keys import KeyStore
    from knownface.server.pictures import PictureStore
    from knownface.server.source_list import SourceList
    from knownface.server.webhooks import WebhookStore
    from knownface.types import Box, DecisionRule

    assert run("enroll people")[0] == 1
    face = np.asarray(PilImage.open("pictures/mirrored.jpg"))[60:220, 80:220]
    with Gallery.open("gallery.db") as gallery:
        contract = gallery.contract
        assert contract is not None
        gallery.bind(contract)
        for number in range(20):
            name = ("Ada", "Zoë")[number] if number < 2 else f"Drawn {number:02d}"
            some = [at_distance(drawn(number), 0.3, 1000 + 10 * number + each) for each in range(1 + number % 3)]
            new = [
                NewTemplate(
                    vector, f"/photos/{name}/{each}.jpg", f"{number:032x}{each:032x}", None, 0, Box(9, 8, 70, 80), 0.5
                )
                for each, vector in enumerate(some)
            ]
            gallery.add_templates(name, new)
        [eileen, *_] = gallery.vectors("Eileen Collins").embeddings
        other = NewTemplate(at_distance(eileen, 0.5, 7), "/photos/sister.jpg", "5" * 64, negative=True)
        gallery.add_templates("Eileen Collins", [other])
        gallery.edit("Eileen Collins", external_id="STS-93")
        gallery.set_groups("Eileen Collins", ["crew", "pilots"])
        gallery.edit("Ada", external_id="0042", threshold=0.55)
        gallery.set_groups("Ada", ["crew"])
        ids = {person.name: person.id for person in gallery.people()}
        first_template = gallery.templates("Eileen Collins")[0].id
        gallery.set_calibration(
            GalleryCalibration(
                DecisionRule(1, 3, 0.62, 0.0), contract.fingerprint, 0.01, 0.02, 0.95, len(ids), len(gallery),
                max(ids.values()), 500, "At most 2 % of strangers get a name.", {"strangers": 300}, NOON,
            )
        )  # fmt: skip
        log = SightingLog(gallery, Keep(pictures=True, unknown_faces=True))
        stranger = drawn(900)
        tracks = [
            SeenTrack("1", "door", 1, None, NOON, NOON + timedelta(minutes=5), 1.5, 301.5, 0.31, 90, 0.8, None, face),
            SeenTrack("2", "door", ids["Ada"], None, NOON + timedelta(hours=1), NOON + timedelta(hours=2), frames=9),
            SeenTrack("3", "yard", ids["Ada"], None, NOON + timedelta(hours=3), NOON + timedelta(hours=4)),
            *(
                SeenTrack(f"u{n}", "yard", None, log.new_unknown_number(), t, t, embedding=vector, best_distance=1.2)
                for n, (t, vector) in enumerate(
                    (
                        (NOON, stranger),
                        (NOON + timedelta(hours=1), at_distance(stranger, 0.3, 901)),
                        (NOON + timedelta(hours=2), drawn(902)),
                    )
                )
            ),
        ]
        log.record(tracks)
        log.dismiss([3])
        for rule in (
            AlertRule("crew is here", "seen", group="crew", cooldown=timedelta(minutes=1), sound="bell"),
            AlertRule(
                "nobody came",
                "missing",
                group="pilots",
                by=(NOON - timedelta(hours=3)).time(),
                days=("mon",),
                time_zone="UTC",
            ),
            AlertRule("stranger", "unknown", source="yard", command=("/bin/true", "a b")),
        ):
            add_rule(gallery, rule)
        with Alerts(gallery, lambda: 0.62) as alerts:
            alerts.evaluate(tracks[:1], NOON + timedelta(minutes=5))
        briefing = open_session(
            gallery, "Briefing", group="crew", people=["Zoë"], sources=["door"], start=NOON - timedelta(minutes=5)
        )
        mark(gallery, briefing.id, "Zoë", at=NOON)
        close_session(gallery, briefing.id, NOON + timedelta(hours=2))
        guests = [Guest("Ada", "0042", {"table": "5"}), Guest("Grace", None, {"table": "1"})]
        open_session(gallery, "Launch", guests=guests, start=NOON, until=NOON + timedelta(hours=8))
        for seed in (31, 32):
            vector = at_distance(eileen, 0.6, 900 + seed)
            seen = SampleCandidate(1, "door", NOON + timedelta(days=seed), vector, face, 0.9, 9, 0)
            assert offer_sample(gallery, seen, 1.0, now=NOON + timedelta(days=seed)) == "offered"
        reject_offers(gallery, [2])
        keys = KeyStore(gallery)
        token = keys.create("the office", "admin").token
        keys.revoke(keys.create("the old door", "device").key.id)
        AuditLog(gallery).note(Actor(1, "the office", "admin", "127.0.0.1"), "person.create", 1, name=False)
        hooks = WebhookStore(gallery)
        hooks.set_active(hooks.create("http://127.0.0.1:9/faces", ["seen", "unknown"]).id, False)
        sources = SourceList(gallery)
        sources.note(sources.add("door", "rtsp://user:secret@127.0.0.1:9/live"), running=False)
        from knownface.server.pictures import small_picture

        PictureStore(gallery, 10**8).keep({first_template: small_picture(face, Box(20, 20, 100, 100))})
    return str(token)


def save_index(kind: str) -> None:
    Path("knownface.toml").write_text(TOML.format(kind=kind))
    assert run("gallery index")[0] == 0


def stop_in_the_middle() -> None:
    """Leave the journal of an identification that was stopped after two of three pictures."""
    from knownface import FaceRecognizer
    from knownface.cli.identify import _journal
    from knownface.identification import IdentifyOptions, identify_files
    from knownface.media import expand_paths

    with FaceRecognizer.open() as recognizer:
        chosen = IdentifyOptions(top=3)
        journal = _journal(recognizer, chosen, Path("faces.json"))
        assert len(list(identify_files(recognizer, expand_paths(["pictures"])[:2], chosen, journal))) == 2
        journal.close()


def record(folder: Path, token: str, cache: str) -> dict[str, Any]:
    """Ask everything, of a copy, since some of it changes the gallery."""
    import httpx
    from service_tools import serving

    import knownface
    from knownface.cli import cli
    from knownface.errors import KnownFaceError
    from knownface.review import PoorPictureError
    from knownface.settings import load_settings

    shutil.copytree(folder, "asked")
    os.chdir("asked")
    answers: dict[str, Any] = {"token": token, "names": sorted(knownface.__all__)}
    answers["commands"] = {words: run(words) for words in questions.COMMANDS}
    assert run(questions.IDENTIFY)[0] == 0
    answers["faces"] = questions.read_json(Path("faces.json"))
    assert run(questions.ENROLL)[0] == 1
    with serving(Path.cwd()) as service:
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=f"{service.address}/v1", headers=headers, timeout=60) as client:
            answers["rest"] = dict(questions.ask_rest(client))
            answers["operations"] = dict(questions.fields(client.get("/openapi.json").json()))
    answers["options"] = dict(questions.options(cli))
    assert issubclass(PoorPictureError, KnownFaceError)
    answers["errors"] = sorted(questions.error_codes(KnownFaceError))
    shutil.copy(HERE / "every_setting.toml", "knownface.toml")
    os.environ["KNOWNFACE_CACHE"] = ""
    answers["settings"] = load_settings().model_dump(mode="json", exclude={"milvus_token", "models"})
    os.environ["KNOWNFACE_CACHE"] = str(cache)
    Path("knownface.toml").unlink()
    answers["contracts"] = contracts()
    os.chdir("..")
    return answers


def contracts() -> dict[str, Any]:
    """Of every embedder that is at hand: see :func:`questions.know_by`."""
    from knownface import load_embedder
    from knownface.models import ModelStore
    from knownface.settings import load_settings

    settings, found = load_settings(), {}
    store = ModelStore(settings.models, settings.cache)
    for name, entry in store.catalog.items():
        if entry.task == "embedder" and store.find(name) is not None:
            found[name] = questions.know_by(load_embedder(name, store))
    return found


def main() -> None:
    target = Path(sys.argv[1]).resolve()
    target.mkdir(parents=True, exist_ok=True)
    os.chdir(target)
    with tempfile.TemporaryDirectory() as cache:
        os.environ.update(KNOWNFACE_CACHE=cache, KNOWNFACE_OFFLINE="1", XDG_CONFIG_HOME=cache)
        write_pictures()
        Path("knownface.toml").write_text(TOML.format(kind="flat"))
        token = fill()
        for kind in ("flat", "ivf"):
            save_index(kind)
            kept = HERE / "a51822f" / kind
            kept.mkdir(parents=True, exist_ok=True)
            for end in (".index", ".index.json", ".owners"):
                shutil.copy(f"gallery.db{end}", kept)
        stop_in_the_middle()
        for end in (".index", ".index.json", ".owners"):
            Path(f"gallery.db{end}").unlink()
        names = [path.name for path in Path().iterdir()]
        assert "gallery.db-wal" not in names, names
        shutil.copytree(".", HERE / "a51822f", dirs_exist_ok=True)
        with tempfile.TemporaryDirectory() as elsewhere:
            os.chdir(elsewhere)
            answers = record(target, token, cache)
            os.chdir(target)
    lines = (f'"{key}": {json.dumps(answers[key], ensure_ascii=False)}' for key in sorted(answers))
    (HERE / "a51822f" / "answers.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
