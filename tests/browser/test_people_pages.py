"""One person's page: search, edit, merge, split, delete, with the keyboard too."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from browser_page import BrowserMaker, Faces, Service, rows
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

pytestmark = pytest.mark.slow


def test_a_person_is_found_renamed_and_put_into_groups(open_page: BrowserMaker, service: Service, faces: Faces) -> None:
    service.add(faces.name, faces.photos)
    service.add("Zoë Nobody", [])
    page = open_page()
    page.go("/people")
    page.says("2 people are known")
    page.field("Name or number").send_keys("zoë", Keys.ENTER)
    page.until(lambda: page.all(".people li") and len(page.all(".people li")) == 1)
    page.button("Zoë Nobody").click()
    page.says("No pictures yet, so this face cannot be recognised")
    page.button("Edit").click()
    name = page.field("Name")
    name.clear()
    name.send_keys(faces.name)
    page.button("Save").click()
    page.until(lambda: page.one("dialog[open] .error").text)  # taken: it says so, and what was typed stays
    assert "Somebody else has this name" in page.one("dialog[open] .error").text
    name.clear()
    name.send_keys("Zoë Somebody")
    page.field("Number").send_keys("S-77")
    page.field("Groups").send_keys("Choir, Staff")
    page.button("Save").click()
    page.until(lambda: page.browser.find_element(By.TAG_NAME, "h1").text == "Zoë Somebody")
    page.says("S-77")
    page.button("Choir").click()
    page.until(lambda: [p.text for p in page.all(".people strong")] == ["Zoë Somebody"])
    page.go("/people?search=S-77")
    assert [p.text for p in page.all(".people strong")] == ["Zoë Somebody"]
    assert page.complaints() == []


def test_each_step_is_undone_by_the_bar_that_follows_it(
    open_page: BrowserMaker, service: Service, faces: Faces
) -> None:
    person = service.add("Ada", faces.photos)
    page = open_page()
    page.go(f"/people/{person}")
    page.button("Edit").click()
    name = page.field("Name")
    name.clear()
    name.send_keys("Adda")
    page.button("Save").click()
    page.says("Ada renamed to Adda.")
    page.until(lambda: page.browser.find_element(By.TAG_NAME, "h1").text == "Adda")
    page.go("/people")  # the bar goes along
    page.button("Undo").click()
    page.until(lambda: [p.text for p in page.all(".people strong")] == ["Ada"])
    page.until(lambda: not page.all(".undo"))
    page.button("History").click()
    page.says("Ada renamed to Adda.")
    assert [chip.text for chip in page.all(".rows .chip")] == ["Undone"]
    assert page.complaints() == []


def test_one_person_under_two_names_is_suggested_to_be_merged_by_keyboard(
    open_page: BrowserMaker, service: Service, faces: Faces
) -> None:
    service.add("Twice One", faces.photos[:1])
    twin = service.ask("POST", "/people", json={"name": "Twice Two"})["id"]
    with faces.photos[-1].open("rb") as photo:
        service.ask("POST", f"/people/{twin}/templates", files={"pictures": photo}, data={"insist": "true"})
    page = open_page()
    page.go("/people")
    page.button("Merge suggestions").click()
    page.until(lambda: len(page.all(".side")) == 2)
    page.until(lambda: all(i.get_property("naturalWidth") for i in page.all(".side img")))
    page.button("Not the same").send_keys(Keys.ENTER)
    page.says("Nobody looks like anybody else")
    page.button("Undo").send_keys(Keys.ENTER)
    page.until(lambda: len(page.all(".side")) == 2)
    page.button("One person: Twice Two").send_keys(Keys.ENTER)
    page.says("Twice One merged into Twice Two.")
    page.says("Nobody looks like anybody else")
    assert [person["name"] for person in service.ask("GET", "/people")["items"]] == ["Twice Two"]
    assert page.complaints() == []


def test_two_entries_of_one_person_are_merged(open_page: BrowserMaker, service: Service, faces: Faces) -> None:
    person = service.add("Twice One", faces.photos)
    service.add("Twice Two", faces.others[:1])
    page = open_page()
    page.go(f"/people/{person}")
    page.button("Merge").click()
    page.one("#merge-with").send_keys("Twice Two")
    page.one("#merge button.primary").click()
    page.says("Twice Two merged into Twice One.")
    page.until(lambda: len(page.all(".templates > li")) == len(faces.photos) + 1)
    page.go("/people")
    assert [p.text for p in page.all(".people strong")] == ["Twice One"]
    assert rows(service.served.gallery, "people") == 1
    assert page.complaints() == []


def test_chosen_pictures_are_moved_to_somebody_new_or_known_and_back_again(
    open_page: BrowserMaker, service: Service, faces: Faces
) -> None:
    person = service.add("Mixed Up", faces.photos[:1])
    service.add("Wrongly In", faces.others[:1])
    service.ask("POST", f"/people/{person}/merge", json={"people": ["Wrongly In"]})
    page = open_page()
    page.go(f"/people/{person}")
    assert not page.button("Move").is_enabled()  # until some are chosen
    for pick in page.until(lambda: len(found := page.all("#templates .pick")) == 2 and found):
        pick.click()
    page.says("2 chosen")
    page.button("Move").click()
    page.one("#move-to").send_keys("Set Free", Keys.ENTER)
    page.says("would be left without a template")  # said in the dialog, and nobody was made
    page.one("#move-to").send_keys(Keys.ESCAPE)
    page.until(lambda: not page.all("dialog[open]"))
    page.all("#templates .pick")[0].click()
    page.button("Move").click()
    page.one("#move-to").send_keys(Keys.ENTER)  # what was typed is still there
    page.says("1 picture moved from Mixed Up to Set Free, who is new.")
    page.until(lambda: len(page.all("#templates > li")) == 1)
    page.button("Undo").click()
    page.until(lambda: len(page.all("#templates > li")) == 2)
    assert [p["name"] for p in service.ask("GET", "/people")["items"]] == ["Mixed Up"]
    assert page.complaints() == []


def test_pictures_are_deleted_for_good_and_their_files_let_in_again(
    open_page: BrowserMaker, service: Service, faces: Faces
) -> None:
    person = service.add(faces.name, faces.photos)
    page = open_page()
    page.go(f"/people/{person}")
    page.one("#pick-all").send_keys(Keys.ENTER)
    page.one("[data-open=forget]").send_keys(Keys.ENTER)
    page.says("This cannot be undone")
    page.one("#forget .danger").click()
    page.says("Deleted for good")
    page.says("No pictures yet")
    assert rows(service.served.gallery, "template_pictures") == 0
    page.says("Taken out")
    page.button("Allow again").send_keys(Keys.ENTER)  # the bar of what was done may lie over it
    page.until(lambda: len(service.ask("GET", f"/exclusions?person_id={person}")) == len(faces.photos) - 1)
    assert page.complaints() == []


def test_deleting_can_be_taken_back_until_it_is_said_twice(
    open_page: BrowserMaker, service: Service, faces: Faces
) -> None:
    """By keyboard: the dialog has the focus, Cancel comes first, Escape closes it and the focus goes back."""
    person = service.add(faces.name, faces.photos[:1])
    page = open_page()
    page.go(f"/people/{person}")
    page.button("Delete").send_keys(Keys.ENTER)
    page.one("dialog[open]")
    assert page.browser.switch_to.active_element.text == "Cancel"
    assert [item.text for item in page.all("#removal li")] == [
        "1 face that was learnt", "1 small picture of the face", "the name, number and groups"
    ]  # fmt: skip
    page.browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    page.until(lambda: not page.all("dialog[open]"))
    assert page.browser.switch_to.active_element.get_attribute("data-open") == "delete"
    assert rows(service.served.gallery, "people") == 1


def test_deleting_a_person_hands_out_a_receipt(open_page: BrowserMaker, service: Service, faces: Faces) -> None:
    person = service.add(faces.name, faces.photos[:1])
    page = open_page()
    page.go(f"/people/{person}")
    page.button("Delete").click()
    page.one("#delete .danger").click()
    page.says("was deleted")
    links = [page.one(f"#receipt-{what}") for what in ("page", "file")]
    suffixes = [str(link.get_attribute("download")).rpartition(".")[2] for link in links]
    assert suffixes == ["html", "json"]
    assert all(str(link.get_attribute("href")).startswith("blob:") for link in links)
    assert rows(service.served.gallery, "people") == 0
    page.one("#receipt a.primary").click()
    page.until(lambda: page.browser.current_url.endswith("/people"))


def test_a_consent_is_written_down_and_withdrawn(open_page: BrowserMaker, service: Service, faces: Faces) -> None:
    person = service.add(faces.name, faces.photos[:1])
    page = open_page()
    page.go(f"/people/{person}")
    page.one("[data-open=give-consent]").click()
    page.one("#give-consent input[value=attendance]").click()
    page.one("#give-consent .primary").click()
    page.says("Live cameras")
    page.until(lambda: page.all("section .chip.good"))
    page.one("[data-open=withdraw-consent]").click()
    page.one("#withdraw-consent .danger").click()
    page.says("Withdrawn")
    assert rows(service.served.gallery, "consents") == 1
    assert page.complaints() == []


def test_an_archive_of_people_is_dropped_and_told_file_by_file(
    open_page: BrowserMaker, service: Service, faces: Faces, tmp_path: Path
) -> None:
    archive = tmp_path / "class.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for number, photo in enumerate(faces.photos):
            packed.write(photo, f"{faces.name}/{number}{photo.suffix}")
        packed.writestr(f"{faces.name}/notes.txt", "no photo")
        packed.writestr("readme.txt", "no folder")
    page = open_page()
    page.go("/people")
    page.button("Add many").send_keys(Keys.ENTER)
    page.until(lambda: page.path() == "/people/many")
    page.browser.find_element(By.ID, "drop-files").send_keys(str(archive))
    page.says("1 person was learnt from new pictures.")
    told = [row.text for row in page.all("#archives .rows li")]
    assert len(told) == 2
    assert any("readme.txt" in row and "This lies in no person’s folder." in row for row in told)
    [person] = service.ask("GET", "/people")["items"]
    assert (person["name"], person["templates"]) == (faces.name, len(faces.photos))
    assert page.complaints() == []
