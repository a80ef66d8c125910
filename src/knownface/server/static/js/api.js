// The REST service: the only way by which the page reads and changes anything after its first paint.

import { whyRefused } from "./refusals.js";
import { t } from "./texts.js";

/** What the service refused, with its stable code, and a sentence of the page's. */
export class ApiError extends Error {
  constructor(status, problem) {
    super(problem ? whyRefused(problem) : t("error.unexpected", { status }));
    this.status = status;
    this.code = problem?.code ?? "error";
  }
}

function csrf() {
  return document.querySelector("meta[name=csrf]")?.content ?? "";
}

/**
 * Ask the service.
 * @param {string} method
 * @param {string} path
 * @param {object|FormData|Blob} [body] an object goes as JSON
 * @param {{signal?: AbortSignal, headers?: object}} [options]
 * @returns {Promise<any>} the answer's JSON, or null where it has none
 */
export async function api(method, path, body, { signal, headers = {} } = {}) {
  const request = { method, signal, headers: { Accept: "application/json", ...headers }, credentials: "same-origin" };
  if (method !== "GET") request.headers["X-CSRF-Token"] = csrf();
  if (body instanceof FormData || body instanceof Blob) request.body = body;
  else if (body !== undefined) {
    request.body = JSON.stringify(body);
    request.headers["Content-Type"] = "application/json";
  }
  let answer;
  try {
    answer = await fetch(path, request);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, { code: "offline" });
  }
  const text = answer.headers.get("content-type")?.includes("json") ? await answer.text() : "";
  const json = text ? JSON.parse(text) : null; // "204 No Content" may still name a type
  if (answer.ok) {
    const edit = answer.headers.get("Knownface-Edit");
    if (edit) document.dispatchEvent(new CustomEvent("edited", { detail: Number(edit) }));
    return json;
  }
  if (answer.status === 401 && path !== "/v1/session") location.assign(`/sign-in?next=${encodeURIComponent(location.pathname)}`);
  throw new ApiError(answer.status, json);
}
