// Choosing pictures by their boxes, several at once, for the dialogs that move or delete them.
//   <button data-picked>  is there while something is chosen
//   <p data-picked-count="key of a text">  says how many
//   <div data-picked-fields>  gets them as fields of its form

import { h } from "./dom.js";
import { t } from "./texts.js";

function boxes() {
  return [...document.querySelectorAll("#templates .pick")];
}

function follow() {
  const chosen = [...document.querySelectorAll(".pick:checked")];
  const count = chosen.length;
  for (const button of document.querySelectorAll("[data-picked]")) button.disabled = count === 0;
  for (const place of document.querySelectorAll("[data-picked-count]")) place.textContent = t(place.dataset.pickedCount, { count });
  for (const place of document.querySelectorAll("[data-picked-fields]")) {
    place.replaceChildren(
      ...chosen.map(({ value }) => h("input", { type: "checkbox", name: "templates", value, checked: true, "data-each": "number" })),
    );
  }
}

document.addEventListener("change", (event) => event.target.matches(".pick") && follow());
document.addEventListener("click", (event) => {
  if (!event.target.closest("#pick-all")) return;
  const all = boxes().every((box) => box.checked);
  for (const box of boxes()) box.checked = !all;
  follow();
});
document.addEventListener("refreshed", follow);
follow();
