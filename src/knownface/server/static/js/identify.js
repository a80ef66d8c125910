// Photos are looked at one after the other; who is on each is drawn and told with reasons, and the unknown can be named.

import { showError } from "./actions.js";
import { api, ApiError } from "./api.js";
import { face as square, h } from "./dom.js";
import { takeFiles, takePasted } from "./filedrop.js";
import { cut, labelled, opened } from "./labelled.js";
import { likeness } from "./likeness.js";
import { nameForm, personNamed } from "./naming.js";
import { number } from "./locale.js";
import { isDoubtful } from "./refusals.js";
import { t } from "./texts.js";
import { toast } from "./toast.js";
import { isVideo, watch } from "./videos.js";

const FACE_SIDE = 160;
const GROUND = 0.6; // around a face that is learnt, as a share of its size
const page = document.getElementById("identify");
const threshold = Number(page.dataset.threshold);
const mayName = "mayName" in page.dataset;
const trouble = document.getElementById("trouble");
const list = document.getElementById("looked");
const shown = [];
let forms = 0;

function formOf(file) {
  const body = new FormData();
  body.append("picture", file, file.name);
  return body;
}

/** Whom a face was compared with, nearest first. */
function candidates(found) {
  if (!found.length) return null;
  const rows = found.map((one) =>
    h("li", {}, square(one.name ?? "", `/v1/people/${one.person_id}/picture`), h("div", { class: "grow" }, h("a", { href: `/people/${one.person_id}` }, one.name ?? t("identify.gone")), likeness(one.distance, threshold))),
  );
  for (const picture of rows.flatMap((row) => [...row.querySelectorAll("img")])) picture.addEventListener("error", () => picture.remove());
  return h("details", {}, h("summary", {}, t("identify.candidates", { count: found.length })), h("ul", { class: "rows" }, ...rows));
}

function chips({ quality, liveness }) {
  const level = quality.score < 0.25 ? "poor" : quality.score < 0.5 ? "fair" : "good";
  const look = h("span", { class: `chip ${{ poor: "bad", fair: "warn", good: "" }[level]}`, title: t("person.quality", { percent: Math.round(100 * quality.score) }) }, t(`identify.quality.${level}`));
  const alive = liveness && h("span", { class: `chip ${liveness.live ? "good" : "bad"}` }, t(liveness.live ? "identify.alive" : "identify.not_alive"));
  return h("span", { class: "actions" }, look, alive);
}

/** Which share of strangers is as near to somebody, where the setting asks for it. */
function asNear(accuracy) {
  const share = accuracy?.strangers_as_near ?? null;
  return share === null ? null : h("p", { class: "hint accuracy" }, t("accuracy.as_near", { percent: number(100 * share, share < 0.001 ? 2 : share < 0.01 ? 1 : 0) }));
}

/** Learn a face of a photo as somebody; what the review holds against it is an error or told. */
async function learn(entry, face, name) {
  const picture = entry.image ? await cut(entry.image, face.box, GROUND) : entry.file;
  const { problem } = await api("POST", "/v1/review", formOf(picture));
  if (problem && !isDoubtful(problem)) throw new ApiError(422, problem);
  const person = await personNamed(name);
  const body = new FormData();
  body.append("pictures", picture, entry.file.name);
  const [done] = (await api("POST", `/v1/people/${person.id}/templates`, body)).pictures;
  if (done.status === "refused") throw new ApiError(422, done);
  toast(done.status === "held" ? t("identify.held", { name: person.name }) : t("identify.learnt", { name: person.name }));
  for (const other of shown) await look(other);
}

function row(entry, face, number) {
  const label = face.name ?? t("attendance.unknown_face");
  const name = face.name === null ? label : h("a", { href: `/people/${face.person_id}` }, face.name);
  const about = h("div", { class: "grow" }, h("div", { class: "split" }, h("strong", {}, entry.numbered ? `${number}. ` : "", name), chips(face)));
  about.append(...[likeness(face.distance, threshold), asNear(face.accuracy), h("p", { class: "hint" }, t(`identify.reasons.${face.reason.replaceAll(" ", "_")}`)), candidates(face.candidates)].filter(Boolean));
  const single = entry.image || !entry.numbered;
  if (face.name === null && mayName && single && face.reason !== "not live") {
    about.append(nameForm(`who-${++forms}`, `${label} ${number}`, (typed) => learn(entry, face, typed)));
  }
  const crop = h("canvas", { width: FACE_SIDE, height: FACE_SIDE });
  if (entry.image) {
    const { x, y, width, height } = face.box;
    const side = Math.max(width, height);
    crop.getContext("2d").drawImage(entry.image, x + (width - side) / 2, y + (height - side) / 2, side, side, 0, 0, FACE_SIDE, FACE_SIDE);
  }
  return h("li", {}, square(face.name ?? "", entry.image ? crop : null), about);
}

async function look(entry) {
  let answer;
  try {
    answer = await api("POST", "/v1/identify", formOf(entry.file));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    entry.item.replaceChildren(h("h2", {}, entry.file.name), h("p", { class: "error" }, error.message));
    return;
  }
  entry.image ??= await opened(entry.file);
  const { faces } = answer;
  entry.numbered = faces.length > 1;
  const drawn = faces.map((face, index) => ({ ...face, label: `${entry.numbered ? `${index + 1} ` : ""}${face.name ?? t("attendance.unknown_face")}` }));
  const told = faces.length ? h("ul", { class: "rows found" }, ...faces.map((face, index) => row(entry, face, index + 1))) : h("p", { class: "muted" }, t("identify.no_face"));
  entry.item.replaceChildren(
    h("div", { class: "split" }, h("h2", {}, entry.file.name), h("span", { class: "chip" }, t("identify.faces", { count: faces.length }))),
    h("div", { class: "two" }, labelled(entry.file.name, entry.image, { ...answer, faces: drawn }), told),
  );
}

async function take(files) {
  trouble.replaceChildren();
  for (const file of files.filter(isVideo)) list.prepend(watch(file));
  const entryOf = (file) => ({ file, image: null, numbered: false, item: h("article", { class: "card" }, h("h2", {}, file.name), h("p", { class: "muted" }, t("pictures.looking"))) });
  const fresh = files.filter((file) => !isVideo(file)).map(entryOf);
  shown.unshift(...fresh);
  list.prepend(...fresh.map((entry) => entry.item));
  try {
    for (const entry of fresh) await look(entry);
  } catch (error) {
    showError(trouble, error);
  }
}

takeFiles(document.getElementById("drop"), document.getElementById("drop-files"), take);
takePasted(take);
