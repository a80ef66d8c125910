// Adding pictures of a person: on the page of somebody known each is enrolled at once, on that of somebody new they
// are reviewed and wait for the name.

import { bodyOf, showError } from "./actions.js";
import { api, ApiError } from "./api.js";
import { Capture } from "./capture.js";
import { face, h, icon } from "./dom.js";
import { takeFiles } from "./filedrop.js";
import { isDoubtful, whyRefused } from "./refusals.js";
import { refresh } from "./regions.js";
import { t } from "./texts.js";
import { toast } from "./toast.js";

const MOST_AT_ONCE = 8;
const MOST_TOGETHER = 12;

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

function formOf(files) {
  const body = new FormData();
  for (const file of files) body.append("pictures", file, file.name);
  return body;
}

function refuseAll(rows, error) {
  if (!(error instanceof ApiError)) throw error;
  for (const [, row] of rows) mark(row, "bad", "refused", error.message);
}

/** Enrols pictures together, so that they are compared with each other; how many were not. */
async function enrol(rows, insist = false) {
  const body = formOf(rows.map(([file]) => file));
  if (insist) body.append("insist", "true");
  if (document.getElementById("is-not")?.checked) body.append("counter_example", "true");
  let answer;
  try {
    answer = await api("POST", `/v1/people/${person}/templates`, body);
  } catch (error) {
    refuseAll(rows, error);
    return rows.length;
  }
  let left = 0;
  for (const [index, review] of answer.pictures.entries()) {
    const [file, row] = rows[index];
    row.tools.replaceChildren();
    if (review.status === "enrolled") mark(row, "good", "added", review.message && t("pictures.fitting"));
    else if (review.status === "known") mark(row, "", "known", t("pictures.known_text"));
    else {
      left++;
      if (review.status === "held") mark(row, "warn", "held", whyRefused(review));
      else mark(row, "bad", "refused", whyRefused(review));
      if (review.status === "held") row.tools.append(h("a", { class: "button small", href: "/people/held" }, t("pictures.decide")));
      else if (isDoubtful(review)) row.tools.append(insistButton(file, row));
    }
  }
  return left;
}

function insistButton(file, row) {
  const button = h("button", { type: "button", class: "small" }, t("pictures.insist"));
  button.addEventListener("click", async () => {
    if ((await enrol([[file, row]], true)) === 0) await refresh();
  });
  return button;
}

/** Reviews pictures of somebody new beside those that wait already, with the words of enrolment. */
async function look(rows) {
  const together = [...[...waiting].slice(0, MOST_TOGETHER - rows.length), ...rows];
  let answer;
  try {
    answer = await api("POST", "/v1/review/batch", formOf(together.map(([file]) => file)));
  } catch (error) {
    refuseAll(rows, error);
    return;
  }
  for (const [index, { review, error }] of answer.pictures.entries()) {
    const [file, row] = together[index];
    const problem = error ?? review.problem;
    if (problem && !isDoubtful(problem)) {
      mark(row, "bad", "refused", whyRefused(problem));
      continue;
    }
    waiting.set(file, row);
    if (problem) mark(row, "warn", "doubtful", whyRefused(problem));
    else mark(row, "good", "fine", review.note && t("pictures.fitting"));
    const remove = h("button", { type: "button", class: "quiet small only-icon", "aria-label": t("pictures.leave_out", { name: file.name }) }, icon("close"));
    remove.addEventListener("click", () => {
      waiting.delete(file);
      row.item.remove();
    });
    row.tools.replaceChildren(remove);
  }
}

function* inParts(rows) {
  for (let first = 0; first < rows.length; first += MOST_AT_ONCE) yield rows.slice(first, first + MOST_AT_ONCE);
}

/** A few at a time: so much is on its way, and what was said first stands first. */
async function take(files) {
  const rows = files.map((file) => [file, rowFor(file)]);
  let left = 0;
  for (const part of inParts(rows)) {
    if (person === null) await look(part);
    else left += await enrol(part);
  }
  if (person !== null && left < rows.length) await refresh();
}

takeFiles(drop, chooser, take);
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
  let left = 0;
  for (const part of inParts([...waiting])) left += await enrol(part);
  if (left === 0) {
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
