// Adding pictures of a person: on the page of somebody known each is enrolled at once, on that of somebody new they
// are reviewed and wait for the name.

import { bodyOf, showError } from "./actions.js";
import { api, ApiError } from "./api.js";
import { Capture } from "./capture.js";
import { face, h, icon } from "./dom.js";
import { refresh } from "./regions.js";
import { t, textOrNull } from "./texts.js";
import { toast } from "./toast.js";

const place = document.getElementById("pictures");
const drop = document.getElementById("drop");
const chooser = document.getElementById("files");
const list = document.getElementById("reviews");
const form = document.getElementById("new-person");
let person = place.dataset.person ?? null;
const waiting = new Map();

/** A row that shows what became of a picture. */
function rowFor(file) {
  const address = URL.createObjectURL(file);
  const square = face("", address);
  square.querySelector("img").addEventListener("load", () => URL.revokeObjectURL(address));
  square.querySelector("img").addEventListener("error", () => square.querySelector("img").remove());
  const said = h("small", {}, t("pictures.looking"));
  const chip = h("span", { class: "chip" }, "…");
  const tools = h("span", { class: "actions" });
  list.append(h("li", {}, square, h("div", { class: "grow" }, h("strong", {}, file.name), said), chip, tools));
  return { item: list.lastChild, said, chip, tools };
}

function mark(row, kind, word, text) {
  row.chip.className = `chip ${kind}`;
  row.chip.textContent = t(`pictures.${word}`);
  row.said.textContent = text;
}

/** Why a picture was refused: our own words where there are some, and the figures that were measured. */
function whyRefused({ code, message, hint }) {
  const own = textOrNull(`problems.${code}`);
  return own && own !== message ? `${own} ${message}` : `${message} ${hint ?? ""}`.trim();
}

async function enrol(file, row, insist = false) {
  const body = new FormData();
  body.append("pictures", file, file.name);
  if (insist) body.append("insist", "true");
  try {
    const answer = await api("POST", `/v1/people/${person}/templates`, body);
    const [review] = answer.pictures;
    row.tools.replaceChildren();
    if (review.status === "enrolled") mark(row, "good", "added", "");
    else if (review.status === "known") mark(row, "", "known", t("pictures.known_text"));
    else {
      mark(row, "bad", "refused", whyRefused(review));
      if (review.code === "looks-like-other") row.tools.append(insistButton(file, row));
    }
    return review.status !== "refused";
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    mark(row, "bad", "refused", `${error.message} ${error.hint}`.trim());
    return false;
  }
}

function insistButton(file, row) {
  const button = h("button", { type: "button", class: "small" }, t("pictures.insist"));
  button.addEventListener("click", async () => {
    if (await enrol(file, row, true)) await refresh();
  });
  return button;
}

async function look(file, row) {
  const body = new FormData();
  body.append("picture", file, file.name);
  try {
    const review = await api("POST", "/v1/review", body);
    if (review.problem) {
      mark(row, "bad", "refused", whyRefused(review.problem));
      return;
    }
    waiting.set(file, row);
    mark(row, "good", "fine", "");
    const remove = h("button", { type: "button", class: "quiet small only-icon", "aria-label": t("pictures.leave_out", { name: file.name }) }, icon("close"));
    remove.addEventListener("click", () => {
      waiting.delete(file);
      row.item.remove();
    });
    row.tools.replaceChildren(remove);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    mark(row, "bad", "refused", whyRefused(error));
  }
}

/** One after the other: so much is on its way at a time, and what was said first stands first. */
async function take(files) {
  const rows = [...files].map((file) => [file, rowFor(file)]);
  let added = 0;
  for (const [file, row] of rows) {
    if (person === null) await look(file, row);
    else if (await enrol(file, row)) added++;
  }
  if (added) await refresh();
}

for (const kind of ["dragenter", "dragover"]) {
  drop.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  take(event.dataTransfer.files);
});
chooser.addEventListener("change", () => {
  take([...chooser.files]);
  chooser.value = "";
});
new Capture((file) => take([file]));

async function save() {
  const error = form.querySelector(".error");
  error.replaceChildren();
  if (!form.reportValidity()) return;
  let made = null;
  try {
    made = await api("POST", "/v1/people", bodyOf(form));
  } catch (refusal) {
    showError(error, refusal);
    form.elements.name.focus();
    return;
  }
  person = made.id;
  let good = true;
  for (const [file, row] of waiting) good = (await enrol(file, row)) && good;
  if (good) {
    sessionStorage.setItem("toast", t("new.saved", { name: made.name, count: waiting.size }));
    location.assign(`/people/${made.id}`);
    return;
  }
  toast(t("new.saved_partly", { name: made.name }));
  const button = document.getElementById("save-person");
  button.replaceWith(h("a", { class: "button primary", href: `/people/${made.id}` }, t("new.go_on", { name: made.name })));
  for (const field of form.elements) field.disabled = true;
}

if (form) {
  const button = document.getElementById("save-person");
  const begin = async () => {
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    await save().finally(() => button.removeAttribute("aria-busy"));
  };
  button.addEventListener("click", begin);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    begin();
  });
}
