// The screen at the door: greets whoever the camera recognises.

import { api, ApiError } from "./api.js";
import { Boxes } from "./boxes.js";
import { Camera, cameraTrouble } from "./camera.js";
import { h } from "./dom.js";
import { Feed } from "./feed.js";
import { locale } from "./locale.js";
import { t } from "./texts.js";

const GREETED = 6000;
const EVERY = 1500;
const SHOWN = 6;

const stage = document.getElementById("stage");
const cover = stage.querySelector(".cover");
const trouble = document.getElementById("camera-trouble");
const greeting = document.getElementById("greeting");
const more = document.getElementById("greeting-more");
const arrived = document.getElementById("arrived");
const { session, camera: source } = document.body.dataset;

const camera = new Camera(stage.querySelector("video"));
const boxes = new Boxes(stage);
const clock = new Intl.DateTimeFormat(locale, { timeStyle: "short" });
let guests = new Map();
let shown = null;
let until = 0;

function say(text, rest) {
  if (greeting.textContent !== text) greeting.textContent = text;
  if (more.textContent !== rest) more.textContent = rest;
}

/** "Welcome, Ann Lee. Table: 5." is said as a heading and a line below it. */
function greet(guest) {
  const cut = guest.greeting.indexOf(". ");
  const [first, rest] = cut < 0 ? [guest.greeting, ""] : [guest.greeting.slice(0, cut + 1), guest.greeting.slice(cut + 2)];
  say(first, rest);
}

function see(faces) {
  const now = performance.now();
  const here = faces.filter((face) => face.state === "named" && guests.has(face.person));
  const next = here.find((face) => face.person === shown) ?? here[0];
  if (next && (next.person === shown || now > until - GREETED / 2)) {
    shown = next.person;
    until = now + GREETED;
    greet(guests.get(shown));
  } else if (now > until) {
    shown = null;
    if (faces.some((face) => face.barred)) say(t("live.not_live"), t("kiosk.not_live_more"));
    else say(t("kiosk.look"), t("kiosk.look_more"));
  }
}

async function round() {
  try {
    const report = await api("GET", `/v1/attendance/${session}`);
    guests = new Map(report.attendees.filter((one) => one.person_id && one.first_seen).map((one) => [one.person_id, one]));
    const latest = [...report.attendees].filter((one) => one.first_seen).sort((a, b) => b.first_seen.localeCompare(a.first_seen));
    arrived.replaceChildren(
      ...latest.slice(0, SHOWN).map((one) => h("li", {}, h("span", { class: "muted" }, clock.format(new Date(one.first_seen))), h("strong", {}, one.name))),
    );
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
  setTimeout(round, EVERY);
}

async function start() {
  try {
    await camera.start();
  } catch (error) {
    trouble.textContent = cameraTrouble(error);
    return;
  }
  stage.classList.toggle("mirrored", camera.facesUser);
  cover.hidden = true;
  const feed = new Feed(camera, source);
  feed.addEventListener("answer", (event) => {
    boxes.show(event.detail);
    see(event.detail.faces);
  });
  feed.start();
  addEventListener("pagehide", () => feed.stop());
}

document.getElementById("start").addEventListener("click", start);
round();
