// The screen at the door: greets whoever the camera recognises. It goes on by itself, whatever happened meanwhile.

import { api, ApiError } from "./api.js";
import { Boxes } from "./boxes.js";
import { Camera, cameraTrouble, offerCameras } from "./camera.js";
import { h } from "./dom.js";
import { Feed } from "./feed.js";
import { locale } from "./locale.js";
import { t } from "./texts.js";
import { zone } from "./zone.js";

const GREETED = 6000;
const EVERY = 1500;
const SHOWN = 6;
const FAR = 0.09; // a face's share of the picture's breadth
const PATIENCE = 4000;

const stage = document.getElementById("stage");
const cover = stage.querySelector(".cover");
const trouble = document.getElementById("camera-trouble");
const greeting = document.getElementById("greeting");
const more = document.getElementById("greeting-more");
const arrived = document.getElementById("arrived");
const title = document.getElementById("session-name");
const settings = document.getElementById("kiosk-settings");
const { kiosk, source } = document.body.dataset;

const camera = new Camera(stage.querySelector("video"));
const feed = new Feed(camera, source);
const boxes = new Boxes(stage);
const clock = new Intl.DateTimeFormat(locale, { timeStyle: "short", timeZone: zone });
let guests = new Map();
let shown = null;
let until = 0;
let over = false;
let waiting = null;

function say(text, rest) {
  if (greeting.textContent !== text) greeting.textContent = text;
  greeting.classList.toggle("long", /[^ ]{17}/u.test(text));
  if (more.textContent !== rest) more.textContent = rest;
}

/** "Welcome, Ann Lee." is said as a heading, what else the list says as a line below it. */
function greet({ name, facts, listed }) {
  const told = Object.entries(facts).map(([column, text]) => `${column[0].toLocaleUpperCase(locale)}${column.slice(1)}: ${text}`);
  const onOneLine = name.replaceAll(" ", "\u00a0");
  say(t("kiosk.welcome", { name: onOneLine }), [...told, listed ? "" : t("kiosk.not_listed")].filter(Boolean).join(" · "));
}

/** What keeps somebody from being recognised, if that can be told: it is said below the usual words. */
function hint(nearest, width) {
  if (camera.isDark) return t("kiosk.too_dark");
  if (!nearest) return t("kiosk.look_more");
  if (nearest.box[2] < FAR * width) return t("kiosk.too_far");
  if (nearest.state === "named") waiting = null;
  else waiting ??= { track: nearest.track, since: performance.now() };
  if (waiting && waiting.track !== nearest.track) waiting = null;
  if (waiting && nearest.covered) return t("kiosk.uncover");
  return waiting && performance.now() - waiting.since > PATIENCE ? t("kiosk.look_straight") : t("kiosk.look_more");
}

/** What the nearest face is asked to do, before it gets a name. */
function ask({ side, state }) {
  if (state === "asked") say(t(`kiosk.turn_${side}`), t("kiosk.turn_more"));
  else if (state === "failed") say(t("kiosk.turn_failed"), t("kiosk.turn_again"));
  else say(t("kiosk.look"), t("kiosk.look_more"));
}

function see(faces, width) {
  const nearest = faces.toSorted((a, b) => b.box[2] - a.box[2])[0];
  const now = performance.now();
  const here = faces.filter((face) => face.state === "named" && guests.has(face.person));
  const next = here.find((face) => face.person === shown) ?? here[0];
  if (next && (next.person === shown || now > until - GREETED / 2)) {
    shown = next.person;
    until = now + GREETED;
    greet(guests.get(shown));
  } else if (now > until) {
    shown = null;
    if (nearest?.challenge && nearest.challenge.state !== "passed") ask(nearest.challenge);
    else if (faces.some((face) => face.barred)) say(t("live.not_live"), t("kiosk.not_live_more"));
    else say(t("kiosk.look"), hint(nearest, width));
  }
}

/** Nobody is looked at before the session is known to go on, nor once it is over. */
function goOn(open) {
  over = !open;
  if (over) {
    say(t("kiosk.over"), t("kiosk.over_more"));
    feed.stop();
  } else if (camera.running) feed.start();
}

async function round() {
  try {
    const screen = await api("GET", "/v1/kiosk");
    if (String(screen.kiosk) !== kiosk) {
      location.reload(); // it was set up for another session
      return;
    }
    title.textContent = screen.name;
    guests = new Map(screen.arrived.filter((one) => one.person_id).map((one) => [one.person_id, one]));
    arrived.replaceChildren(
      ...screen.arrived.slice(0, SHOWN).map((one) => h("li", {}, h("span", { class: "muted" }, clock.format(new Date(one.first_seen))), h("strong", {}, one.name))),
    );
    if (over === screen.is_open) goOn(screen.is_open);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 404 && !over) goOn(false);
  }
  setTimeout(round, EVERY);
}

async function start() {
  try {
    await camera.start();
  } catch (error) {
    cover.hidden = false;
    trouble.textContent = cameraTrouble(error);
    return;
  }
  stage.classList.toggle("mirrored", camera.facesUser);
  cover.hidden = true;
  if (!over) feed.start();
}

feed.addEventListener("answer", (event) => {
  boxes.show(event.detail);
  if (!over) see(event.detail.faces, event.detail.width);
});
camera.addEventListener("lost", start);
addEventListener("pagehide", () => feed.stop());
document.getElementById("start").addEventListener("click", start);
document.querySelector("[data-open=kiosk-settings]").addEventListener("click", () =>
  offerCameras(document.getElementById("camera"), camera, (error) => {
    trouble.textContent = cameraTrouble(error);
    cover.hidden = false;
  }),
);
settings.addEventListener("close", () => settings.querySelector("form").reset());

if (location.hash) history.replaceState(null, "", location.pathname); // a printed address, with its key, was opened again
const allowed = await navigator.permissions?.query({ name: "camera" }).catch(() => null);
if (allowed?.state === "granted") start(); // as after a power cut, with nobody there to touch the screen
round();
