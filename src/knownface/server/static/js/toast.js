// Short messages at the edge of the page; screen readers hear them.

import { h } from "./dom.js";

const LASTS = 6000;

/** Say something for a few seconds. */
export function toast(text, { bad = false } = {}) {
  const message = h("div", { class: bad ? "toast bad" : "toast" }, text);
  document.querySelector(".toasts").append(message);
  setTimeout(() => message.remove(), bad ? 2 * LASTS : LASTS);
}
