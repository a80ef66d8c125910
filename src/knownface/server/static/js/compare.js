// Two photos: the same person or not, how near, and what the threshold is.

import { api, ApiError } from "./api.js";
import { h } from "./dom.js";
import { takeFiles, takePasted } from "./filedrop.js";
import { likeness } from "./likeness.js";
import { number } from "./locale.js";
import { t } from "./texts.js";

const sides = ["first", "second"];
const files = new Map();
const trouble = document.getElementById("trouble");
const answer = document.getElementById("answer");
const threshold = Number(document.getElementById("compare").dataset.threshold);

function show({ same, distance, threshold: inForce, liveness }) {
  const verdict = h("h2", {}, t(same ? "compare.same" : "compare.different"));
  const alive = liveness && h("p", { class: "hint" }, t(liveness.live ? "identify.alive" : "identify.not_alive"));
  const limit = inForce ?? threshold;
  const barred = same !== (distance <= limit); // for a face that does not look alive, which is told anyhow
  const why = barred ? null : h("p", { class: "hint" }, t(same ? "compare.within" : "compare.beyond", { threshold: number(limit, 2) }));
  answer.replaceChildren(...[verdict, likeness(distance, limit), why, alive].filter(Boolean));
  answer.className = `card verdict ${same ? "good" : "bad"}`;
  answer.hidden = false;
}

async function compare() {
  trouble.replaceChildren();
  answer.hidden = true;
  if (files.size < 2) return;
  const body = new FormData();
  body.append("picture", files.get("first"), files.get("first").name);
  body.append("other", files.get("second"), files.get("second").name);
  answer.replaceChildren(t("pictures.looking"));
  answer.className = "card";
  answer.hidden = false;
  try {
    show(await api("POST", "/v1/verify", body));
  } catch (error) {
    answer.hidden = true;
    if (!(error instanceof ApiError)) throw error;
    trouble.replaceChildren(error.message);
  }
}

function take(side, file) {
  if (!file) return;
  files.set(side, file);
  const address = URL.createObjectURL(file);
  const picture = h("img", { src: address, alt: `${t(`compare.${side}`)}: ${file.name}` });
  picture.addEventListener("load", () => URL.revokeObjectURL(address));
  picture.addEventListener("error", () => picture.remove());
  document.getElementById(`${side}-picture`).replaceChildren(picture, h("p", { class: "hint" }, file.name));
  compare();
}

for (const side of sides) {
  takeFiles(document.getElementById(side), document.getElementById(`${side}-files`), ([file, second]) => {
    take(side, file);
    if (second) take(sides.find((other) => other !== side), second);
  });
}
takePasted(([file]) => take(files.has("first") && !files.has("second") ? "second" : "first", file));
