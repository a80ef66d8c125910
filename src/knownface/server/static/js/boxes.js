// Boxes and names over a picture. The picture may be letterboxed and mirrored.

import { h } from "./dom.js";
import { t } from "./texts.js";

/** What users read of a face. */
export function labelOf(face) {
  if (face.barred) return t("live.not_live");
  if (face.state === "named") return face.name;
  return face.state === "unknown" ? t("live.unknown", { number: face.unknown }) : "";
}

/** Where a picture of some size lies within the element that shows it. */
function placed(element, width, height) {
  const scale = Math.min(element.clientWidth / width, element.clientHeight / height);
  return { scale, left: (element.clientWidth - width * scale) / 2, top: (element.clientHeight - height * scale) / 2 };
}

/** Keeps one element a track in a list over a stage. */
export class Boxes {
  #list;
  #stage;
  #of = new Map();

  constructor(stage) {
    this.#stage = stage;
    this.#list = stage.querySelector(".boxes");
  }

  clear() {
    this.#of.clear();
    this.#list.replaceChildren();
  }

  /** Show the faces of an answer: {width, height, faces: [{track, box, state, name, unknown}]}. */
  show({ width, height, faces }) {
    const mirrored = this.#stage.classList.contains("mirrored");
    const { scale, left, top } = placed(this.#stage, width, height);
    const seen = new Set();
    for (const face of faces) {
      seen.add(face.track);
      let item = this.#of.get(face.track);
      if (!item) {
        item = h("li", {}, h("span"));
        this.#of.set(face.track, item);
        this.#list.append(item);
      }
      const [x, y, w, tall] = face.box;
      const at = left + scale * (mirrored ? width - x - w : x);
      item.className = face.state;
      item.classList.toggle("below", top + scale * y < 28);
      item.style.transform = `translate(${at}px, ${top + scale * y}px)`;
      item.style.width = `${scale * w}px`;
      item.style.height = `${scale * tall}px`;
      item.firstChild.textContent = labelOf(face);
      item.classList.toggle("leftwards", at + item.firstChild.offsetWidth > this.#stage.clientWidth);
    }
    for (const [track, item] of this.#of) {
      if (!seen.has(track)) {
        item.remove();
        this.#of.delete(track);
      }
    }
  }
}
