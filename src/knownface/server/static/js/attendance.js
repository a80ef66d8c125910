// Opening a session: who is expected, and the list of guests.

import { showError } from "./actions.js";
import { api } from "./api.js";
import { momentOf } from "./zone.js";

const form = document.getElementById("session-form");

function follow() {
  const chosen = form.querySelector("[name=expected]:checked")?.value;
  for (const part of form.querySelectorAll("[data-with]")) part.hidden = part.dataset.with !== chosen;
}

function guestsOf(file) {
  const body = new FormData();
  body.append("file", file, file.name);
  return api("POST", "/v1/guests", body);
}

async function submit(button) {
  const place = form.querySelector(".error");
  place.replaceChildren();
  const fields = form.elements;
  const body = { name: fields.name.value.trim(), grace_minutes: Number(fields.grace_minutes.value) };
  const chosen = form.querySelector("[name=expected]:checked").value;
  button.setAttribute("aria-busy", "true");
  try {
    if (fields.start.value) body.start = momentOf(fields.start.value).toISOString();
    if (chosen === "everybody") body.everybody = true;
    if (chosen === "group") body.group = fields.group.value;
    if (chosen === "guests" && fields.guests.files.length) body.guests = await guestsOf(fields.guests.files[0]);
    const session = await api("POST", "/v1/attendance", body);
    location.assign(`/attendance/${session.id}`);
  } catch (error) {
    showError(place, error);
  } finally {
    button.removeAttribute("aria-busy");
  }
}

if (form) {
  form.addEventListener("change", follow);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(event.submitter);
  });
  follow();
}
