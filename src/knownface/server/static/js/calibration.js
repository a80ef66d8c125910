// Calibration runs in the background of the service and is asked after.

import { bodyOf, showError } from "./actions.js";
import { api, ApiError } from "./api.js";
import { refresh } from "./regions.js";
import { t } from "./texts.js";

const EVERY = 700;
const form = document.getElementById("calibrate");
const state = document.getElementById("calibration-state");
const error = form.querySelector(".error");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  error.replaceChildren();
  const button = event.submitter;
  button.disabled = true;
  state.textContent = t("calibration.running");
  try {
    let job = await api("POST", "/v1/calibration", { fpir: Number(bodyOf(form).fpir) });
    while (job.state === "waiting" || job.state === "running") {
      await new Promise((go) => setTimeout(go, EVERY));
      job = await api("GET", `/v1/jobs/${job.id}`);
    }
    if (job.problem) throw new ApiError(422, job.problem);
    await refresh();
    state.textContent = t("calibration.done");
  } catch (problem) {
    state.textContent = "";
    showError(error, problem);
  } finally {
    button.disabled = false;
  }
});
