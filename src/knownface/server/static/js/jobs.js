// Jobs run in the background of the service and are asked after.

import { api, ApiError } from "./api.js";

const EVERY = 700;

/** Wait for a job; onProgress gets it as it is, now and then. Throws what it failed with. */
export async function finished(job, onProgress = () => {}) {
  while (job.state === "waiting" || job.state === "running") {
    onProgress(job);
    await new Promise((go) => setTimeout(go, EVERY));
    job = await api("GET", `/v1/jobs/${job.id}`);
  }
  if (job.problem) throw new ApiError(422, job.problem);
  return job;
}
