// The sources that the service watches: what they show and how they go.

import { api, ApiError } from "./api.js";
import { whyRefused } from "./refusals.js";
import { t } from "./texts.js";

const STATUS_EVERY = 2000;
const PICTURE_EVERY = 150;
const AFTER_TROUBLE = 1500;

const CHIPS = { running: "good", reconnecting: "warn", connecting: "warn", failed: "bad" };

function cards() {
  return [...document.querySelectorAll("[data-source][data-running]")].filter((card) => card.matches("li"));
}

/** Ask for one picture after another, as long as the card is there and seen. */
async function show(card) {
  if (card.dataset.showing) return;
  card.dataset.showing = "yes";
  const picture = card.querySelector("img.feed");
  while (card.isConnected) {
    let wait = PICTURE_EVERY;
    if (!document.hidden && card.checkVisibility?.() !== false) {
      const answer = await fetch(`/v1/live/sources/${card.dataset.source}/preview`).catch(() => null);
      if (answer?.ok) {
        const address = URL.createObjectURL(await answer.blob());
        const old = picture.src;
        picture.src = address;
        if (old) URL.revokeObjectURL(old);
        picture.hidden = false;
        card.querySelector(".cover").hidden = true;
      } else wait = AFTER_TROUBLE;
    }
    await new Promise((go) => setTimeout(go, wait));
  }
}

function showStatus(card, status) {
  const chip = card.querySelector("[data-state]");
  const state = status?.state ?? "off";
  chip.className = `chip ${CHIPS[state] ?? ""}`;
  chip.textContent = t(`sources.states.${state}`);
  const doubt = state === "running" && status.doubt ? t(`sources.doubts.${status.doubt}`) : "";
  const failing = ["failed", "reconnecting"].includes(state) && status.last_error;
  card.querySelector("[data-trouble]").textContent = failing ? whyRefused({ code: status.error_code, message: failing }) : doubt;
}

async function round() {
  const there = cards();
  there.forEach(show);
  if (there.length && !document.hidden) {
    try {
      const list = await api("GET", "/v1/live/sources");
      for (const source of list) {
        const card = there.find((one) => one.dataset.source === String(source.id));
        if (card) showStatus(card, source.status);
      }
      const { faces } = await api("GET", "/v1/live/present");
      document.dispatchEvent(new CustomEvent("present", { detail: faces.filter((face) => face.session.startsWith("source-")) }));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }
  setTimeout(round, STATUS_EVERY);
}

round();
