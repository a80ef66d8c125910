// Making elements. Text goes in as text, never as HTML.

import { locale } from "./locale.js";
import { zone } from "./zone.js";

/** An element: h("p", {class: "hint", hidden: true, onclick: f}, "text", child). */
export function h(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

const SVG = "http://www.w3.org/2000/svg";
const sprite = new URL("../icons.svg", import.meta.url).pathname;

/** One of the drawings of icons.svg. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}

/** The letters that stand for a name where there is no picture. */
export function initials(name) {
  const words = name.trim().split(/\s+/u).filter(Boolean);
  const first = [...(words[0] ?? "")][0] ?? "";
  const last = words.length > 1 ? [...words.at(-1)][0] : "";
  return (first + last).toUpperCase();
}

/** A square with a face: a picture's address, or a canvas, over the initials. */
export function face(name, picture = null, kind = "") {
  const square = h("span", { class: `face ${kind}` }, name ? h("span", { "aria-hidden": "true" }, initials(name)) : icon("person"));
  if (typeof picture === "string") square.append(h("img", { src: picture, alt: "" }));
  else if (picture) square.append(picture);
  return square;
}

/** Times of the server in the reader's zone and language. */
export function localTimes(root = document) {
  const full = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short", timeZone: zone });
  const clock = new Intl.DateTimeFormat(locale, { timeStyle: "short", timeZone: zone });
  const day = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone: zone });
  const today = day.format(new Date());
  for (const element of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(element.dateTime);
    if (Number.isNaN(moment.valueOf())) continue;
    const style = element.dataset.style;
    const short = style === "clock" || (style === "short" && day.format(moment) === today);
    element.textContent = (short ? clock : style === "day" ? day : full).format(moment);
    element.title = full.format(moment);
  }
}

/** Pictures that may be missing leave the initials behind them. */
export function optionalPictures(root = document) {
  for (const picture of root.querySelectorAll("img[data-optional]")) {
    if (picture.complete && picture.naturalWidth === 0 && picture.currentSrc) picture.remove();
    else picture.addEventListener("error", () => picture.remove(), { once: true });
  }
}
