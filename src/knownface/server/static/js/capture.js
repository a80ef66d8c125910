// Guided capture: the camera's pictures are reviewed as they come, and taken when the head is where it should be.

import { api } from "./api.js";
import { Camera, cameraTrouble, offerCameras } from "./camera.js";
import { whyRefused } from "./refusals.js";
import { t } from "./texts.js";

const SIDE = 1280;
const QUALITY = 0.92;
const PAUSE = 250;
const PATIENCE = 4000;
const STEPS = ["ahead", "left", "right"];
// How far the nose lies off the middle of the eyes, in eye distances; positive when people turn to their own left.
const AHEAD = 0.09;
const TURNED = [0.12, 0.45];

/** Where a head points, or null where the detector gives no landmarks. */
export function turnOf(face) {
  if (!face?.landmarks) return null;
  const [left, right, nose] = face.landmarks;
  const eyes = [right[0] - left[0], right[1] - left[1]];
  const along = ((nose[0] - left[0]) * eyes[0] + (nose[1] - left[1]) * eyes[1]) / (eyes[0] ** 2 + eyes[1] ** 2);
  return along - 0.5;
}

function fits(step, turn) {
  if (step === "ahead") return Math.abs(turn) <= AHEAD;
  const own = step === "left" ? turn : -turn;
  return own >= TURNED[0] && own <= TURNED[1];
}

/** What to advise somebody whose picture was reviewed; `unseen`: for how many milliseconds no face has been found. */
export function adviceFor(review, step, { isDark, unseen }) {
  const problem = review.problem;
  if (problem?.code === "no-face") {
    if (isDark) return t("problems.too-dark");
    if (unseen > PATIENCE) return t("capture.uncover");
  }
  if (problem) return whyRefused(problem);
  const face = review.faces.find((one) => one.chosen);
  const turn = turnOf(face);
  if (step === "ahead" && face?.covered) return t("kiosk.uncover");
  if (turn === null) return t("capture.by_hand");
  if (fits(step, turn)) return t("capture.hold");
  return t(`capture.do.${step}`);
}

/** The capture panel; calls onPicture(blob) for each picture taken. */
export class Capture {
  #panel = document.getElementById("capture");
  #stage = document.getElementById("capture-stage");
  #guide = document.getElementById("guide");
  #advice = document.getElementById("advice");
  #steps = document.getElementById("steps");
  #choice = document.getElementById("capture-camera");
  #camera = new Camera(this.#stage.querySelector("video"));
  #done = new Set();
  #onPicture;
  #round = 0;
  #steady = 0;
  #unseenSince = null;

  constructor(onPicture) {
    this.#onPicture = onPicture;
    document.getElementById("open-capture").addEventListener("click", () => this.open());
    document.getElementById("close-capture").addEventListener("click", () => this.close());
    document.getElementById("shoot").addEventListener("click", () => this.#shoot());
    document.getElementById("skip-step").addEventListener("click", () => this.#finish(this.#step));
    this.#camera.addEventListener("lost", () => this.#say(t("camera.lost")));
    addEventListener("pagehide", () => this.close());
  }

  get #step() {
    return STEPS.find((step) => !this.#done.has(step)) ?? null;
  }

  #say(text) {
    if (this.#advice.textContent !== text) this.#advice.textContent = text;
  }

  async open() {
    this.#panel.hidden = false;
    document.getElementById("drop").hidden = true;
    this.#done.clear();
    this.#draw();
    this.#say(t("capture.starting"));
    this.#panel.scrollIntoView({ block: "nearest" });
    try {
      await this.#camera.start();
    } catch (error) {
      this.#say(cameraTrouble(error));
      return;
    }
    this.#stage.classList.toggle("mirrored", this.#camera.facesUser);
    await offerCameras(this.#choice, this.#camera, (error) => this.#say(cameraTrouble(error)));
    this.#watch(++this.#round);
  }

  close() {
    this.#round++;
    this.#camera.stop();
    this.#panel.hidden = true;
    document.getElementById("drop").hidden = false;
  }

  #draw() {
    for (const item of this.#steps.children) {
      const step = item.dataset.step;
      item.classList.toggle("done", this.#done.has(step));
      if (step === this.#step) item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
    }
  }

  async #watch(round) {
    while (round === this.#round && this.#step) {
      const picture = await this.#camera.picture(SIDE, QUALITY);
      if (picture) await this.#judge(picture, round);
      await new Promise((go) => setTimeout(go, PAUSE));
    }
  }

  async #judge(picture, round) {
    const form = new FormData();
    form.append("picture", picture, "camera.jpg");
    const person = document.getElementById("pictures").dataset.person;
    if (person) form.append("person_id", person);
    let review;
    try {
      review = await api("POST", "/v1/review", form);
    } catch (error) {
      this.#say(error.message);
      return;
    }
    const step = this.#step;
    if (round !== this.#round || !step) return;
    const now = performance.now();
    this.#unseenSince = review.problem?.code === "no-face" ? (this.#unseenSince ?? now) : null;
    this.#say(adviceFor(review, step, { isDark: this.#camera.isDark, unseen: now - (this.#unseenSince ?? now) }));
    const face = review.faces.find((one) => one.chosen);
    const turn = review.problem ? null : turnOf(face);
    const good = turn !== null && fits(step, turn) && !(step === "ahead" && face.covered);
    this.#guide.classList.toggle("ready", good);
    this.#steady = good ? this.#steady + 1 : 0;
    if (this.#steady >= 2) this.#take(picture, step);
  }

  async #shoot() {
    const picture = await this.#camera.picture(SIDE, QUALITY);
    if (picture) this.#take(picture, this.#step ?? "ahead");
  }

  #take(picture, step) {
    this.#onPicture(new File([picture], `${t("capture.file")} ${t(`capture.steps.${step}`)}.jpg`, { type: "image/jpeg" }));
    this.#finish(step);
  }

  #finish(step) {
    this.#steady = 0;
    this.#guide.classList.remove("ready");
    this.#done.add(step);
    this.#draw();
    if (!this.#step) this.close();
  }
}
