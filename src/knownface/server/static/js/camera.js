// The browser's camera: choosing one, starting and stopping it, taking pictures.

import { t } from "./texts.js";

const CHOSEN = "camera";
const DARK = 0.15;

/** Why there is no camera, in a sentence for people. */
export function cameraTrouble(error) {
  if (!navigator.mediaDevices) return t("camera.insecure");
  const known = { NotAllowedError: "refused", NotFoundError: "none", NotReadableError: "in_use", OverconstrainedError: "none" };
  return t(`camera.${known[error?.name] ?? "failed"}`, { reason: error?.message ?? "" });
}

/** One camera shown in a <video>. */
export class Camera extends EventTarget {
  #video;
  #stream = null;
  #canvas = document.createElement("canvas");
  #glance = document.createElement("canvas");

  constructor(video) {
    super();
    this.#video = video;
  }

  get running() {
    return this.#stream !== null;
  }

  get video() {
    return this.#video;
  }

  /** Whether the picture is usually shown as in a mirror: every camera but a phone's rear one. */
  get facesUser() {
    return this.#stream?.getVideoTracks()[0]?.getSettings().facingMode !== "environment";
  }

  /** The id of the camera in use. */
  get device() {
    return this.#stream?.getVideoTracks()[0]?.getSettings().deviceId ?? null;
  }

  /** Start a camera: the one of this id, else the one used last, else any. */
  async start(device = null) {
    if (!navigator.mediaDevices) throw new Error(t("camera.insecure"));
    this.stop();
    const wanted = device ?? localStorage.getItem(CHOSEN);
    const size = { width: { ideal: 1280 }, height: { ideal: 720 } };
    const asked = wanted ? { ...size, deviceId: { [device ? "exact" : "ideal"]: wanted } } : { ...size, facingMode: "user" };
    this.#stream = await navigator.mediaDevices.getUserMedia({ video: asked, audio: false });
    if (device) localStorage.setItem(CHOSEN, device);
    this.#stream.getVideoTracks()[0].addEventListener("ended", () => {
      this.stop();
      this.dispatchEvent(new Event("lost"));
    });
    this.#video.srcObject = this.#stream;
    await this.#video.play();
  }

  stop() {
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#stream = null;
    this.#video.srcObject = null;
  }

  /** The cameras there are; they have names once one has been allowed. */
  async devices() {
    const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    return all.filter((device) => device.kind === "videoinput" && device.deviceId);
  }

  /** What the camera shows now, as JPEG whose longer side is at most `side`; null before the first picture. */
  async picture(side, quality) {
    const { videoWidth: width, videoHeight: height } = this.#video;
    if (!width || !height) return null;
    const scale = Math.min(1, side / Math.max(width, height));
    this.#canvas.width = Math.round(width * scale);
    this.#canvas.height = Math.round(height * scale);
    this.#canvas.getContext("2d", { alpha: false }).drawImage(this.#video, 0, 0, this.#canvas.width, this.#canvas.height);
    return new Promise((done) => this.#canvas.toBlob(done, "image/jpeg", quality));
  }

  /** Whether what the camera shows is too dark for faces to be seen. */
  get isDark() {
    return (this.#brightness() ?? 1) < DARK;
  }

  /** How bright it is, 0 to 1; null before the first picture. */
  #brightness() {
    if (!this.#video.videoWidth) return null;
    const [width, height] = [32, 24];
    this.#glance.width = width;
    this.#glance.height = height;
    const context = this.#glance.getContext("2d", { willReadFrequently: true });
    context.drawImage(this.#video, 0, 0, width, height);
    const { data } = context.getImageData(0, 0, width, height);
    let sum = 0;
    for (let i = 0; i < data.length; i += 4) sum += 0.299 * data[i] + 0.587 * data[i + 1] + 0.114 * data[i + 2];
    return sum / (255 * width * height);
  }

  /** A small canvas with a face; the box as shares of the picture's width and height. */
  crop({ x, y, width, height }, side = 96) {
    const { videoWidth: w, videoHeight: h } = this.#video;
    const half = 0.75 * Math.max(width * w, height * h);
    const middle = { x: (x + width / 2) * w, y: (y + height / 2) * h };
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = side;
    canvas.getContext("2d").drawImage(this.#video, middle.x - half, middle.y - half, 2 * half, 2 * half, 0, 0, side, side);
    return canvas;
  }
}

/** Fill a <select> with the cameras; another choice starts that camera. */
export async function offerCameras(select, camera, onTrouble) {
  const list = await camera.devices();
  select.replaceChildren(
    ...list.map((device, number) => new Option(device.label || t("camera.numbered", { number: number + 1 }), device.deviceId)),
  );
  select.value = camera.device ?? "";
  select.closest(".field").hidden = list.length < 2;
  select.onchange = () => camera.start(select.value).catch(onTrouble);
}
