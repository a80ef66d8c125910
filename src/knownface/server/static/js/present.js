// The list of who is present: one row a face, unknown ones with a form that names them.

import { api } from "./api.js";
import { labelOf } from "./boxes.js";
import { face as faceOf, h } from "./dom.js";
import { likeness } from "./likeness.js";
import { nameForm } from "./naming.js";
import { t } from "./texts.js";
import { toast } from "./toast.js";

const STAYS = 5000;
const ID = "name-";

/**
 * Keeps the rows of a list in step with the faces that are reported.
 * Options: picture(face) gives a canvas or address for a row, or null; threshold: the largest distance at which a name is
 * given; mayName: whether the reader may name faces; announce(text) tells screen readers.
 */
export class PresentList {
  #list;
  #empty;
  #options;
  #rows = new Map();

  constructor(list, empty, options) {
    this.#list = list;
    this.#empty = empty;
    this.#options = options;
  }

  clear() {
    this.#rows.clear();
    this.#list.replaceChildren();
    this.#empty.hidden = false;
  }

  /**
   * Take the faces of the moment, {session, track, state, person, name, unknown, distance}; those that have no
   * answer yet are left out. `every`: how many milliseconds may pass until the same stream reports again.
   */
  update(faces, every) {
    const now = performance.now();
    for (const face of faces) {
      if (face.state === "pending") continue;
      const key = face.state === "named" ? `p${face.person}` : `u${face.unknown}`;
      const row = this.#rows.get(key) ?? this.#add(key, face);
      row.face = face;
      row.until = now + every;
      row.item.classList.remove("gone");
      if (!row.pictured) this.#picture(row);
      if (row.distance !== face.distance && face.state === "named") {
        row.distance = face.distance;
        row.about.replaceChildren(likeness(face.distance, this.#options.threshold) ?? "");
      }
    }
    for (const [key, row] of this.#rows) {
      row.item.classList.toggle("gone", now > row.until);
      const typing = row.item.contains(document.activeElement) || row.item.querySelector("input")?.value;
      if (now > row.until + STAYS && !typing) {
        row.item.remove();
        this.#rows.delete(key);
      }
    }
    this.#empty.hidden = this.#rows.size > 0;
  }

  #add(key, face) {
    const label = labelOf(face);
    const name = face.state === "named" ? h("a", { href: `/people/${face.person}` }, label) : label;
    const row = { face, pictured: false, distance: null, square: faceOf(face.name ?? ""), about: h("div") };
    row.item = h("li", {}, row.square, h("div", { class: "grow" }, h("strong", {}, name), row.about));
    if (face.state === "unknown" && this.#options.mayName) row.item.querySelector(".grow").append(this.#form(key, row));
    this.#rows.set(key, row);
    this.#list.append(row.item);
    this.#options.announce?.(t(face.state === "named" ? "live.arrived" : "live.arrived_unknown", { name: label }));
    return row;
  }

  #picture(row) {
    const picture = this.#options.picture(row.face);
    if (!picture) return;
    row.pictured = true;
    const fresh = faceOf(row.face.name ?? "", picture);
    row.square.replaceWith(fresh);
    row.square = fresh;
  }

  #form(key, row) {
    return nameForm(ID + key, labelOf(row.face), async (name) => {
      const done = await api("POST", `/v1/live/sessions/${row.face.session}/tracks/${row.face.track}/name`, { name });
      toast(t("live.named", { name: done.person.name, count: done.enrolled }));
      row.item.remove();
      this.#rows.delete(key);
    });
  }
}
