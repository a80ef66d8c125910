// What the review did not let in of the pictures to be learnt is said, with where to decide.

import { h } from "./dom.js";
import { whyRefused } from "./refusals.js";
import { t } from "./texts.js";

const place = document.getElementById("not-learnt");

document.addEventListener("answered", ({ detail }) => {
  const reasons = (detail?.problems ?? []).map(whyRefused);
  const link = detail?.held ? h("a", { class: "button small", href: "/people/held" }, t("pictures.decide")) : null;
  const said = detail?.held ? t("offers.held", { count: detail.held }) : t("offers.refused", { count: reasons.length });
  place.replaceChildren(...(reasons.length ? [h("p", {}, h("strong", {}, said)), ...reasons.map((reason) => h("p", {}, reason)), link] : []).filter(Boolean));
  place.hidden = !reasons.length;
});
