// The gallery is brought over to another network: a bar while it runs, then what was not found again.

import { showError } from "./actions.js";
import { api } from "./api.js";
import { h } from "./dom.js";
import { finished } from "./jobs.js";
import { refresh } from "./regions.js";
import { t } from "./texts.js";

const LISTED = 20;
const form = document.getElementById("network");
const [state, bar, lost, stop] = ["state", "progress", "lost", "stop"].map((name) => document.getElementById(`network-${name}`));
const error = form.querySelector(".error");
const button = form.querySelector("button.primary");

/** What was not found again, with reasons, and the choice to leave it out. */
function list({ embedder, lost: faces, lost_count: count, changed }) {
  const rows = faces.slice(0, LISTED).map((face) =>
    h("li", {}, h("div", { class: "grow" }, h("strong", {}, face.person), h("small", {}, `${face.source} · ${face.reason}`))),
  );
  const title = changed ? t("network.left_out", { count }) : t("network.lost", { count });
  const more = count > rows.length ? h("p", { class: "hint" }, t("network.more", { count: count - rows.length })) : "";
  const leave = h("button", { type: "button", onclick: () => change({ embedder, leave_out: true }) }, t("network.leave_out"));
  lost.replaceChildren(h("h3", {}, title), h("ul", { class: "rows" }, ...rows), more);
  if (!changed) lost.append(h("p", { class: "hint" }, t("network.lost_about")), leave);
  lost.hidden = count === 0;
}

function show(job) {
  bar.hidden = false;
  stop.hidden = false;
  stop.onclick = () => api("DELETE", `/v1/jobs/${job.id}`).catch((problem) => showError(error, problem));
  if (job.total === null) return;
  bar.max = job.total;
  bar.value = job.done;
  state.textContent = t("network.running", { done: job.done, count: job.total });
}

/** Wait for the job that begin gives, and tell what came of it. */
async function follow(begin) {
  error.replaceChildren();
  lost.hidden = true;
  button.disabled = true;
  bar.removeAttribute("value");
  state.textContent = t("network.begins");
  try {
    const { result } = await finished(await begin(), show);
    await refresh();
    const told = result.changed ? t("network.done", { name: result.embedder, count: result.templates }) : "";
    state.textContent = [told, result.note].filter(Boolean).join(" ");
    list(result);
  } catch (problem) {
    state.textContent = "";
    showError(error, problem);
  } finally {
    button.disabled = false;
    bar.hidden = true;
    stop.hidden = true;
  }
}

function change(wanted) {
  return follow(() => api("POST", "/v1/network", wanted));
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  change({ embedder: form.elements.embedder.value.trim() });
});

// One that was begun before, or in another window.
const running = (await api("GET", "/v1/jobs")).find((job) => job.kind === "network" && job.finished === null);
if (running) follow(async () => running);
