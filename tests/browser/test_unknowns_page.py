"""The page of Unknowns: the same stranger is one entry, and is named or dismissed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from browser_page import BrowserMaker, Faces, Service
from chromium import Served
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from knownface import FaceRecognizer
from knownface.events import RetentionPolicy, SampleCandidate, SeenTrack, SightingLog, offer_sample
from knownface.gallery import Gallery, NewTemplate
from knownface.media import read_image
from knownface.pipeline import embed, examine
from knownface.types import EmbedderContract

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Looks:
    """What the service's own networks see in the photos: an embedding each."""

    contract: EmbedderContract
    of: dict[Path, np.ndarray]


@pytest.fixture(scope="module")
def looks(faces: Faces, served: Served, tmp_path_factory: pytest.TempPathFactory) -> Looks:
    """Of the largest face of each photo, by the networks that the service finds without a network of its own."""
    gallery = tmp_path_factory.mktemp("looks") / "gallery.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KNOWNFACE_OFFLINE", "1")
        patch.setenv("KNOWNFACE_CACHE", str(served.gallery.parent / "cache"))
        recognizer = FaceRecognizer.open(gallery, **faces.settings)
    with recognizer:
        found = {}
        for photo in [*faces.photos, *faces.others]:
            face = examine(read_image(photo), recognizer.detector, recognizer.embedder)[0]
            found[photo] = embed([face], recognizer.embedder)[0]
        return Looks(recognizer.embedder.contract, found)


def strangers_pass(service: Service, looks: Looks, photos: Sequence[Path]) -> list[int]:
    """Somebody whom nobody knows is seen once for each photo; the numbers that they were given."""
    now = datetime.now(UTC)
    with Gallery.open(service.served.gallery, create=False) as gallery:
        gallery.bind(looks.contract)  # as a live session does: nobody may be enrolled yet
        log = SightingLog(gallery, RetentionPolicy(pictures=True, unknown_faces=True))
        numbers = [log.new_unknown_number() for _ in photos]
        log.record(
            [
                SeenTrack(
                    f"{now.isoformat()}/{number}",
                    "front door",
                    None,
                    number,
                    now - timedelta(minutes=10 * (len(photos) - at)),
                    now - timedelta(minutes=10 * (len(photos) - at) - 1),
                    frames=30,
                    quality=0.6,
                    embedding=looks.of[photo],
                    picture=read_image(photo),
                )
                for at, (number, photo) in enumerate(zip(numbers, photos, strict=True))
            ]
        )
    return numbers


def test_the_same_stranger_is_one_entry_and_is_named(
    open_page: BrowserMaker, service: Service, faces: Faces, looks: Looks
) -> None:
    seen = [faces.photos[0], faces.photos[-1], faces.others[0]]
    numbers = strangers_pass(service, looks, seen)
    page = open_page()
    page.go("/unknowns")
    heads = page.all(".unknowns h2")
    assert [head.text for head in heads] == [f"Unknown {numbers[2]}", f"Unknown {numbers[1]}"]
    card = page.all(".unknowns > li")[1]
    assert "Seen 2 times" in card.text
    assert f"also Unknown {numbers[0]}" in card.text
    page.until(lambda: all(i.get_property("naturalWidth") for i in page.all(".unknowns img")))
    field = page.all(".unknowns input[name=name]")[1]
    field.send_keys(faces.name, Keys.ENTER)
    page.says(f"named {faces.name}")
    page.until(lambda: len(page.all(".unknowns > li")) == 1)
    # Both sightings are the person's, and what was seen was learnt: another photo is recognised.
    found = service.ask("GET", "/sightings", params={"unknown": False})["items"]
    assert {sighting["name"] for sighting in found} == {faces.name}
    assert len(found) == 2
    with faces.photos[0].open("rb") as photo:
        answer = service.ask("POST", "/identify", files={"picture": photo})
    assert faces.name in {face["name"] for face in answer["faces"]}
    assert page.complaints() == []


