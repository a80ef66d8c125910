// Cards that wait for a yes or no are decided on by keyboard: N goes to the next, C confirms, R rejects what has the focus.

const KEYS = { c: "confirm", r: "reject" };
const cards = () => [...document.querySelectorAll("[data-decisions] > li")];
let place = 0;

/** Focus the card at a place, or the last one. */
function goTo(wanted) {
  const all = cards();
  place = Math.max(0, Math.min(wanted, all.length - 1));
  all[place]?.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || event.target.closest("input, select, textarea, dialog")) return;
  const key = event.key.toLowerCase();
  const here = cards().findIndex((card) => card.contains(document.activeElement));
  if (key === "n") goTo(here + 1 < cards().length ? here + 1 : 0);
  else if (KEYS[key] && here >= 0) {
    place = here;
    cards()[here].querySelector(`[data-decide=${KEYS[key]}]`).click();
  } else return;
  event.preventDefault();
});

document.addEventListener("refreshed", () => {
  if (document.activeElement === document.getElementById("main")) goTo(place);
});
