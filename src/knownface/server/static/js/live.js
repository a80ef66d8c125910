// The live page: the browser's camera, names over its picture, and who is here.

import { Boxes } from "./boxes.js";
import { Camera, cameraTrouble, offerCameras } from "./camera.js";
import { Feed } from "./feed.js";
import { PresentList } from "./present.js";
import { whyRefused } from "./refusals.js";
import { t } from "./texts.js";

const ANNOUNCED = 5000;
// Milliseconds within which a stream reports again who is there.
const FROM_CAMERA = 700;
const FROM_SOURCES = 4500;

const stage = document.getElementById("stage");
const cover = stage.querySelector(".cover");
const trouble = document.getElementById("camera-trouble");
const figures = document.getElementById("figures");
const announcer = document.getElementById("announcer");
const startButton = document.getElementById("start");
const stopButton = document.getElementById("stop");
const mirrorButton = document.getElementById("mirror");
const choice = document.getElementById("camera");

const camera = new Camera(stage.querySelector("video"));
const boxes = new Boxes(stage);
let feed = null;
let session = null;
let latest = null;

function announce(text) {
  const line = document.createElement("p");
  line.textContent = text;
  announcer.append(line);
  setTimeout(() => line.remove(), ANNOUNCED);
}

/** A face from the picture shown now, if it is large enough to be worth it. */
function pictureOf(face) {
  if (!face.box) return face.has_picture ? `/v1/live/sessions/${face.session}/tracks/${face.track}/picture` : null;
  if (!latest || face.box[2] < 24) return null;
  const [x, y, width, height] = face.box;
  const { width: w, height: h } = latest;
  return camera.crop({ x: x / w, y: y / h, width: width / w, height: height / h });
}

const present = new PresentList(document.getElementById("here"), document.getElementById("nobody"), {
  picture: pictureOf,
  threshold: Number(stage.dataset.threshold),
  mayName: "mayName" in stage.dataset,
  announce,
});
document.addEventListener("present", (event) => present.update(event.detail, FROM_SOURCES));

function show(running) {
  cover.hidden = running;
  stopButton.hidden = mirrorButton.hidden = figures.hidden = !running;
  if (!running) {
    choice.closest(".field").hidden = true;
    boxes.clear();
    present.clear();
  }
}

function complain(error) {
  stop();
  trouble.textContent = cameraTrouble(error);
  trouble.hidden = false;
}

function stop() {
  feed?.stop();
  feed = null;
  camera.stop();
  show(false);
  startButton.focus();
}

const STATES = { connecting: "live.connecting", lost: "live.reconnecting", open: "live.looking" };

async function start() {
  trouble.hidden = true;
  startButton.setAttribute("aria-busy", "true");
  try {
    await camera.start();
  } catch (error) {
    complain(error);
    return;
  } finally {
    startButton.removeAttribute("aria-busy");
  }
  setMirror(camera.facesUser);
  show(true);
  await offerCameras(choice, camera, complain);
  feed = new Feed(camera, stage.dataset.source);
  feed.addEventListener("session", (event) => {
    session = event.detail.session;
  });
  feed.addEventListener("state", (event) => {
    figures.textContent = t(STATES[event.detail]);
    if (event.detail === "lost") boxes.clear();
  });
  feed.addEventListener("answer", (event) => {
    latest = event.detail;
    boxes.show(latest);
    present.update(latest.faces.map((face) => ({ ...face, session })), FROM_CAMERA);
    if (latest.delay !== null) figures.textContent = t("live.figures", { count: latest.faces.length, ms: Math.round(latest.delay) });
  });
  feed.addEventListener("problem", (event) => {
    figures.textContent = whyRefused(event.detail);
  });
  feed.start();
  stopButton.focus();
}

function setMirror(on) {
  stage.classList.toggle("mirrored", on);
  mirrorButton.setAttribute("aria-pressed", String(on));
}

startButton.addEventListener("click", start);
stopButton.addEventListener("click", stop);
mirrorButton.addEventListener("click", () => setMirror(!stage.classList.contains("mirrored")));
camera.addEventListener("lost", () => complain({ name: "NotReadableError" }));
addEventListener("pagehide", () => feed?.stop());
