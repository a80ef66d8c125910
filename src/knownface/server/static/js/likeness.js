// A distance for people: a word, a bar whose middle is the threshold, and the number. _parts.html has the same.

import { h } from "./dom.js";
import { number } from "./locale.js";
import { t } from "./texts.js";

const SURE = 0.75;
const ALMOST = 1.15;

/** How alike two faces are at a distance, as a key of the texts. */
function wordOf(share) {
  if (share <= SURE) return "very";
  if (share <= 1) return "alike";
  return share <= ALMOST ? "almost" : "not";
}

/** The word, the bar and the number of a distance; null where there is no distance. */
export function likeness(distance, threshold) {
  if (distance === null || !Number.isFinite(distance)) return null;
  const share = threshold > 0 ? distance / threshold : 2;
  const word = t(`likeness.${wordOf(share)}`);
  const title = t("likeness.title", { distance: number(distance, 2), threshold: number(threshold, 2) });
  const bar = h("meter", { min: 0, max: 1, low: 1 - ALMOST / 2, high: 0.5, optimum: 1, value: Math.max(0, 1 - share / 2).toFixed(3), "aria-label": title });
  return h("span", { class: "likeness", title }, h("span", {}, word), h("span", { class: "bar" }, bar), h("small", {}, number(distance, 2)));
}
