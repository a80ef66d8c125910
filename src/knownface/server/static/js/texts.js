// The texts of the page, from the one file that the server's templates use too.

import { locale, number } from "./locale.js";

const address = document.querySelector("meta[name=texts]").content;
const texts = await (await fetch(address)).json();
const rules = new Intl.PluralRules(locale);

/** The text of a key such as "people.title", with {placeholders} filled in; `count` is written as a number is. */
export function t(key, values = {}) {
  let found = key.split(".").reduce((at, part) => at?.[part], texts);
  if (found && typeof found === "object") found = found[rules.select(values.count ?? 0)] ?? found.other;
  if (typeof found !== "string") return key;
  const filled = typeof values.count === "number" ? { ...values, count: number(values.count) } : values;
  return found.replace(/\{(\w+)\}/g, (whole, name) => (name in filled ? String(filled[name]) : whole));
}

/** The text of a key, or null where there is none. */
export function textOrNull(key, values) {
  const found = t(key, values);
  return found === key ? null : found;
}
