// Saying who a face is: the form, and the person of a name.

import { showError } from "./actions.js";
import { api } from "./api.js";
import { h } from "./dom.js";
import { t } from "./texts.js";

/** A form that asks who `label` is; `save` gets the name, and its errors are shown. */
export function nameForm(id, label, save) {
  const input = h("input", { id, name: "name", list: "names", required: true, maxlength: 200, autocomplete: "off", placeholder: t("live.who_placeholder") });
  const button = h("button", { class: "primary" }, t("live.save_name"));
  const error = h("p", { class: "error", role: "alert" });
  const form = h("form", { class: "name-form" }, h("label", { for: id, class: "visually-hidden" }, t("live.who_is", { name: label })), h("div", { class: "row" }, input, button), error);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.getAttribute("aria-busy") === "true") return;
    error.replaceChildren();
    button.setAttribute("aria-busy", "true");
    try {
      await save(input.value.trim());
    } catch (problem) {
      showError(error, problem);
    } finally {
      button.removeAttribute("aria-busy");
    }
  });
  return form;
}

/** The person of a name: somebody known, or somebody new. */
export async function personNamed(name) {
  try {
    return await api("POST", "/v1/people", { name });
  } catch (error) {
    if (error.code !== "name-taken") throw error;
    let cursor = "";
    do {
      const page = await api("GET", `/v1/people?limit=200&search=${encodeURIComponent(name)}${cursor}`);
      const found = page.items.find((person) => person.name === name);
      if (found) return found;
      cursor = page.next === null ? null : `&cursor=${encodeURIComponent(page.next)}`;
    } while (cursor !== null);
    throw error;
  }
}
