// Forms and buttons that call the REST service, described by attributes:
//   <form data-api="PATCH" action="/v1/…" data-then="refresh|go:/path|close" data-done="text">
//   <button data-api="DELETE" data-path="/v1/…" data-then="…">
//   <button data-open="id of a dialog">  <button data-close>
// In data-then and data-done {name} stands for a field of the answer, {person.name} for one within another.

import { api, ApiError } from "./api.js";
import { refresh } from "./regions.js";
import { toast } from "./toast.js";
import { momentOf } from "./zone.js";

function valueOf(field) {
  if (field.type === "checkbox") return field.checked;
  const text = field.value.trim();
  const kind = field.dataset.type;
  if (kind === "list") return text.split(/[,;\n]/u).map((part) => part.trim()).filter(Boolean);
  if (text === "" && kind) return null;
  if (kind === "number") return Number(text);
  if (kind === "one") return [text];
  if (kind === "time") return momentOf(text).toISOString();
  return text;
}

/** The fields of a form as the body of a request; checkboxes with data-each make a list. */
export function bodyOf(form) {
  const body = {};
  for (const field of form.elements) {
    if (!field.name || field.matches(":disabled") || (field.type === "radio" && !field.checked)) continue;
    if (field.dataset.each) {
      body[field.name] ??= [];
      if (field.checked) body[field.name].push(field.dataset.each === "number" ? Number(field.value) : field.value);
    } else if (field.value.trim() !== "" || field.dataset.empty !== "skip") body[field.name] = valueOf(field);
  }
  return body;
}

/** Say next to a form what was wrong. */
export function showError(place, error) {
  if (!(error instanceof ApiError)) throw error;
  if (!place) {
    toast(error.message, { bad: true });
    return;
  }
  place.replaceChildren(error.message);
}

function fill(template, answer) {
  const field = (path) => path.split(".").reduce((part, name) => part?.[name], answer);
  return template.replace(/\{([\w.]+)\}/g, (whole, path) => field(path) ?? whole);
}

async function after(then, done, answer) {
  if (then?.startsWith("go:")) {
    if (done) sessionStorage.setItem("toast", fill(done, answer));
    location.assign(fill(then.slice(3), answer));
    return;
  }
  if (then === "refresh") await refresh();
  if (done) toast(fill(done, answer));
}

async function busyWhile(button, work) {
  if (button?.getAttribute("aria-busy") === "true") return;
  button?.setAttribute("aria-busy", "true");
  try {
    await work();
  } finally {
    button?.removeAttribute("aria-busy");
  }
}

async function submit(form, button) {
  const place = form.querySelector(".error");
  place?.replaceChildren();
  await busyWhile(button, async () => {
    try {
      const multipart = form.enctype === "multipart/form-data";
      const answer = await api(form.dataset.api, form.getAttribute("action"), multipart ? new FormData(form) : bodyOf(form));
      form.closest("dialog")?.close();
      const taken = new CustomEvent("answered", { detail: answer, bubbles: true, cancelable: true });
      if (form.dispatchEvent(taken)) await after(form.dataset.then, form.dataset.done, answer);
    } catch (error) {
      const refused = new CustomEvent("refused", { detail: error, bubbles: true, cancelable: true });
      if (form.dispatchEvent(refused)) showError(place, error);
    }
  });
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.dataset.api) return;
  event.preventDefault();
  submit(form, event.submitter);
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.open) document.getElementById(button.dataset.open).showModal();
  else if ("close" in button.dataset) button.closest("dialog").close();
  else if (button.dataset.api) {
    busyWhile(button, async () => {
      try {
        const body = button.dataset.body ? JSON.parse(button.dataset.body) : undefined;
        const answer = await api(button.dataset.api, button.dataset.path, body);
        const taken = new CustomEvent("answered", { detail: answer, bubbles: true, cancelable: true });
        if (button.dispatchEvent(taken)) await after(button.dataset.then, button.dataset.done, answer);
      } catch (error) {
        showError(null, error);
      }
    });
  }
});
