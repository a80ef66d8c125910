// Why a picture was refused, for people.

import { textOrNull } from "./texts.js";

/** Our own words where there are some, and the figures that were measured. */
export function whyRefused({ code, message, hint }) {
  const own = textOrNull(`problems.${code}`);
  return own && own !== message ? `${own} ${message}` : `${message} ${hint ?? ""}`.trim();
}

/** Whether a picture may show somebody else: it waits for a decision, and may be added all the same. */
export function isDoubtful({ code }) {
  return ["odd-picture", "different-people", "looks-like-other", "rejected"].includes(code);
}
