// Pictures to the service by WebSocket, names back. At most two pictures are on their way: a slow network or service
// makes fewer pictures, never old ones.

const ON_THEIR_WAY = 2;
const SIDE = 960;
const QUALITY = 0.8;
const FASTEST = 1000 / 20;
const AGAIN_AFTER = [500, 1000, 2000, 5000];

/** Sends what a camera shows and fires events: "answer" (detail: what the service said), "state" (detail: a word). */
export class Feed extends EventTarget {
  #camera;
  #source;
  #socket = null;
  #underway = new Map();
  #sent = 0;
  #tries = 0;
  #running = false;
  #timer = null;

  constructor(camera, source) {
    super();
    this.#camera = camera;
    this.#source = source;
  }

  start() {
    if (this.#running) return;
    this.#running = true;
    this.#connect();
  }

  stop() {
    this.#running = false;
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#socket = null;
  }

  #say(state) {
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }

  #connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/v1/live/camera?source=${encodeURIComponent(this.#source)}`);
    this.#socket = socket;
    this.#underway.clear();
    this.#sent = 0;
    this.#say("connecting");
    socket.addEventListener("open", () => {
      this.#tries = 0;
      this.#say("open");
      this.#next();
    });
    socket.addEventListener("message", (event) => this.#take(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => this.#lost(socket, event));
  }

  #lost(socket, event) {
    if (!this.#running || socket !== this.#socket) return;
    clearTimeout(this.#timer);
    if (event.code === 4401 || event.code === 4403) {
      location.assign(`/sign-in?next=${encodeURIComponent(location.pathname)}`);
      return;
    }
    this.#say("lost");
    const wait = AGAIN_AFTER[Math.min(this.#tries++, AGAIN_AFTER.length - 1)];
    this.#timer = setTimeout(() => this.#running && this.#connect(), wait);
  }

  async #next() {
    clearTimeout(this.#timer);
    const begun = performance.now();
    const socket = this.#socket;
    if (this.#running && socket?.readyState === WebSocket.OPEN && this.#underway.size < ON_THEIR_WAY && !document.hidden) {
      const picture = await this.#camera.picture(SIDE, QUALITY);
      if (picture && socket === this.#socket && socket.readyState === WebSocket.OPEN) {
        this.#underway.set(++this.#sent, performance.now());
        socket.send(picture);
      }
    }
    if (this.#running && socket === this.#socket) {
      this.#timer = setTimeout(() => this.#next(), Math.max(4, FASTEST - (performance.now() - begun)));
    }
  }

  #take(answer) {
    if (answer.type !== "frame") {
      this.dispatchEvent(new CustomEvent(answer.type, { detail: answer }));
      return;
    }
    const sent = this.#underway.get(answer.frame);
    for (const number of this.#underway.keys()) if (number <= answer.frame) this.#underway.delete(number);
    const detail = { ...answer, delay: sent ? performance.now() - sent : null };
    this.dispatchEvent(new CustomEvent("answer", { detail }));
  }
}
