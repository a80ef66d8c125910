// A photo with boxes and names drawn on it, as one picture that can be saved.

import { h } from "./dom.js";
import { t } from "./texts.js";

const KNOWN = "#0072b2";
const UNKNOWN = "#e69f00";

function draw(context, { box, name }, unit) {
  const label = name ?? t("attendance.unknown_face");
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

/** A canvas with the photo and the faces of an answer: {width, height, faces: [{box, name}]}. */
export async function labelled(file, { width, height, faces }) {
  const names = faces.map((face) => face.name ?? t("attendance.unknown_face")).join(", ");
  const canvas = h("canvas", { width, height, role: "img", "aria-label": `${file.name}: ${names}`, class: "labelled" });
  const context = canvas.getContext("2d");
  const image = await createImageBitmap(file).catch(() => null); // a kind of file that this browser does not show
  if (image) context.drawImage(image, 0, 0, width, height);
  const unit = Math.max(10, 0.024 * Math.min(width, height));
  context.font = `600 ${unit}px system-ui, sans-serif`;
  for (const face of faces) draw(context, face, unit);
  return canvas;
}
