// An open session is drawn anew while people arrive; names and photos of those who are there mark them.

import { showError } from "./actions.js";
import { api } from "./api.js";
import { h } from "./dom.js";
import { labelled, opened } from "./labelled.js";
import { whyRefused } from "./refusals.js";
import { refresh } from "./regions.js";
import { t } from "./texts.js";

const EVERY = 4000;
const PATIENCE = 10; // a list that takes long is asked for less often
const photos = document.getElementById("photos");

async function round() {
  const busy = document.querySelector("dialog[open]");
  const begun = performance.now();
  if (document.querySelector("[data-open-session]") && !document.hidden && !busy) await refresh().catch(() => undefined);
  setTimeout(round, Math.max(EVERY, PATIENCE * (performance.now() - begun)));
}

function summary({ came, there, denied, pictures }) {
  const unknown = pictures.flatMap(({ picture }) => picture?.faces ?? []).filter((face) => face.name === null).length;
  const lines = [["photos_came", came], ["photos_there", there], ["photos_denied", denied]];
  return [
    ...lines.filter(([, names]) => names.length).map(([text, names]) => h("p", {}, h("strong", {}, t(`attendance.${text}`)), ` ${names.join(", ")}`)),
    unknown ? h("p", {}, t("attendance.photos_undecided", { count: unknown })) : null,
  ].filter(Boolean);
}

async function send(files) {
  const body = new FormData();
  for (const file of files) body.append("pictures", file, file.name);
  const results = document.getElementById("photo-results");
  const error = photos.querySelector(".error");
  error.replaceChildren();
  results.replaceChildren(t("pictures.looking"));
  try {
    const answer = await api("POST", photos.dataset.path, body);
    const named = (faces) => faces.map((face) => ({ ...face, label: face.name ?? t("attendance.unknown_face") }));
    const shown = answer.pictures.map(async ({ picture, error: problem, file }, i) =>
      picture ? labelled(file, await opened(files[i]), { ...picture, faces: named(picture.faces) }) : h("p", {}, `${file}: ${whyRefused(problem)}`));
    results.replaceChildren(...summary(answer), ...(await Promise.all(shown)));
    await refresh();
  } catch (problem) {
    results.replaceChildren();
    showError(error, problem);
  }
}

/** A kiosk on this device takes the place of who is signed in here; for another one its address is shown, once. */
document.addEventListener("answered", async (event) => {
  const screen = event.target.querySelector("#screen")?.selectedOptions[0].dataset.screen;
  if (!screen) return;
  event.preventDefault();
  const key = event.detail.made.token;
  if (screen === "this") {
    await api("DELETE", "/v1/session");
    await api("POST", "/v1/session", { key });
    location.assign("/kiosk");
    return;
  }
  const field = document.getElementById("address");
  field.value = `${location.origin}/sign-in#key=${key}`;
  document.getElementById("kiosk-address").showModal();
  field.select();
});

// A name that nobody has is no walk-in before somebody has said so: it may be a known one, mistyped.
document.getElementById("mark-form")?.addEventListener("refused", (event) => {
  if (event.detail.code !== "unknown-person") return;
  event.preventDefault();
  const asked = document.getElementById("walk-in");
  asked.querySelector("[name=name]").value = document.getElementById("mark").value.trim();
  asked.querySelector("[data-problem]").textContent = event.detail.message;
  asked.showModal();
});

document.addEventListener("answered", ({ target }) => {
  if (target.id === "mark-form" || target.closest("#walk-in")) document.getElementById("mark-form").reset();
});

document.getElementById("photo-files")?.addEventListener("change", (event) => {
  const files = [...event.target.files];
  event.target.value = "";
  if (files.length) send(files);
});

setTimeout(round, EVERY);
