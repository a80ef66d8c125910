// Many people at once: an archive is sent, the service works through it, and the page tells how far and what it found.

import { showError } from "./actions.js";
import { api, ApiError } from "./api.js";
import { h, icon } from "./dom.js";
import { takeFiles } from "./filedrop.js";
import { finished } from "./jobs.js";
import { number } from "./locale.js";
import { whyRefused } from "./refusals.js";
import { t } from "./texts.js";

const list = document.getElementById("archives");

function row({ file, person, status, reason, text }) {
  const chip = h("span", { class: `chip ${status === "refused" ? "bad" : "warn"}` }, t(`many.${status}`));
  return h("li", {}, h("div", { class: "grow" }, h("strong", {}, person || file), h("small", {}, `${file} · ${whyRefused({ code: reason, message: text })}`)), chip);
}

function outcome({ result }) {
  const counted = ["enrolled", "known", "held", "refused"].filter((status) => result[status]);
  const facts = h("dl", { class: "facts" }, ...counted.flatMap((status) => [h("dt", {}, t(`many.${status}`)), h("dd", {}, number(result[status]))]));
  const people = h("p", {}, t("many.learnt", { count: result.people }), " ", h("a", { href: "/people" }, t("people.look")));
  const held = result.held ? h("p", { class: "note" }, icon("info"), h("span", {}, t("people.held", { count: result.held }), " ", h("a", { href: "/people/held" }, t("people.look")))) : "";
  const rows = result.files.length ? h("ul", { class: "rows" }, ...result.files.map(row)) : "";
  return [people, facts, held, rows, result.more ? h("p", { class: "muted" }, t("many.more", { count: result.more })) : ""];
}

/** A card for an archive, which fills as the service gets on. */
function card(file) {
  const state = h("p", { class: "muted", role: "status" }, t("many.sending"));
  const bar = h("progress", { "aria-label": t("many.progress") });
  const stop = h("button", { type: "button", class: "small", hidden: true }, icon("stop"), t("video.stop"));
  const error = h("p", { class: "error", role: "alert" });
  const told = h("div", { class: "stack" }, state, bar, h("div", { class: "actions" }, stop), error);
  follow();
  return h("article", { class: "card" }, h("h2", {}, file.name), told);

  function progress(job) {
    stop.hidden = false;
    stop.onclick = () => api("DELETE", `/v1/jobs/${job.id}`).catch((problem) => showError(error, problem));
    if (!job.total) return;
    bar.max = job.total;
    bar.value = job.done;
    state.textContent = t("many.running", { done: number(job.done), count: job.total });
  }

  async function follow() {
    const body = new FormData();
    body.append("archive", file, file.name);
    try {
      told.replaceChildren(...outcome(await finished(await api("POST", "/v1/enrolments", body), progress)));
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      told.replaceChildren(error);
      showError(error, problem);
    }
  }
}

takeFiles(document.getElementById("drop"), document.getElementById("drop-files"), (files) => list.prepend(...files.map(card)));