def test_a_stranger_is_dismissed_and_listed_again(
    open_page: BrowserMaker, service: Service, faces: Faces, looks: Looks
) -> None:
    (number,) = strangers_pass(service, looks, faces.others[:1])
    page = open_page()
    page.go("/unknowns")
    page.button("Dismiss Unknown").send_keys(Keys.ENTER)
    page.says("No unknown faces")
    page.button("Undo").click()
    page.says("Undone.")
    page.button("Dismiss Unknown").send_keys(Keys.ENTER)
    page.says("No unknown faces")
    page.button("Dismissed").click()
    page.until(lambda: "dismissed=true" in page.browser.current_url)
    page.says(f"Unknown {number}")
    page.button("List again Unknown").click()
    page.says("Nobody was dismissed")
    page.go("/unknowns")
    page.says(f"Unknown {number}")
    assert page.complaints() == []


def test_several_strangers_are_found_dismissed_and_named_at_once(
    open_page: BrowserMaker, service: Service, faces: Faces, looks: Looks
) -> None:
    numbers = strangers_pass(service, looks, [faces.photos[0], faces.photos[-1], faces.others[0]])
    first = service.ask("GET", "/unknowns?limit=1")
    rest = service.ask("GET", "/unknowns", params={"cursor": first["next"]})
    assert [group["numbers"] for group in first["items"] + rest["items"]] == [numbers[2:], numbers[:2]]
    assert rest["next"] is None
    page = open_page()
    page.go("/unknowns")
    page.says("2 strangers")
    page.button("All").click()
    page.says("2 chosen")
    page.one(".picking form button").click()
    page.says("No unknown faces")
    page.go("/unknowns?dismissed=true")
    page.field("Number or camera").send_keys(str(numbers[1]), Keys.ENTER)
    page.says("1 stranger")
    page.one(".unknowns .pick").click()
    page.button("Name as one").click()
    page.field("Name").send_keys(faces.name, Keys.ENTER)
    page.says("Nothing fits these filters.")
    assert {seen["name"] for seen in service.ask("GET", "/sightings", params={"unknown": False})["items"]} == {
        faces.name
    }
    page.go("/people")
    page.browser.find_element(By.ID, "by-photo").send_keys(str(faces.photos[0]))
    page.until(lambda: faces.name in page.one("#found li").text)
    assert page.complaints() == []


def test_offered_pictures_are_learnt_or_left(
    open_page: BrowserMaker, service: Service, faces: Faces, looks: Looks
) -> None:
    photo = faces.photos[0]
    person = service.add(faces.name, [photo])
    threshold = looks.contract.rule.threshold
    with Gallery.open(service.served.gallery, create=False) as gallery:
        for number in range(3):
            # Turned away, since only what is new is offered.
            vector = looks.of[photo] + 0.65 * threshold * np.eye(len(looks.of[photo]), dtype=np.float32)[number]
            vector /= np.linalg.norm(vector)
            seen_at = datetime.now(UTC) + timedelta(days=number)
            candidate = SampleCandidate(person, "front door", seen_at, vector, read_image(photo), 0.9, 9, 0)
            assert offer_sample(gallery, candidate, threshold=threshold, accept=False) == "offered"
            if number == 1:
                gallery.add_templates("Twin", [NewTemplate(vector, "twin.jpg", "0" * 64)])
    page = open_page()
    page.go("/people")
    page.says("3 new pictures of known people wait")
    page.button("Look at them").click()
    page.until(lambda: len(page.all(".templates > li")) == 3)
    page.until(lambda: all(i.get_property("naturalWidth") for i in page.all(".templates img")))
    page.button("Learn").click()
    page.until(lambda: len(page.all(".templates > li")) == 2)
    page.button("Learn").click()
    page.says("1 picture was held back for review.")
    page.says("Twin")
    page.until(lambda: len(page.all(".templates > li")) == 1)
    assert page.button("Decide").get_attribute("href").endswith("/people/held")
    page.button("Leave").click()
    page.says("Nothing waits")
    assert service.ask("GET", f"/people/{person}")["templates"] == 2
    assert page.complaints() == []
