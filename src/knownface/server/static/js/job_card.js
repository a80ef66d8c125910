// A card for a file that the service works through as a job: it fills as the service gets on, and can be stopped.

import { showError } from "./actions.js";
import { api, ApiError } from "./api.js";
import { h, icon } from "./dom.js";
import { finished } from "./jobs.js";
import { t } from "./texts.js";

/**
 * @param {File} file
 * @param {object} job
 * @param {string} job.path where the file is sent
 * @param {string} job.field under which name
 * @param {{sending: string, progress: string, running: (job: object) => string}} job.words said meanwhile
 * @param {(result: object) => Array<Node|string>} job.drawn what came of it
 * @param {Array<Node>} [job.above] shown all the time
 */
export function jobCard(file, { path, field, words, drawn, above = [] }) {
  const state = h("p", { class: "muted", role: "status" }, words.sending);
  const bar = h("progress", { "aria-label": words.progress });
  const stop = h("button", { type: "button", class: "small", hidden: true }, icon("stop"), t("video.stop"));
  const error = h("p", { class: "error", role: "alert" });
  const told = h("div", { class: "stack" }, state, bar, h("div", { class: "actions" }, stop), error);
  follow();
  return h("article", { class: "card" }, h("h2", {}, file.name), ...above, told);

  function progress(job) {
    stop.hidden = false;
    stop.onclick = () => api("DELETE", `/v1/jobs/${job.id}`).catch((problem) => showError(error, problem));
    if (!job.total) return;
    bar.max = job.total;
    bar.value = job.done;
    state.textContent = words.running(job);
  }

  async function follow() {
    const body = new FormData();
    body.append(field, file, file.name);
    try {
      const { result } = await finished(await api("POST", path, body), progress);
      told.replaceChildren(...drawn(result));
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      told.replaceChildren(error);
      showError(error, problem);
    }
  }
}
