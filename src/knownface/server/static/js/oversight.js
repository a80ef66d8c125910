// Alerts that wait are looked for anew every few seconds.

import { refresh } from "./regions.js";

const EVERY = 4000;

async function round() {
  if (!document.hidden && !document.querySelector(".oversight [aria-busy=true]")) await refresh().catch(() => undefined);
  setTimeout(round, EVERY);
}

setTimeout(round, EVERY);
