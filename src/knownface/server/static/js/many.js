// Many people at once: an archive is sent, the service works through it, and the page tells how far and what it found.

import { h, icon } from "./dom.js";
import { takeFiles } from "./filedrop.js";
import { jobCard } from "./job_card.js";
import { number } from "./locale.js";
import { whyRefused } from "./refusals.js";
import { t } from "./texts.js";

const list = document.getElementById("archives");

function row({ file, person, status, reason, text }) {
  const chip = h("span", { class: `chip ${status === "refused" ? "bad" : "warn"}` }, t(`many.${status}`));
  return h("li", {}, h("div", { class: "grow" }, h("strong", {}, person || file), h("small", {}, `${file} · ${whyRefused({ code: reason, message: text })}`)), chip);
}

function outcome(result) {
  const counted = ["enrolled", "known", "held", "refused"].filter((status) => result[status]);
  const facts = h("dl", { class: "facts" }, ...counted.flatMap((status) => [h("dt", {}, t(`many.${status}`)), h("dd", {}, number(result[status]))]));
  const people = h("p", {}, t("many.learnt", { count: result.people }), " ", h("a", { href: "/people" }, t("people.look")));
  const held = result.held ? h("p", { class: "note" }, icon("info"), h("span", {}, t("people.held", { count: result.held }), " ", h("a", { href: "/people/held" }, t("people.look")))) : "";
  const rows = result.files.length ? h("ul", { class: "rows" }, ...result.files.map(row)) : "";
  return [people, facts, held, rows, result.more ? h("p", { class: "muted" }, t("many.more", { count: result.more })) : ""];
}

const words = {
  sending: t("many.sending"),
  progress: t("many.progress"),
  running: ({ done, total }) => t("many.running", { done: number(done), count: total }),
};
const card = (file) => jobCard(file, { path: "/v1/enrolments", field: "archive", words, drawn: outcome });

takeFiles(document.getElementById("drop"), document.getElementById("drop-files"), (files) => list.prepend(...files.map(card)));
