// An open session is drawn anew while people arrive.

import { refresh } from "./regions.js";

const EVERY = 4000;

async function round() {
  const busy = document.querySelector("dialog[open]");
  if (document.querySelector("[data-open-session]") && !document.hidden && !busy) await refresh().catch(() => undefined);
  setTimeout(round, EVERY);
}

setTimeout(round, EVERY);
