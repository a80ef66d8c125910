// The people who look most like the face on a photo.

import { api, ApiError } from "./api.js";
import { face as square, h, icon } from "./dom.js";
import { likeness } from "./likeness.js";
import { whyRefused } from "./refusals.js";
import { t } from "./texts.js";

const LISTED = 20;
const found = document.getElementById("found");
const trouble = document.getElementById("trouble");

function row({ person_id: id, name, distance }) {
  const face = square(name ?? "", `/v1/people/${id}/picture`);
  face.querySelector("img").addEventListener("error", ({ target }) => target.remove());
  return h("li", {}, face, h("div", { class: "grow" }, h("strong", {}, h("a", { href: `/people/${id}` }, name ?? t("identify.gone"))), likeness(distance, Number(found.dataset.threshold))));
}

async function search(file) {
  trouble.replaceChildren();
  found.hidden = false;
  found.replaceChildren(t("pictures.looking"));
  const body = new FormData();
  body.append("picture", file, file.name);
  body.append("top", LISTED);
  let answer;
  try {
    answer = await api("POST", "/v1/identify", body);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    found.hidden = true;
    trouble.textContent = whyRefused(error);
    return;
  }
  const close = h("button", { type: "button", class: "quiet small only-icon", "aria-label": t("common.close") }, icon("close"));
  close.addEventListener("click", () => (found.hidden = true));
  const [largest] = answer.faces;
  const told = largest ? h("ul", { class: "rows" }, ...largest.candidates.map(row)) : h("p", { class: "muted" }, t("identify.no_face"));
  found.replaceChildren(h("div", { class: "split" }, h("h2", {}, t("people.like_photo", { name: file.name })), close), told);
}

document.getElementById("by-photo")?.addEventListener("change", (event) => {
  const [file] = event.target.files;
  event.target.value = "";
  if (file) search(file);
});
