// Choosing pictures or Unknowns by their boxes, several at once, for the forms that say what becomes of them.
//   <button data-picked>  is there while something is chosen
//   <p data-picked-count="key of a text">  says how many
//   <div data-picked-fields="name">  gets them as fields of this name in its form; a box may stand for several: "3,4"

import { h } from "./dom.js";
import { t } from "./texts.js";

function boxes() {
  return [...document.querySelectorAll("#templates .pick, .unknowns .pick")];
}

function follow() {
  const chosen = [...document.querySelectorAll(".pick:checked")];
  const count = chosen.length;
  const values = chosen.flatMap(({ value }) => value.split(","));
  for (const button of document.querySelectorAll("[data-picked]")) button.disabled = count === 0;
  for (const place of document.querySelectorAll("[data-picked-count]")) place.textContent = t(place.dataset.pickedCount, { count });
  for (const place of document.querySelectorAll("[data-picked-fields]")) {
    place.replaceChildren(
      ...values.map((value) => h("input", { type: "checkbox", name: place.dataset.pickedFields, value, checked: true, "data-each": "number" })),
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
