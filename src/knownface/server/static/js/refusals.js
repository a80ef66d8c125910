// What went wrong, in the words of the page.

import { t, textOrNull } from "./texts.js";

/** What to say of a problem of the service: the page's words for its code; what the service says only where there are none. */
export function whyRefused({ code, message, details }) {
  const values = details ?? {};
  const own = (values.name && textOrNull(`problems.${code}-of`, values)) || textOrNull(`problems.${code}`, values);
  return own ?? t("error.said", { message });
}

/** Whether a picture may show somebody else: it waits for a decision, and may be added all the same. */
export function isDoubtful({ code }) {
  return ["odd-picture", "different-people", "looks-like-other", "rejected"].includes(code);
}
