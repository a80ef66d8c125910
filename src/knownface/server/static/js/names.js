// Names of known people are offered while one is typed, in every field with a list of them; first those of the
// list at the address in data-names.

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
  const query = `limit=${OFFERED}&search=${encodeURIComponent(text)}`;
  let listed;
  let page;
  try {
    [listed, page] = await Promise.all([field.dataset.names ? api("GET", `${field.dataset.names}?${query}`) : [], api("GET", `/v1/people?${query}`)]);
  } catch (error) {
    if (error instanceof ApiError) return;
    throw error;
  }
  const names = new Set([...listed, ...page.items.map((person) => person.name)]);
  if (text === last) field.list?.replaceChildren(...[...names].map((name) => h("option", { value: name })));
}

for (const kind of ["input", "focusin"]) {
  document.addEventListener(kind, ({ target }) => {
    if (!target.list) return;
    clearTimeout(timer);
    timer = setTimeout(() => offer(target), PAUSE);
  });
}
