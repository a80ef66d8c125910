// Calibration, with pictures of strangers.

import { bodyOf, showError } from "./actions.js";
import { api } from "./api.js";
import { finished } from "./jobs.js";
import { refresh } from "./regions.js";
import { t } from "./texts.js";

const AT_A_TIME = 8;
const form = document.getElementById("calibrate");
const state = document.getElementById("calibration-state");
const error = form.querySelector(".error");

/** Pictures of people who are not enrolled, for this calibration only. */
async function sendStrangers(files) {
  if (files.length) await api("DELETE", "/v1/calibration/strangers");
  for (let sent = 0; sent < files.length; sent += AT_A_TIME) {
    state.textContent = t("calibration.looking", { number: sent, count: files.length });
    const body = new FormData();
    for (const file of files.slice(sent, sent + AT_A_TIME)) body.append("pictures", file, file.name);
    await api("POST", "/v1/calibration/strangers", body);
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  error.replaceChildren();
  const button = event.submitter;
  button.disabled = true;
  try {
    await sendStrangers([...document.getElementById("strangers").files]);
    state.textContent = t("calibration.running");
    await finished(await api("POST", "/v1/calibration", { fpir: Number(bodyOf(form).fpir) }));
    await refresh();
    state.textContent = t("calibration.done");
  } catch (problem) {
    state.textContent = "";
    showError(error, problem);
  } finally {
    button.disabled = false;
  }
});
