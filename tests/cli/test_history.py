from __future__ import annotations


def test_an_edit_is_listed_and_taken_back(knownface, enrolled_toys):
    knownface("people", "rename", "Ben", "Benjamin")
    knownface("people", "set", "Zoë", "--threshold", "0.7")
    listed = knownface("history").out
    assert "'Ben' renamed to 'Benjamin'." in listed
    edit_id = listed.splitlines()[-1].split()[0]
    assert knownface("undo", edit_id).out == "Undone: 'Ben' renamed to 'Benjamin'.\n"
    assert knownface("undo").out == "Undone: Threshold of 'Zoë' set to 0.7.\n"
    assert {"Ben", "Zoë"} <= set(knownface("people", "list").out.split())
    again = knownface("undo", edit_id)
    assert (again.status, "undone already" in again.err) == (9, True)
