// The bar after every step that can be undone, whatever it was: what was done, and a button that takes it back.

import { showError } from "./actions.js";
import { api, ApiError } from "./api.js";
import { h, icon } from "./dom.js";
import { refresh } from "./regions.js";
import { t } from "./texts.js";
import { toast } from "./toast.js";

const KEPT = "edit"; // so that the bar is there on the page that a step leads to
const LASTS = 5 * 60_000;

let bar = null;

/** What an edit did, in the page's words. */
function said(edit) {
  const parts = edit.said.map((part) => t(`history.said.${part.key}`, part.names ? { ...part, names: part.names.join(", ") } : part));
  return parts.join(" ") || edit.text;
}

function close() {
  bar?.remove();
  bar = null;
  sessionStorage.removeItem(KEPT);
}

async function undo(id) {
  try {
    await api("POST", `/v1/history/${id}/undo`);
  } catch (error) {
    showError(null, error);
    return;
  }
  close();
  toast(t("history.was_undone"));
  await refresh();
}

async function show(id) {
  let edit;
  try {
    edit = await api("GET", `/v1/history/${id}`);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return;
  }
  bar?.remove();
  if (!edit.can_be_undone) return;
  bar = h(
    "div",
    { class: "toast undo" },
    h("span", { class: "grow" }, said(edit)),
    h("button", { type: "button", class: "small", onclick: () => undo(id) }, t("history.undo")),
    h("button", { type: "button", class: "small quiet only-icon", "aria-label": t("common.close"), onclick: close }, icon("close")),
  );
  document.querySelector(".toasts")?.prepend(bar);
}

document.addEventListener("edited", ({ detail: id }) => {
  sessionStorage.setItem(KEPT, JSON.stringify({ id, until: Date.now() + LASTS }));
  show(id);
});

const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
const isSignedIn = document.querySelector("meta[name=csrf]") !== null;
if (!isSignedIn) close();
else if (kept && kept.until > Date.now()) show(kept.id);
