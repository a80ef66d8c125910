// A photo with boxes and names drawn on it, as one picture that can be saved; and faces cut out of it.

import { h } from "./dom.js";

const KNOWN = "#0072b2";
const UNKNOWN = "#e69f00";

/** The picture of a file, upright; null where it is of a kind that this browser does not show. */
export function opened(file) {
  return createImageBitmap(file).catch(() => null);
}

function draw(context, { box, name, label }, unit) {
  context.strokeStyle = context.fillStyle = name === null ? UNKNOWN : KNOWN;
  context.lineWidth = unit / 5;
  context.setLineDash(name === null ? [unit / 2, unit / 3] : []);
  context.strokeRect(box.x, box.y, box.width, box.height);
  const width = context.measureText(label).width + unit / 2;
  const left = Math.max(0, Math.min(box.x, context.canvas.width - width));
  const top = box.y > 1.5 * unit ? box.y - 1.5 * unit : box.y + box.height;
  context.fillRect(left, top, width, 1.5 * unit);
  context.fillStyle = name === null ? "#000" : "#fff";
  context.fillText(label, left + unit / 4, top + 1.1 * unit);
}

/** A canvas with a picture and the faces of an answer: {width, height, faces: [{box, name, label}]}. */
export function labelled(title, image, { width, height, faces }) {
  const canvas = h("canvas", { width, height, role: "img", "aria-label": `${title}: ${faces.map((face) => face.label).join(", ")}`, class: "labelled" });
  const context = canvas.getContext("2d");
  if (image) context.drawImage(image, 0, 0, width, height);
  const unit = Math.max(10, 0.026 * Math.max(width, height));
  context.font = `600 ${unit}px system-ui, sans-serif`;
  for (const face of faces) draw(context, face, unit);
  return canvas;
}

/** A face of a picture with some ground around it, as a PNG; the same face cut out again is the same file. */
export function cut(image, { x, y, width, height }, ground) {
  const around = ground * Math.max(width, height);
  const [left, top] = [Math.max(0, Math.floor(x - around)), Math.max(0, Math.floor(y - around))];
  const [right, bottom] = [Math.min(image.width, Math.ceil(x + width + around)), Math.min(image.height, Math.ceil(y + height + around))];
  const canvas = h("canvas", { width: right - left, height: bottom - top });
  canvas.getContext("2d").drawImage(image, -left, -top);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}
