// Names of known people are offered while one is typed, in every field with a list of them; those in data-names first.

import { api, ApiError } from "./api.js";
import { h } from "./dom.js";

const OFFERED = 20;
const PAUSE = 150;

let timer = null;
let last = null;

async function offer(field) {
  const text = field.value.trim();
  if (text === last) return;
  last = text;
  let page;
  try {
    page = await api("GET", `/v1/people?limit=${OFFERED}&search=${encodeURIComponent(text)}`);
  } catch (error) {
    if (error instanceof ApiError) return;
    throw error;
  }
  const listed = JSON.parse(field.dataset.names ?? "[]").filter((name) => name.toLowerCase().includes(text.toLowerCase()));
  const names = new Set([...listed.slice(0, OFFERED), ...page.items.map((person) => person.name)]);
  if (text === last) field.list?.replaceChildren(...[...names].map((name) => h("option", { value: name })));
}

for (const kind of ["input", "focusin"]) {
  document.addEventListener(kind, ({ target }) => {
    if (!target.list) return;
    clearTimeout(timer);
    timer = setTimeout(() => offer(target), PAUSE);
  });
}
